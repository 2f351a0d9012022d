"""Which parameters of a network can be pruned, and why the others cannot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType
from typing import Literal, Self

import torch
from torch import nn

Role = Literal["weight", "embedding", "bias", "norm", "other"]

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
EMBEDDING_NAME = re.compile(
    r"^(?!.*(proj|_out$|linear|dense|conv|norm|mapping|head))(.*(emb|vocab)|w[tp]e$|shared$|pos(ition)?s?$)"
    r"|^relative_attention_bias$"
)
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
INPUTS_FIRST = "own.inputs_first"


class StoredLayer(nn.Module):
    """Tensors of one layer whose network is not known, as in a checkpoint; it cannot be called.

    Args:
        layer_type: what the layer most likely is, by its names and shapes: ``"Conv2d"``.
        inputs_first: of experts, whether each is ``[in, out]``; None where their own tensors tell it.
    """

    def __init__(self, layer_type: str, inputs_first: bool | None = None) -> None:
        super().__init__()
        setattr(self, _LAYER_TYPE, layer_type)
        setattr(self, INPUTS_FIRST, inputs_first)


class RecordedLayer(nn.Module):
    """A layer of a network whose code is not there, as in an exported program; it remembers nothing between calls.

    Args:
        layer_type: full name of the class that it was of: ``"torch.nn.modules.conv.Conv2d"``; ``""`` if unknown.
    """

    def __init__(self, layer_type: str) -> None:
        super().__init__()
        setattr(self, _LAYER_TYPE, layer_type)


def noted_type(module: StoredLayer | RecordedLayer) -> str:
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
            it; ``"bias"``; ``"norm"`` for every parameter of a norm layer; or ``"other"`` for what belongs to no layer
            that torch knows, such as positions and scales: that is pruned only where a recipe names it.
        shape: of the dense tensor.
        dtype: of the dense tensor; scores of float64 weights are ranked in float64, all others in float32.
        out_dim: the dim that indexes output channels (1 for transposed convolutions and GPT-2's Conv1D, else 0).
        out_groups: how many output channels share an index along it: as many as a transposed convolution, whose weight
            is ``[in, out / groups, ...]``, has groups, or as there are experts; else 1.
        position: index among the network's named parameters; it seeds random criteria, so that choosing
            other layers does not change what is drawn for this one.
        experts: how many matrices lie behind one another along dim 0, as the experts of a mixture do: ``[E, out, in]``,
            or ``[E, in, out]`` where ``out_dim`` is 2; 0 of a weight that is one matrix, or a kernel.
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
    experts: int = 0

    @property
    def numel(self) -> int:
        return prod(self.shape)

    @property
    def in_dim(self) -> int:
        """The dim along which a matrix has its inputs; that of a kernel's input channels."""
        return 3 - self.out_dim if self.experts else 0 if self.out_dim == 1 else 1

    @property
    def row_dims(self) -> tuple[int, ...]:
        """The dims whose indices are one output of one matrix."""
        return (0, self.out_dim) if self.experts else (self.out_dim,)

    @property
    def of_one(self) -> Self:
        """One expert's matrix, ``[out, in]`` or ``[in, out]``; of other targets the target itself."""
        if not self.experts:
            return self
        return replace(self, shape=self.shape[1:], out_dim=self.out_dim - 1, out_groups=1, experts=0)

    @property
    def picture(self) -> tuple[tuple[int, ...], int]:
        """The shape in which its weights are drawn, experts below one another, and the dim of the outputs in it."""
        if not self.experts:
            return self.shape, self.out_dim
        return (self.experts * self.shape[1], self.shape[2]), self.out_dim - 1

    @property
    def channels(self) -> int:
        """How many output channels it makes: neurons, filters, gate rows, tokens of a table; 0 of one dim."""
        return self.shape[self.out_dim] * self.out_groups if len(self.shape) > 1 else 0

    @property
    def is_weight(self) -> bool:
        """Whether it counts among a network's weights: no bias, and no parameter of a norm layer."""
        return self.role in ("weight", "embedding")


ALREADY_PRUNED = "already pruned by torch.nn.utils.prune; call prune.remove first"
QUANTISED = ("torch.ao.nn.quantized.", "torch.ao.nn.intrinsic.quantized.")


def is_packed(module: nn.Module) -> bool:
    """Whether torch quantised a layer and packed its weights for its kernels, so that they are no parameters now."""
    return f"{type(module).__module__}.".startswith(QUANTISED) and bool(module.state_dict())


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
        named = getattr(nn, noted_type(module), None)
        return named if isinstance(named, type) and issubclass(named, nn.Module) else StoredLayer
    if isinstance(module, RecordedLayer):
        return _KNOWN_CLASSES.get(noted_type(module), type(module))
    type_name = getattr(type(module), "type_name", None)
    if type(module).__module__.startswith("torch.export.") and callable(type_name):
        return _KNOWN_CLASSES.get(str(type_name(module)), type(module))
    return type(module)


def layer_type(module: nn.Module) -> str:
    """A module's class name for a person: ``"Conv2d"``."""
    if isinstance(module, StoredLayer):
        return noted_type(module)
    if isinstance(module, RecordedLayer) and layer_class(module) is type(module):
        return noted_type(module).rpartition(".")[2] or "layer"
    # MultiheadAttention keeps its output projection in a private subclass of Linear
    kind = layer_class(module)
    return "Linear" if issubclass(kind, nn.Linear) else kind.__name__


def is_lazy(tensor: torch.Tensor) -> bool:
    """Whether this is a parameter or buffer of a lazy module that has no shape yet."""
    return nn.parameter.is_lazy(tensor)
