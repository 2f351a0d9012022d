"""Which parameters of a network can be pruned, and why the others cannot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

Role = Literal["weight", "embedding", "bias", "norm"]

OPTIONAL: Mapping[Role, str] = MappingProxyType({"embedding": "embeddings", "bias": "biases", "norm": "norms"})
"""Roles that are off by default, and the field of a recipe that brings each in."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
GPT2_LINEAR = ("transformers.pytorch_utils", "Conv1D")
NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
)
STATISTICS = frozenset(
    ("running_mean", "running_var", "num_batches_tracked", "position_ids", "token_type_ids", "inv_freq")
)
"""Names of well-known buffers, such as BatchNorm's statistics; they are not reported as left out."""
EMBEDDING_NAME = re.compile(r"emb|^w[tp]e$|^shared$|vocab|^pos(ition)?s?$|^relative_attention_bias$")
"""Names that embeddings usually have, for files that hold nothing of a network but names and weights."""
EMBEDDING_PARAMETER = re.compile(r"(pos|position|positional|class|patch)_emb|^pos(ition)?s?$|_tokens?$")
"""Names of parameters that belong to no layer and are embeddings: positions, class tokens."""
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
PRUNABLE = (
    nn.Linear,
    nn.Bilinear,
    *CONVOLUTIONS,
    *TRANSPOSED,
    *EMBEDDINGS,
    nn.MultiheadAttention,
    nn.RNNBase,
    nn.RNNCellBase,
)


# Attributes of ours on modules. No layer or tensor of a network can be called so, since a dot divides their names
_LAYER_TYPE = "own.layer_type"
SAMPLES_PER_CALL = "own.samples_per_call"
MISFIT = "own.misfit"


class StoredLayer(nn.Module):
    """Tensors of one layer whose network is not known, as in a checkpoint; it cannot be called.

    Args:
        layer_type: what the layer most likely is, by its names and shapes: ``"Conv2d"``.
    """

    def __init__(self, layer_type: str) -> None:
        super().__init__()
        setattr(self, _LAYER_TYPE, layer_type)


class RecordedLayer(nn.Module):
    """A layer of a network whose code is not there, as in an exported program; it remembers nothing between calls.

    Args:
        layer_type: full name of the class that it was of: ``"torch.nn.modules.conv.Conv2d"``; ``""`` if unknown.
    """

    def __init__(self, layer_type: str) -> None:
        super().__init__()
        setattr(self, _LAYER_TYPE, layer_type)


def _noted_type(module: StoredLayer | RecordedLayer) -> str:
    return str(getattr(module, _LAYER_TYPE))


@dataclass(frozen=True)
class Target:
    """One prunable parameter of a network.

    Attributes:
        name: as ``state_dict`` names it, ``"conv1.weight"``.
        aliases: further names of the same tensor, where weights are tied.
        module: path of the module that owns it, ``""`` for the root.
        layer_type: class name of that module, ``"Conv2d"``.
        role: ``"weight"``; ``"embedding"`` for a table whose rows are looked up, also where an output layer is tied to
            it; ``"bias"``; or ``"norm"`` for every parameter of a norm layer.
        shape: of the dense tensor.
        dtype: of the dense tensor; scores of float64 weights are ranked in float64, all others in float32.
        out_dim: the dim that indexes output channels (1 for transposed convolutions and GPT-2's Conv1D, else 0).
        out_groups: how many output channels share an index along it: as many as a transposed convolution, whose weight
            is ``[in, out / groups, ...]``, has groups; else 1.
        position: index among the network's named parameters; it seeds random criteria, so that choosing
            other layers does not change what is drawn for this one.
    """

    name: str
    aliases: tuple[str, ...]
    module: str
    layer_type: str
    role: Role
    shape: tuple[int, ...]
    dtype: torch.dtype
    out_dim: int
    out_groups: int
    position: int

    @property
    def numel(self) -> int:
        return prod(self.shape)

    @property
    def channels(self) -> int:
        """How many output channels it makes: neurons, filters, gate rows, tokens of a table; 0 of one dim."""
        return self.shape[self.out_dim] * self.out_groups if len(self.shape) > 1 else 0

    @property
    def is_weight(self) -> bool:
        """Whether it counts among a network's weights: no bias, and no parameter of a norm layer."""
        return self.role in ("weight", "embedding")


def find_targets(model: nn.Module) -> tuple[tuple[Target, ...], dict[str, str]]:
    """Sort a network's parameters into those that can be pruned and those that cannot.

    Tied weights make one target that carries all their names.

    Returns:
        The targets in the order of ``named_parameters``, and for every other parameter the reason why not; one that
        ``torch.nn.utils.prune`` pruned is under the name that it had before, without ``_orig``.
    """
    targets: list[Target] = []
    refused: dict[str, str] = {}
    names_of = _names_by_tensor(model)
    for position, (name, parameter) in enumerate(model.named_parameters()):
        owner = _owner(model, name)
        aliases = tuple(alias for alias in names_of[id(parameter)] if alias != name)
        reason = _why_not(name, parameter, owner[1])
        if reason is None:
            role = _role(model, (name, *aliases), parameter)
            targets.append(_target(name, aliases, parameter, owner, position, role))
        else:
            refused[name.removesuffix("_orig") if reason == ALREADY_PRUNED else name] = reason
    return tuple(targets), refused | _packed(model) | _stored_buffers(model)


def _stored_buffers(model: nn.Module) -> dict[str, str]:
    """Buffers of a checkpoint by name, with what they are, without the well-known ``STATISTICS``."""
    return {
        f"{path}.{leaf}".removeprefix("."): made_by_norm(module, leaf)
        or f"a buffer of {str(tensor.dtype).removeprefix('torch.')} and no parameter: nothing that was learnt"
        for path, module in model.named_modules()
        if isinstance(module, StoredLayer)
        for leaf, tensor in module.named_buffers(recurse=False)
        if leaf not in STATISTICS
    }


ALREADY_PRUNED = "already pruned by torch.nn.utils.prune; call prune.remove first"
QUANTISED = ("torch.ao.nn.quantized.", "torch.ao.nn.intrinsic.quantized.")


def _packed(model: nn.Module) -> dict[str, str]:
    """The layers whose weights are no parameters any more, since torch packed them for its kernels of whole numbers."""
    packed: dict[str, str] = {}
    wholes: list[str] = []
    for path, module in model.named_modules():
        if is_packed(module) and not any(f"{path}.".startswith(each) for each in wholes):
            wholes.append(f"{path}." if path else "")
            packed[f"{path}.weight" if path else "weight"] = (
                f"quantised by torch ({type(module).__name__}): packed as whole numbers; prune first, and quantise then"
            )
    return packed


def is_packed(module: nn.Module) -> bool:
    """Whether torch quantised a layer and packed its weights for its kernels, so that they are no parameters now."""
    return f"{type(module).__module__}.".startswith(QUANTISED) and bool(module.state_dict())


def _names_by_tensor(model: nn.Module) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return names


def _owner(model: nn.Module, name: str) -> tuple[str, nn.Module]:
    path = name.rpartition(".")[0]
    return path, model.get_submodule(path)


def _target(
    name: str,
    aliases: tuple[str, ...],
    parameter: nn.Parameter,
    owner: tuple[str, nn.Module],
    position: int,
    role: Role,
) -> Target:
    path, module = owner
    return Target(
        name=name,
        aliases=aliases,
        module=path,
        layer_type=layer_type(module),
        role=role,
        shape=tuple(parameter.shape),
        dtype=parameter.dtype,
        out_dim=1 if _stores_inputs_first(module) and parameter.dim() > 1 else 0,
        out_groups=_output_groups(module, parameter),
        position=position,
    )


def _output_groups(module: nn.Module, parameter: nn.Parameter) -> int:
    if not issubclass(layer_class(module), TRANSPOSED) or parameter.dim() < 2:
        return 1
    groups = getattr(module, "groups", None)
    if isinstance(groups, int):
        return groups
    # Of an exported or stored layer only the tensors are known; its bias has a number for each output
    bias = dict(module.named_parameters(recurse=False)).get("bias")
    return 1 if bias is None else max(1, bias.numel() // parameter.shape[1])


def _stores_inputs_first(module: nn.Module) -> bool:
    """Whether weights are ``[in, out, ...]``, as in transposed convolutions and in the Linear of GPT-2."""
    kind = layer_class(module)
    if isinstance(module, StoredLayer) and _noted_type(module) == GPT2_LINEAR[1]:
        return True
    if isinstance(module, RecordedLayer) and _noted_type(module) == ".".join(GPT2_LINEAR):
        return True
    return issubclass(kind, TRANSPOSED) or (kind.__module__, kind.__qualname__) == GPT2_LINEAR


_KNOWN_CLASSES = {
    f"{each.__module__}.{each.__qualname__}": each
    for each in vars(nn).values()
    if isinstance(each, type) and issubclass(each, nn.Module)
}


def layer_class(module: nn.Module) -> type[nn.Module]:
    """A module's class; for one that only remembers its name, torch's class of that name.

    Such are the modules of an exported program, and the layers of a checkpoint.
    """
    if isinstance(module, StoredLayer):
        named = getattr(nn, _noted_type(module), None)
        return named if isinstance(named, type) and issubclass(named, nn.Module) else StoredLayer
    if isinstance(module, RecordedLayer):
        return _KNOWN_CLASSES.get(_noted_type(module), type(module))
    type_name = getattr(type(module), "type_name", None)
    if type(module).__module__.startswith("torch.export.") and callable(type_name):
        return _KNOWN_CLASSES.get(str(type_name(module)), type(module))
    return type(module)


def layer_type(module: nn.Module) -> str:
    """A module's class name for a person: ``"Conv2d"``."""
    if isinstance(module, StoredLayer):
        return _noted_type(module)
    if isinstance(module, RecordedLayer) and layer_class(module) is type(module):
        return _noted_type(module).rpartition(".")[2] or "layer"
    # MultiheadAttention keeps its output projection in a private subclass of Linear
    kind = layer_class(module)
    return "Linear" if issubclass(kind, nn.Linear) else kind.__name__


def _role(model: nn.Module, names: tuple[str, ...], parameter: nn.Parameter) -> Role:
    module, leaf = _owner(model, names[0])[1], names[0].rpartition(".")[2]
    if any(issubclass(layer_class(_owner(model, name)[1]), EMBEDDINGS) for name in names):
        return "embedding"
    if isinstance(module, StoredLayer) and EMBEDDING_PARAMETER.search(leaf.lower()):
        return "embedding"
    if issubclass(layer_class(module), NORMS):
        return "norm"
    if "bias" in leaf:
        return "bias"
    # Of a layer that torch does not know, or whose type is a guess, a weight of one dim is a scale
    known = issubclass(layer_class(module), PRUNABLE) and not isinstance(module, StoredLayer)
    return "weight" if known or parameter.dim() > 1 else "norm"


def _why_not(name: str, parameter: nn.Parameter, module: nn.Module) -> str | None:
    leaf = name.rpartition(".")[2]
    if is_lazy(parameter):
        return "not initialised yet; run the network once first"
    if ".parametrizations." in f".{name}" or parametrize.is_parametrized(module):
        return "parametrized: its value is computed from other tensors; remove the parametrization first"
    if (reason := made_by_norm(module, leaf)) is not None:
        return reason
    if leaf.endswith("_orig") and hasattr(module, leaf.removesuffix("_orig") + "_mask"):
        return ALREADY_PRUNED
    if parameter.is_meta:
        return "on the meta device: it has a shape and no values; load the weights first"
    if parameter.numel() == 0:
        return "empty: it has no weights"
    if parameter.is_complex() or not parameter.is_floating_point():
        return f"{str(parameter.dtype).removeprefix('torch.')} weights have no magnitude that can be ranked here"
    if parameter.dtype.itemsize < 2:
        return f"{str(parameter.dtype).removeprefix('torch.')} cannot be computed with on this device"
    if isinstance(module, StoredLayer) or issubclass(layer_class(module), PRUNABLE + NORMS):
        return None
    if leaf not in ("weight", "bias"):
        return f"a parameter of {layer_type(module)} itself, which is no layer type that torch prunes"
    return None


def made_by_norm(module: nn.Module, leaf: str) -> str | None:
    """Why a tensor is no weight: ``weight_norm`` or ``spectral_norm`` computes the weight from it; None otherwise."""
    stem, _, part = leaf.rpartition("_")
    magnitude, direction = getattr(module, f"{stem}_g", None), getattr(module, f"{stem}_v", None)
    if part in ("g", "v") and isinstance(magnitude, Tensor) and isinstance(direction, Tensor):
        fits = zip(magnitude.shape, direction.shape, strict=False)
        if magnitude.dim() in (0, direction.dim()) and all(size in (1, whole) for size, whole in fits):
            return "weight_norm computes the weight anew at every call; call torch.nn.utils.remove_weight_norm first"
    weight, vector = getattr(module, f"{stem}_orig", None), getattr(module, f"{stem}_u", None)
    if part in ("orig", "u", "v") and isinstance(weight, Tensor) and isinstance(vector, Tensor) and vector.dim() == 1:
        return "spectral_norm computes the weight anew at every call; call torch.nn.utils.remove_spectral_norm first"
    return None


def is_lazy(tensor: torch.Tensor) -> bool:
    """Whether this is a parameter or buffer of a lazy module that has no shape yet."""
    return nn.parameter.is_lazy(tensor)
