"""Follow the output of a product through what comes directly behind it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pruning_explorer.prune.observe.memory import MemoryMap, offset_in
from pruning_explorer.prune.observe.products import Product
from pruning_explorer.prune.targets import Target

aten = torch.ops.aten


def _packets(*names: str) -> frozenset[Any]:
    return frozenset(getattr(aten, name) for name in names if hasattr(aten, name))


BATCH_NORMS = _packets(
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "_batch_norm_with_update",
    "_batch_norm_no_update",
    "cudnn_batch_norm",
)
ACTIVATIONS = _packets(
    *(
        name + suffix
        for name in (
            *("relu", "gelu", "silu", "tanh", "sigmoid", "leaky_relu", "hardtanh", "elu", "hardswish", "hardsigmoid"),
            *("mish", "threshold", "celu", "selu", "clamp", "clamp_min"),
        )
        for suffix in ("", "_")
    ),
    *("softplus", "_prelu_kernel", "log_sigmoid_forward"),
)
SUMS = _packets("add", "add_")
COPIES = _packets("clone", "_to_copy")
VIEWS = _packets("_unsafe_view", "detach", "alias", "_reshape_alias")  # which torch does not call views, or not always


class ChannelNotes:
    """Statistics of the output channels of one target, over all its products.

    Attributes:
        norm: name of the scale of the BatchNorm that follows; None where none does.
        scale: of that, ``[channels]``; zero for channels that no BatchNorm follows.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        channels = target.shape[target.out_dim]
        self._absolute = torch.zeros(channels, dtype=torch.float64)
        self._off = torch.zeros(channels, dtype=torch.float64)
        self._count = torch.zeros(channels, dtype=torch.float64)
        self.norm: str | None = None
        self.scale = torch.zeros(channels, dtype=torch.float64)

    @property
    def complete(self) -> bool:
        """Whether every channel was seen."""
        return bool((self._count > 0).all())

    def activation(self) -> Tensor:
        return self._absolute / self._count

    def off(self) -> Tensor:
        return self._off / self._count

    def add(self, first: int, values: Tensor, dim: int) -> None:
        """Note outputs whose ``dim`` indexes channels from ``first`` on."""
        others = [each for each in range(values.dim()) if each != dim]
        absolute = values.abs().sum(dim=others, dtype=torch.float64) if others else values.abs().double()
        off = (values <= 0).sum(dim=others) if others else (values <= 0).long()
        rows = slice(first, first + min(len(absolute), len(self._count)))
        for held, each in ((self._absolute, absolute), (self._off, off)):
            held[rows] += self._fold(each)
        self._count[rows] += values.numel() / len(self._count[rows])

    def add_norm(self, first: int, name: str, scale: Tensor) -> None:
        if self.norm in (None, name):
            self.norm = name
            rows = slice(first, first + min(len(scale), len(self.scale)))
            self.scale[rows] = self._fold(scale.double().abs()) / (len(scale) / len(self.scale[rows]))

    def _fold(self, channels: Tensor) -> Tensor:
        # A grouped transposed convolution makes [groups x out] channels from a weight of [in, out]
        width = len(self._count)
        return channels.view(-1, width).sum(dim=0) if len(channels) > width else channels


@dataclass(eq=False)
class Chain:
    """The output of one product, followed through a BatchNorm, an activation function, or both.

    Attributes:
        first: the target's output channel that the product's first is.
        tensor: where the output is now. Held, so that its memory is not used again meanwhile.
        dim: which of its dims indexes channels.
        noted: whether it was measured already, behind its activation function.
        finished: whether it is followed no more.
    """

    notes: ChannelNotes
    first: int
    tensor: Tensor
    dim: int
    vectors: MemoryMap
    scales: Collection[str]
    noted: bool = False
    finished: bool = field(default=False)

    @classmethod
    def begin(
        cls, notes: ChannelNotes, whole: Tensor, product: Product, vectors: MemoryMap, scales: Collection[str]
    ) -> "Chain | None":
        """A chain, or None where the product's outputs are not whole output channels of the target."""
        if product.output is None:
            return None
        view, target = product.weight, notes.target
        channels, step = view.shape[product.weight_dim], whole.stride(target.out_dim)
        if channels > 1 and view.stride(product.weight_dim) != step:
            return None
        offset = offset_in(view, whole)
        of_each = whole.numel() // whole.shape[target.out_dim]
        distinct = 1
        for size, stride in zip(view.shape, view.stride(), strict=True):
            distinct *= size if stride else 1
        if distinct != channels * of_each or (target.out_dim == 0 and offset % step):
            return None
        first = offset // step if channels < whole.shape[target.out_dim] else 0
        return cls(notes, first, product.output, product.output_dim, vectors, scales)

    @property
    def storage(self) -> int:
        return int(self.tensor.untyped_storage().data_ptr())

    def goes_on(self, func: Any, args: Any) -> bool:
        """Whether the output is still the same channels, one for one, behind an operation that reads it."""
        packet = func.overloadpacket
        if func.is_view or packet in VIEWS:
            return True
        if packet not in BATCH_NORMS | ACTIVATIONS | SUMS | COPIES or self._dim_in(args[0]) is None:
            return False
        if packet in BATCH_NORMS:
            return self._dim_in(args[0]) == 1
        if packet in ACTIVATIONS:
            return not self.noted
        if packet in SUMS:
            other = args[1]
            return isinstance(other, Tensor) and other.dim() == 1 and self.vectors.name_of(other) is not None
        return True

    def follow(self, func: Any, args: Any, output: Any) -> None:
        """Follow the output through one operation."""
        packet = func.overloadpacket
        if func.is_view or packet in VIEWS:
            return
        dim = self._dim_in(args[0])
        if dim is None:
            return
        self.tensor, self.dim = (output if isinstance(output, Tensor) else output[0]), dim
        if packet in ACTIVATIONS:
            self._note()
        elif packet in BATCH_NORMS and args[1] is not None:
            name = self.vectors.name_of(args[1])
            if name in self.scales and name is not None:
                self.notes.add_norm(self.first, name, args[1])

    def finish(self) -> None:
        """Measure the output as it is, unless its activation function came before."""
        if not self.noted:
            self._note()
        self.finished = True

    def _note(self) -> None:
        with torch.no_grad():
            self.notes.add(self.first, self.tensor.detach(), self.dim)
        self.noted = True

    def _dim_in(self, view: Tensor) -> int | None:
        """The dim that indexes channels in a view of the whole output; None if it is no such view."""
        channels, step = self.tensor.shape[self.dim], self.tensor.stride(self.dim)
        if not isinstance(view, Tensor) or view.numel() != self.tensor.numel():
            return None
        if view.untyped_storage().data_ptr() != self.storage:
            return None
        found = [
            d for d in range(view.dim()) if view.shape[d] == channels and (channels == 1 or view.stride(d) == step)
        ]
        return self.dim if self.dim in found else found[0] if found else None
