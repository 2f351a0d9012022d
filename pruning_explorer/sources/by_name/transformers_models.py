"""Networks of transformers, by their name on the Hugging Face hub or from a folder; none of their own code is run."""

import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.optional_libraries import (
    NOISE_COUNT,
    SEED,
    UNTRAINED,
    broken_library,
    build_seeded,
    check_size,
    hub_answers,
    import_library,
    no_weights,
    noise,
    one_line,
)

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
SEQUENCE = 16
OWN_ATTENTION = (None, "eager", "sdpa")


def import_transformers() -> Any:
    """Transformers, with the part of it that models need.

    Raises:
        SubjectError: it is not installed, or cannot be imported.
    """
    transformers = import_library("transformers")
    try:
        # Imported lazily, each by itself; a vision model is what a broken torchvision breaks first
        for name in ("AutoConfig", "AutoModel", "PreTrainedModel", "BertModel"):
            getattr(transformers, name)
    except Exception as error:
        raise broken_library("transformers", error) from error
    return transformers


def load_transformers(name: str, *, pretrained: bool, browser: bool) -> Subject:
    """A network of transformers, with noise as its inputs where these can be made.

    Only safetensors are read, and no code that comes with a network is run.

    Args:
        name: on the hub, or of a folder with ``config.json`` (and ``model.safetensors``).
        browser: whether a visitor asks: then only names on the hub, and of a bounded size.

    Raises:
        SubjectError: transformers cannot be used, there is no such network, or its weights cannot be had.
    """
    folder = _folder(name, browser)
    transformers = import_transformers()
    words = f"hf:{name}"
    called = words if folder is None else folder.resolve().name
    source: dict[str, Any] = {"local_files_only": folder is not None or not hub_answers()}
    place = str(folder) if folder is not None else name
    config = _config(transformers, place, words, source)
    kind = _kind(transformers, config)
    if browser:
        check_size(lambda: _build(kind, config, words), words)
    if pretrained:
        model, missing = _trained(kind, config, words, place, source)
    else:
        model, missing = build_seeded(lambda: _build(kind, config, words)), 0
    weights = "its trained weights" if pretrained else UNTRAINED
    if missing:
        weights += f", but {missing} of its tensors are not among them and are random"
    where = f"the folder {folder}" if folder is not None else f"{name} on the Hugging Face hub"
    subject = Subject.from_module(
        model,
        name=called if pretrained else f"{called},pretrained=false",
        about=f"{type(model).__name__} of transformers, from {where}, with {weights}.",
        loading=_loading(type(model).__name__, place, pretrained),
        origin=f"transformers {transformers.__version__}, {'trained' if pretrained else 'random weights'}",
    )
    return replace(_with_noise(subject, model), words=words)


def _trained(kind: Any, config: Any, words: str, place: str, source: dict[str, Any]) -> tuple[nn.Module, int]:
    """The network, and how many of its tensors no file has."""
    unseen: list[str] = []

    def load() -> nn.Module:
        model, info = kind.from_pretrained(
            place, config=config, trust_remote_code=False, use_safetensors=True, output_loading_info=True, **source
        )
        unseen.extend(info["missing_keys"])
        return model  # type: ignore[no-any-return]

    try:
        # Seeded for what is missing, which is drawn
        return build_seeded(load), len(unseen)
    except Exception as error:  # of the network, the disk, the hub's client or the file
        if Path(place).exists():
            raise SubjectError(
                f"the weights in {place} cannot be read: {one_line(error)}; save them with save_pretrained, or write "
                f"{words},pretrained=false for random ones"
            ) from error
        raise no_weights(words, one_line(error)) from error


def _folder(name: str, browser: bool) -> Path | None:
    path = Path(name).expanduser()
    looks_like_one = name.startswith((".", "/", "~")) or path.exists()
    if browser and (looks_like_one or not HUB_NAME.fullmatch(name) or ".." in name):
        raise SubjectError(
            f"{name!r} is no plain name on the Hugging Face hub, and folders of this machine are not read for a page; "
            "write owner/model, or start the program with the folder: --subject hf:./folder"
        )
    if looks_like_one:
        if not (path / "config.json").is_file():
            raise SubjectError(f"there is no config.json in {name}; give a folder that save_pretrained wrote")
        return path
    if not HUB_NAME.fullmatch(name):
        raise SubjectError(f"{name!r} is neither a folder nor a name on the hub; write owner/model, or ./folder")
    return None


def _config(transformers: Any, place: str, words: str, source: dict[str, Any]) -> Any:
    try:
        config = transformers.AutoConfig.from_pretrained(place, trust_remote_code=False, **source)
    except Exception as error:
        if not source["local_files_only"]:
            # Its first line is the reason, what follows is about tokens and the internet
            raise SubjectError(f"{words} cannot be opened: {one_line(error, 0).rstrip('.')}; check the name") from error
        if place != words.removeprefix("hf:") or Path(place).exists():
            raise SubjectError(
                f"the config.json of {words} cannot be read: {one_line(error)}; save it again"
            ) from error
        raise SubjectError(
            f"{words} is not in the cache, and the Hugging Face hub cannot be reached from here, so not even its "
            "shapes are known; load it once where the hub can be reached, or give a folder that save_pretrained wrote"
        ) from error
    # A config may name an attention kernel, which would be fetched and run
    if getattr(config, "_attn_implementation", None) not in OWN_ATTENTION:
        config._attn_implementation = "eager"
    return config


def _kind(transformers: Any, config: Any) -> Any:
    for name in getattr(config, "architectures", None) or ():
        kind = getattr(transformers, str(name), None)
        if isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel):
            return kind
    return transformers.AutoModel


def _build(kind: Any, config: Any, words: str) -> nn.Module:
    try:
        return kind.from_config(config) if kind.__name__ == "AutoModel" else kind(config)  # type: ignore[no-any-return]
    except Exception as error:
        raise SubjectError(f"transformers cannot build {words}: {one_line(error)}; choose another") from error


def _with_noise(subject: Subject, model: nn.Module) -> Subject:
    """The subject on noise, if its forward takes it, with what its outputs are called; else as it was."""
    inputs = _noise_inputs(model)
    if inputs is None:
        said = "It has no samples: noise cannot be made for what its forward takes; give samples of your own."
        return replace(subject, about_samples=said)
    try:
        noisy = subject.with_samples(inputs)
        outputs = dense_outputs(noisy).shape[-1]
    except SubjectError as error:
        said = f"It has no samples: it was tried on noise, and {one_line(error)}"
        return replace(subject, about_samples=said)
    what = "images of noise" if inputs[0].is_floating_point() else "sequences of random tokens"
    said = f"Its {NOISE_COUNT} inputs are {what}: they show drift, and nothing of what it knows."
    return replace(noisy, about_samples=said, output_names=_label_names(model, outputs))


def _noise_inputs(model: nn.Module) -> tuple[Tensor, ...] | None:
    """Noise for the leading positional inputs of ``forward`` that are known by their names."""
    inputs: list[Tensor] = []
    for name in inspect.signature(model.forward).parameters:
        made = _noise_for(name, getattr(model, "config", None))
        if made is None:
            break
        inputs.append(made)
    return tuple(inputs) or None


def _noise_for(name: str, config: Any) -> Tensor | None:
    text = config.get_text_config(decoder=True) if name.startswith("decoder") else config.get_text_config()
    length = min(SEQUENCE, int(getattr(text, "max_position_embeddings", None) or SEQUENCE))
    if name in ("input_ids", "decoder_input_ids"):
        vocabulary = getattr(text, "vocab_size", None)
        if not vocabulary:
            return None
        seed = SEED + name.startswith("decoder")
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(int(vocabulary), (NOISE_COUNT, length), generator=generator)
    if name == "attention_mask":
        return torch.ones(NOISE_COUNT, length, dtype=torch.int64)
    if name == "pixel_values":
        vision = getattr(config, "vision_config", config)
        size = getattr(vision, "image_size", None) or 224
        height, width = (size, size) if isinstance(size, int) else (size[0], size[-1])
        return noise(int(getattr(vision, "num_channels", None) or 3), int(height), int(width))
    return None


def _label_names(model: nn.Module, outputs: int) -> tuple[str, ...]:
    labels: Any = getattr(getattr(model, "config", None), "id2label", None) or {}
    names = tuple(str(labels[index]) for index in sorted(labels)) if len(labels) == outputs else ()
    return () if all(re.fullmatch(r"LABEL_\d+", name) for name in names) else names


def _loading(kind: str, place: str, pretrained: bool) -> str:
    if pretrained:
        return f"from transformers import {kind}\n\nmodel = {kind}.from_pretrained({place!r}, use_safetensors=True)"
    return (
        f"import torch\nfrom transformers import AutoConfig, {kind}\n\n"
        f"torch.manual_seed({SEED})\nmodel = {kind}(AutoConfig.from_pretrained({place!r}))"
    )
