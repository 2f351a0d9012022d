"""Lines of Python that load a checkpoint into its network, by the library that wrote it where that is known."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Protocol

CONFIG_MOST = 1 << 20

NAMES_AS_IN_MEMORY = frozenset(
    (
        *("albert", "bart", "bert", "bloom", "clip", "convnext", "deberta_v2", "distilbert", "electra", "falcon"),
        *("gemma", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_oss", "gptj", "jetmoe", "llama", "llama4_text", "mamba"),
        *("marian", "mobilebert", "mobilenet_v2", "mpt", "opt", "perceiver", "phi", "qwen2", "resnet", "roberta"),
        *("switch_transformers", "t5", "wav2vec2", "whisper", "xlnet"),
    )
)
"""``model_type`` of networks that transformers writes by the names that they have in memory; others may have others."""

_OF_TRANSFORMERS = re.compile(r"(model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)")
_CLASS = re.compile(r"[A-Za-z]\w{0,99}", re.ASCII)


class Part(Protocol):
    """One file of a checkpoint: how it is read, and which further names its metadata gives to tensors."""

    @property
    def imported(self) -> str: ...

    @property
    def before(self) -> Sequence[str]: ...

    @property
    def after(self) -> Sequence[str]: ...

    @property
    def loaded(self) -> str: ...

    @property
    def ties(self) -> Mapping[str, str]: ...

    @property
    def metadata(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Network:
    """The network of a checkpoint, as the ``config.json`` beside it names it.

    Attributes:
        kind: its class in transformers, ``"GPT2LMHeadModel"``.
        model_type: its family, ``"gpt2"``.
    """

    kind: str
    model_type: str


@dataclass(frozen=True)
class Lines:
    """Lines of Python around those that prune.

    Attributes:
        before: bind ``model`` to what is pruned.
        after: what is left to do with it.
        ties_unknown: whether weights may have further names, which the file does not tell.
    """

    before: str
    after: str = ""
    ties_unknown: bool = False


def network_of(folder: Path, files: Iterable[str]) -> Network | None:
    """What transformers would load from these files; None where it did not write them, or runs code of their own."""
    config = folder / "config.json"
    if not all(_OF_TRANSFORMERS.fullmatch(name) for name in files):
        return None
    try:
        if not config.is_file() or config.stat().st_size > CONFIG_MOST:
            return None
        content = json.loads(config.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or "auto_map" in content or "quantization_config" in content:
        return None
    kinds, family = content.get("architectures"), content.get("model_type")
    kind = kinds[0] if isinstance(kinds, list) and kinds else None
    if not isinstance(kind, str) or not _CLASS.fullmatch(kind) or iskeyword(kind) or not isinstance(family, str):
        return None
    return Network(kind, family)


def loading_lines(
    parts: Sequence[Part], folding: Sequence[str], packed: Sequence[str], network: Network | None
) -> Lines:
    """Lines that load the weights: all parts together, tied ones under both names, and what was pruned before folded.

    Args:
        folding: lines that fold the masks of ``weights``.
        packed: schemes by which weights are quantised.
        network: of transformers, which loads them itself then.
    """
    if packed:
        return Lines(
            f"# `model` is the network that these weights belong to. They are packed ({', '.join(packed)}):\n"
            "# load it by the library that wrote them, unpacked, so that its weights are plain parameters"
        )
    imports = list(dict.fromkeys(each.imported for each in parts))
    weights = _weights(parts, folding)
    if network is None:
        said = "# `model` is the network that these weights belong to"
        of_library = any(each.metadata.get("format") == "pt" for each in parts)
        last = _TIED_AWAY if of_library else "model.load_state_dict(weights)"
        return Lines("\n".join([said, *imports, "", *weights, last]), ties_unknown=of_library)
    if network.model_type in NAMES_AS_IN_MEMORY:
        imports = [*imports, f"from transformers import AutoConfig, {network.kind}"]
        lines = [*imports, "", *weights, _load("model", network, "weights")]
        return Lines("\n".join(lines), ties_unknown=True)
    imports = [*imports, "import torch", "from torch import nn", f"from transformers import AutoConfig, {network.kind}"]
    before = "\n".join([*dict.fromkeys(imports), "", *weights, _TREE])
    after = "\n".join([_MASKS, _load("carried", network, "masks"), _load("model", network, "weights"), _CARRIED])
    return Lines(before, after)


def _weights(parts: Sequence[Part], folding: Sequence[str]) -> list[str]:
    lines = list(dict.fromkeys(line for each in parts for line in each.before))
    if len(parts) == 1:
        lines += [f"weights = {parts[0].loaded}"]
    else:
        lines += ["weights = {", *(f"    **{each.loaded}," for each in parts), "}"]
    lines += dict.fromkeys(line for each in parts for line in each.after)
    ties = {alias: name for each in parts for alias, name in each.ties.items()}
    lines += [f"weights[{alias!r}] = weights[{name!r}]  # tied, and saved once" for alias, name in ties.items()]
    return [*lines, *folding]


def _load(bound: str, network: Network, weights: str) -> str:
    config = "AutoConfig.from_pretrained('.')"
    return f"{bound} = {network.kind}.from_pretrained(None, config={config}, state_dict=dict({weights}))"


_TIED_AWAY = """\
report = model.load_state_dict(weights, strict=False)
state = model.state_dict()
loaded = {state[name].data_ptr() for name in weights if name in state}
lacking = [name for name in report.missing_keys if state[name].data_ptr() not in loaded]
# Tied weights are saved once. A library that has other names in memory than in its files has to load them itself:
# put config.json beside the file, open the folder, and this script does so
assert not lacking and not report.unexpected_keys, (lacking, report.unexpected_keys)"""

_TREE = """\
# In memory this network may have other names than in its file, and other tensors: these are the file's own
model = nn.Module()
for name, tensor in weights.items():
    *path, leaf = name.split('.')
    module = model
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module._modules[part]
    module.register_parameter(leaf, nn.Parameter(tensor, requires_grad=False))"""

_MASKS = """\
# Weights come to their place in the network by its library, and so do the masks of them
masks = {name: torch.ones_like(tensor) for name, tensor in weights.items()}
masks |= {name.removesuffix('_mask'): mask for name, mask in model.named_buffers()}"""

_CARRIED = """\
for path, module in carried.named_modules():
    for name, mask in module.named_parameters(recurse=False):
        if ((mask == 0) | (mask == 1)).all() and not mask.all():
            prune.custom_from_mask(model.get_submodule(path), name, mask)"""
