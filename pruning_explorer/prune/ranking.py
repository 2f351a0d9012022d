"""Rank once, cut often.

Every one-shot recipe is nested: a larger amount removes the same groups and more. So one sort gives each group its
*exit rank* (0 goes first), and a mask is one compare: ``rank >= removed``. Equal scores take flat-index order, so the
count is always exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.prune.sorting import (
    DOUBLE,
    IN_PARTS_FROM,
    SINGLE,
    Bits,
    Precision,
    as_ranked,
    flat,
    precision_of,
    rank_in_parts,
    rank_rows_in_parts,
    sort_rows,
)

_NONE = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The exit order of one target's groups.

    Attributes:
        ranks: int32, one per group; the group of rank 0 goes first. Where rows lose alike it is the place within its
            row: groups of one rank go together, one in each row.
        ordered_bits: ``[groups]``, the scores in exit order, as bits that order alike: uint32 of float32, uint64 of
            float64; those that never go with the ``protected`` bit. Empty where rows lose alike: they compete with no
            one.
        removable: how many ranks may go at all.
        rows: how many groups share a rank: 1, or the rows that lose alike.
        shown: the scores, one per group in the groups' own order, where ``ordered_bits`` do not hold them.
    """

    ranks: NDArray[np.int32]
    ordered_bits: Bits
    removable: int
    rows: int = 1
    shown: NDArray[Any] | None = None

    @property
    def groups(self) -> int:
        """How many ranks there are; a cut counts in these."""
        return len(self.ranks) // self.rows

    @property
    def nbytes(self) -> int:
        return self.ranks.nbytes + self.ordered_bits.nbytes + (0 if self.shown is None else self.shown.nbytes)

    @property
    def scores(self) -> NDArray[Any]:
        """Float32, or float64 where it was ranked in it; one per group, in the groups' own order."""
        if self.shown is not None:
            return self.shown
        return self.scores_of(self.ranks)

    @property
    def precision(self) -> Precision:
        """The floating-point type in which it was ranked."""
        return precision_of(self.ordered_bits)

    def below(self, bits: Bits) -> NDArray[np.int64]:
        """How many scores are below each of the numbers with these bits; of its own precision."""
        return np.searchsorted(self.ordered_bits, bits)

    @property
    def ordered_scores(self) -> bool:
        """Whether each rank has one score, so that :meth:`scores_of` can be called."""
        return self.shown is None

    def scores_of(self, ranks: slice | NDArray[Any]) -> NDArray[Any]:
        """The scores of the groups with these ranks; without a copy of all of them."""
        precision = self.precision
        scores: NDArray[Any] = (self.ordered_bits[ranks] & ~precision.protected).view(precision.floats)
        return scores

    def keep(self, removed: int) -> Tensor:
        """Bool, one per group: all but the first ``removed`` to go."""
        return torch.from_numpy(self.ranks >= np.int32(removed))


def rank(scores: Tensor, name: str, protected: Tensor | None = None) -> Ranking:
    """Sort groups by importance, least first; equal scores in flat-index order.

    Args:
        scores: any shape, non-negative and finite. Those of float64 are ranked in it, all others in float32.
        name: of the target, for the error message.
        protected: bool, shaped like ``scores``: those that never go.

    Raises:
        ScoreError: a score is NaN, infinite or negative.
    """
    scores = scores.detach()
    if scores.numel() >= IN_PARTS_FROM and scores.dtype != torch.float64:
        return Ranking(*rank_in_parts(scores, name, protected))
    values = flat(as_ranked(scores))[None]
    order, ordered_bits, removable = sort_rows(values, name, None if protected is None else flat(protected))
    ranks = np.empty(scores.numel(), dtype=np.int32)
    ranks[order[0]] = np.arange(len(ranks), dtype=np.int32)
    return Ranking(ranks, ordered_bits[0], removable)


def rank_rows(scores: Tensor, name: str, protected: Tensor | None = None, row_dims: tuple[int, ...] = (0,)) -> Ranking:
    """Sort the weights of each row among themselves, so that all rows lose alike.

    Args:
        scores: at least two dims, non-negative and finite.
        name: of the target, for the error message.
        protected: bool, shaped like ``scores``: those that never go. The row with the most of them limits all.
        row_dims: the dims that index rows: one, or that of the experts too.

    Raises:
        ScoreError: a score is NaN, infinite or negative.
    """
    layout, scores = _Rows(scores.shape, row_dims), as_ranked(scores.detach())
    values, held = layout.split(scores), None if protected is None else layout.split(protected)
    if scores.numel() >= IN_PARTS_FROM:
        places, removable = rank_rows_in_parts(values, name, held)
        return Ranking(layout.join(places), _NONE, removable, layout.rows, flat(scores))
    order, _, removable = sort_rows(values, name, held)
    ranks = np.empty(order.size, dtype=np.int32)
    ranks[order] = np.arange(order.shape[1], dtype=np.int32)
    return Ranking(layout.join(ranks), _NONE, removable, layout.rows, flat(scores))


def rank_survivors(
    earlier: Ranking,
    removed: int,
    scores: Tensor,
    name: str,
    protected: Tensor | None = None,
    row_dims: tuple[int, ...] | None = None,
) -> Ranking:
    """Sort anew what a cut has left; what is gone keeps its rank, and comes first in every cut.

    Args:
        earlier: the ranking that was cut.
        removed: how many ranks are gone.
        scores: of all groups; those of the gone do not count, whatever they are.
        name, protected: as for :func:`rank`.
        row_dims: the dims that index rows, where rows lose alike.

    Returns:
        A ranking whose ``ordered_bits`` are 0 where groups are gone, and one more than the score's where not.

    Raises:
        ScoreError: a survivor's score is NaN, infinite or negative.
    """
    scores = as_ranked(scores.detach())
    layout = _Rows(scores.shape if row_dims is not None else (scores.numel(),), row_dims)
    ranks = layout.split(torch.from_numpy(earlier.ranks)).ravel().copy()
    places = np.flatnonzero(ranks >= removed)
    shape = (layout.rows, earlier.groups - removed)
    kept = None if protected is None else layout.split(protected).ravel()[places].reshape(shape)
    order, bits, removable = sort_rows(layout.split(scores).ravel()[places].reshape(shape), name, kept)
    ranks[places[order]] = np.arange(removed, earlier.groups, dtype=np.int32)
    shown = np.where(earlier.ranks >= removed, flat(scores), earlier.scores)
    if row_dims is not None:
        return Ranking(layout.join(ranks), _NONE, removed + removable, layout.rows, shown)
    precision = precision_of(bits)
    above_zero = bits[0] + precision.bits(1)
    above_zero[above_zero == precision.infinity] -= precision.bits(1)
    ordered_bits = np.concatenate([np.zeros(removed, dtype=precision.bits), above_zero])
    return Ranking(ranks, ordered_bits, removed + removable, 1, shown)


class _Rows:
    """A tensor's weights, row by row."""

    def __init__(self, shape: Sequence[int], row_dims: tuple[int, ...] | None) -> None:
        self._shape, self._dims = tuple(shape), row_dims or ()
        self.rows = prod(self._shape[dim] for dim in self._dims)

    def split(self, tensor: Tensor) -> NDArray[Any]:
        """``[rows, weights of one]``; equal places of each row in flat-index order."""
        whole = tensor.reshape(self._shape)
        return flat(whole.movedim(self._dims, tuple(range(len(self._dims))))).reshape(self.rows, -1)

    def join(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """The inverse of ``split``: flat, in the target's order."""
        if not self._dims:
            return values
        first = [self._shape[dim] for dim in self._dims]
        rest = [size for dim, size in enumerate(self._shape) if dim not in self._dims]
        return np.moveaxis(values.reshape(*first, *rest), range(len(first)), self._dims).ravel()


class Competitor(Protocol):
    """What a ranking over several targets needs of each target; :class:`Ranking` is one implementation."""

    @property
    def removable(self) -> int: ...

    @property
    def precision(self) -> Precision: ...

    def below(self, bits: Bits) -> NDArray[np.int64]: ...


def global_cut(
    rankings: Sequence[Competitor], totals: NDArray[np.int64], limits: Sequence[int] | None = None
) -> NDArray[np.int64]:
    """How many groups each target loses when all compete in one ranking.

    Nothing is concatenated: the cut is found by bisection over the bits of a float, with a binary search in each
    target's ordered scores; sixteen bits after sixteen, so that who counts scores instead passes over them once for
    each. Equal scores at the cut go in the order of the targets; scores of float32 and of float64 compare as the
    numbers that they are.

    Args:
        rankings: of T targets.
        totals: ``[A]``, groups to remove in all, for each of A amounts.
        limits: the most groups that each target may lose; what it does not lose, the others do, as far as they can.
            Without any, all that are removable.

    Returns:
        int64 ``[A, T]``.
    """
    most = np.array([r.removable for r in rankings] if limits is None else limits, dtype=np.int64)
    wanted = np.minimum(totals, most.sum())
    precision = DOUBLE if any(r.precision is DOUBLE for r in rankings) else SINGLE
    low = np.zeros(len(wanted), dtype=np.int64)  # the cut's bits lie in [low, high)
    high = np.full(len(wanted), int(precision.infinity), dtype=np.int64)
    for step in (1 << place for place in precision.halves):
        while (low + step < high).any():
            middle = low + (high - low) // (2 * step) * step
            enough = _below(rankings, middle, most, precision).sum(axis=1) >= wanted
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    # Fewer than `wanted` groups lie below `low`; those at `low` itself fill up what is missing, target by target
    below, through = _below(rankings, low, most, precision), _below(rankings, low + 1, most, precision)
    missing = (wanted - below.sum(axis=1))[:, None]
    before = np.cumsum(through - below, axis=1) - (through - below)
    removed: NDArray[np.int64] = below + np.clip(missing - before, 0, through - below)
    return removed


def _below(
    rankings: Sequence[Competitor], bits: NDArray[np.int64], most: NDArray[np.int64], precision: Precision
) -> NDArray[np.int64]:
    """Groups of each target whose scores are below each of the numbers with these bits, ``[A, T]``."""
    needles: dict[int, Bits] = {precision.digits: bits.astype(precision.bits)}
    if precision is DOUBLE:
        needles[SINGLE.digits] = _rounded_up(needles[DOUBLE.digits])
    counts = [r.below(needles[r.precision.digits]) for r in rankings]
    return np.minimum(np.stack(counts, axis=1), most)


def _rounded_up(bits: Bits) -> Bits:
    """The bits of the smallest float32 numbers that are no less than these of float64."""
    numbers = bits.view(np.float64)
    with np.errstate(over="ignore"):  # beyond the largest comes infinity, which is above all scores
        nearest = numbers.astype(np.float32)
    rounded: Bits = nearest.view(np.uint32) + (nearest < numbers).astype(np.uint32)
    return rounded
