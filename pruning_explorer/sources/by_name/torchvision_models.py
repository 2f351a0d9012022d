"""Image classifiers of torchvision, by name."""

from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.optional_libraries import (
    NOISE,
    SEED,
    UNTRAINED,
    build_seeded,
    can_load,
    import_library,
    no_weights,
    noise,
    one_line,
)


def load_torchvision(name: str, *, pretrained: bool, browser: bool) -> Subject:
    """An image classifier of torchvision with noise of its input size.

    Raises:
        SubjectError: torchvision cannot be used, has no such network, or its weights cannot be had.
    """
    torchvision = import_library("torchvision")
    models = torchvision.models
    known = models.list_models(module=models)
    if name not in known:
        raise SubjectError(_unknown(name, known, models.list_models()))
    weights = models.get_model_weights(name).DEFAULT
    if pretrained:
        model = _trained(models, name, weights)
    else:
        model = build_seeded(lambda: models.get_model(name, weights=None))
    # As timm keeps it: what images of one's own are normalised by
    shown = weights.transforms()
    setattr(model, "pretrained_cfg", {"mean": tuple(shown.mean), "std": tuple(shown.std)})  # noqa: B010
    words = f"torchvision:{name}"
    said = f"the weights {weights}" if pretrained else UNTRAINED
    return Subject.from_module(
        model,
        noise(3, *_input_size(weights)),
        name=words if pretrained else f"{words},pretrained=false",
        output_names=weights.meta["categories"] if pretrained else (),
        about=f"{name} of torchvision, with {said}.",
        about_samples=NOISE,
        loading=_loading(name, pretrained),
        origin=f"torchvision {torchvision.__version__}, {'trained' if pretrained else 'random weights'}",
    )


def _unknown(name: str, known: list[str], every: list[str]) -> str:
    if name in every:
        return (
            f"{name} of torchvision is no image classifier, and has no logits to compare; choose a backbone, resnet50"
        )
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "torchvision.models.list_models() lists all"
    return f"torchvision has no network called {name!r}; {hint}"


def _input_size(weights: Any) -> tuple[int, int]:
    size = weights.transforms().crop_size
    return (size[0], size[-1])


def _trained(models: Any, name: str, weights: Any) -> nn.Module:
    words = f"torchvision:{name}"
    host = urlsplit(weights.url).hostname
    if not can_load(weights.url):
        raise no_weights(words, f"they are not in the cache, and {host} cannot be reached")
    try:
        # Into the cache, and refused unless it holds plain tensors; the builder then finds it there
        weights.get_state_dict(progress=False, check_hash=True, weights_only=True, map_location=torch.device("meta"))
        return models.get_model(name, weights=weights)  # type: ignore[no-any-return]
    except OSError as error:
        raise no_weights(words, f"they cannot be fetched from {host} ({one_line(error)})") from error
    except Exception as error:  # of the file
        raise no_weights(words, one_line(error)) from error


def _loading(name: str, pretrained: bool) -> str:
    if pretrained:
        return f"from torchvision.models import get_model\n\nmodel = get_model({name!r}, weights='DEFAULT')"
    return (
        "import torch\nfrom torchvision.models import get_model\n\n"
        f"torch.manual_seed({SEED})\nmodel = get_model({name!r}, weights=None)"
    )
