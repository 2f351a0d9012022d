"""Tensors to be saved, computed piece by piece, so that only one piece is in memory."""

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from pruning_explorer.errors import ExportError
from pruning_explorer.measure.masking import masked
from pruning_explorer.prune.mapped import give_back

PIECE = 1 << 22
"""Elements of a tensor that are computed at once, to bound memory."""
WORTH_GIVING_BACK = 1 << 20
"""Bytes of a tensor mapped from a file, from which on its memory is given back to the system after reading."""

_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


class Values(Protocol):
    """A tensor to be saved."""

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def nbytes(self) -> int: ...

    def pieces(self) -> Iterator[Tensor]:
        """Its numbers in row-major order, in one-dimensional tensors on the CPU."""
        ...

    def same_as(self, read: Tensor) -> bool:
        """Whether a tensor that was read has this dtype, this shape and every bit of it.

        It is computed in another way than :meth:`pieces`, so that each finds an error of the other.
        """
        ...


MaskPieces = Callable[[], Iterator[Tensor]]
"""Yields a mask from its beginning to its end as flat bool tensors."""


class Whole:
    """A tensor as it is."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor.detach()

    @property
    def dtype(self) -> torch.dtype:
        return self._tensor.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._tensor.shape)

    @property
    def nbytes(self) -> int:
        return self._tensor.numel() * self.dtype.itemsize

    def pieces(self) -> Iterator[Tensor]:
        yield from in_pieces(self._flat())
        self._leave()

    def same_as(self, read: Tensor) -> bool:
        if not _alike(self, read):
            return False
        pairs = zip(in_pieces(self._flat()), in_pieces(read), strict=True)
        same = all(torch.equal(own.view(torch.uint8), its.view(torch.uint8)) for own, its in pairs)
        self._leave()
        return same

    def _flat(self) -> Tensor:
        return self._tensor.cpu().reshape(-1)

    def _leave(self) -> None:
        if self.nbytes >= WORTH_GIVING_BACK:
            give_back(self._tensor)


class Folded(Whole):
    """The weights of a target, zero where its mask removes them, whatever they were."""

    def __init__(self, tensor: Tensor, mask: MaskPieces) -> None:
        super().__init__(tensor)
        self._mask = mask

    def pieces(self) -> Iterator[Tensor]:
        for kept, weights in _beside(self._mask(), self._flat()):
            yield masked(weights, kept)
        self._leave()

    def same_as(self, read: Tensor) -> bool:
        if not _alike(self, read):
            return False
        bits = _BITS[self.dtype.itemsize]
        nothing = torch.zeros((), dtype=bits)
        triples = _beside(self._mask(), self._flat(), read.reshape(-1))
        same = all(torch.equal(torch.where(k, own.view(bits), nothing), its.view(bits)) for k, own, its in triples)
        self._leave()
        return same


class Original(Whole):
    """The dense weights of a target, beside which its mask is saved."""

    def __init__(self, tensor: Tensor, mask: MaskPieces, name: str) -> None:
        super().__init__(tensor)
        self._mask, self._name = mask, name

    def pieces(self) -> Iterator[Tensor]:
        """The dense weights, unchanged.

        Raises:
            ExportError: torch's hook would make NaN of it: it multiplies, and infinity times 0 is NaN.
        """
        for kept, weights in _beside(self._mask(), self._flat()):
            if not bool((torch.isfinite(weights) | kept).all()):
                raise ExportError(
                    f"{self._name} has infinite or NaN weights that its mask removes, and torch.nn.utils.prune "
                    "multiplies by the mask, which makes NaN of them; save the weights, which have zeros there"
                )
            yield weights
        self._leave()


class MaskValues:
    """A mask: one number per weight, 1 = kept."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, mask: MaskPieces) -> None:
        self.shape, self.dtype = shape, dtype
        self._mask = mask

    @property
    def nbytes(self) -> int:
        return torch.Size(self.shape).numel() * self.dtype.itemsize

    def pieces(self) -> Iterator[Tensor]:
        for kept in self._mask():
            yield kept.to(self.dtype)

    def same_as(self, read: Tensor) -> bool:
        if not _alike(self, read):
            return False
        pairs = _beside(self._mask(), read.reshape(-1))
        return all(torch.equal(its != 0, kept) and bool(((its == 0) | (its == 1)).all()) for kept, its in pairs)


def _alike(values: Values, read: Tensor) -> bool:
    return read.dtype == values.dtype and tuple(read.shape) == values.shape


def _beside(masks: Iterator[Tensor], *flat: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Each piece of a mask with those of tensors that belong to it."""
    start = 0
    for kept in masks:
        yield kept, *(each[start : start + len(kept)] for each in flat)
        start += len(kept)
    if any(len(each) != start for each in flat):
        raise ValueError(f"a mask of {start} weights for {[len(each) for each in flat]}")


def in_pieces(tensor: Tensor) -> Iterator[Tensor]:
    """The elements of a tensor in row-major order, in flat pieces."""
    # A split of nothing would be one empty piece, which is as good
    return iter(tensor.reshape(-1).split(PIECE))
