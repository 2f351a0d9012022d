"""Networks of timm, by name."""

import re
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from torch import nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.optional_libraries import (
    NOISE,
    SEED,
    UNTRAINED,
    build_seeded,
    can_load,
    check_size,
    hub_answers,
    import_library,
    no_weights,
    noise,
    one_line,
)

HUB_FILES = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin")


def load_timm(name: str, *, pretrained: bool, browser: bool) -> Subject:
    """A network of timm with noise of its input size.

    Raises:
        SubjectError: timm cannot be used, has no such network, or its weights cannot be had.
    """
    timm = import_library("timm")
    words = f"timm:{name}"
    if not _knows(timm, name):
        tagged = timm.list_pretrained(f"{name.partition('.')[0]}.*")
        close = get_close_matches(name, [*timm.list_models(), *timm.list_pretrained()], n=3, cutoff=0.6) or tagged[:3]
        hint = f"did you mean {' or '.join(close)}?" if close else "timm.list_models() lists all"
        raise SubjectError(f"timm has no network called {name!r}; {hint}")
    if browser:
        check_size(lambda: _create(timm, name), words)
    model = _trained(timm, name, words) if pretrained else build_seeded(lambda: _create(timm, name))
    config = timm.data.resolve_model_data_config(model)
    weights = f"the weights {_full_name(model, name)}" if pretrained else UNTRAINED
    return Subject.from_module(
        model,
        noise(*config["input_size"]),
        name=words if pretrained else f"{words},pretrained=false",
        output_names=_class_names(timm, model) if pretrained else (),
        about=f"{name} of timm, with {weights}.",
        about_samples=NOISE,
        loading=_loading(name, pretrained),
        origin=f"timm {timm.__version__}, {'trained' if pretrained else 'random weights'}",
    )


def _knows(timm: Any, name: str) -> bool:
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII) or not timm.is_model(name):
        return False
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError:  # of the network it knows; after the dot stand weights that it does not
        return False
    return True


def _create(timm: Any, name: str, **settings: Any) -> nn.Module:
    try:
        return timm.create_model(name, **settings)  # type: ignore[no-any-return]
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        raise SubjectError(f"timm cannot build {name}: {one_line(error)}; choose another") from error


def _trained(timm: Any, name: str, words: str) -> nn.Module:
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise no_weights(words, "timm has none for it")
    found: dict[str, Any] = {}
    if config.hf_hub_id:
        hub = import_library("huggingface_hub")
        if not hub_answers():
            cached = (
                hub.try_to_load_from_cache(config.hf_hub_id, file)
                for file in (config.hf_hub_filename, *HUB_FILES)
                if file
            )
            path = next((each for each in cached if isinstance(each, str)), None)
            if path is None:
                raise no_weights(words, f"they are not in the cache, and {hub.constants.ENDPOINT} cannot be reached")
            found = {"pretrained_cfg_overlay": {"file": path}}
    elif config.url and not can_load(config.url):
        raise no_weights(words, f"they are not in the cache, and {urlsplit(config.url).hostname} cannot be reached")
    try:
        return timm.create_model(name, pretrained=True, **found)  # type: ignore[no-any-return]
    except Exception as error:  # of the network, the disk, the hub's client or the file
        raise no_weights(words, one_line(error)) from error


def _full_name(model: nn.Module, name: str) -> str:
    config: Any = getattr(model, "pretrained_cfg", {})
    tag = config.get("tag") if isinstance(config, dict) else None
    return f"{name.partition('.')[0]}.{tag}" if tag else name


def _class_names(timm: Any, model: nn.Module) -> tuple[str, ...]:
    subset = timm.data.infer_imagenet_subset(model)
    if not subset:
        return ()
    info = timm.data.ImageNetInfo(subset)
    return tuple(info.index_to_description(index) for index in range(info.num_classes()))


def _loading(name: str, pretrained: bool) -> str:
    if pretrained:
        return f"import timm\n\nmodel = timm.create_model({name!r}, pretrained=True)"
    return f"import timm\nimport torch\n\ntorch.manual_seed({SEED})\nmodel = timm.create_model({name!r})"
