"""Sort scores: small layers in one go, large ones in parts, so that a large layer never needs its keys all at once.

A score's bits order as the score does. Of float32 they leave room in a key for the weight's own index, which makes
every key unique: so any sort gives the one stable order, whole or in parts. Scores of float64 take a stable sort.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import ScoreError

Bits = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Precision:
    """A floating-point type in which scores are ranked.

    Attributes:
        floats: the type.
        bits: whole numbers of the same size, which order as its non-negative numbers do.
        infinity: above the bits of all finite ones.
        protected: a bit above those of all scores, so that what never goes comes last and no cut comes near it.
        digits: how many bits there are.
    """

    floats: type[np.floating[Any]]
    bits: type[np.unsignedinteger[Any]]
    infinity: np.unsignedinteger[Any]
    protected: np.unsignedinteger[Any]
    digits: int

    @property
    def halves(self) -> tuple[int, ...]:
        """Number of bits below each group of sixteen, the uppermost group first."""
        return tuple(range(self.digits - 16, -1, -16))


SINGLE = Precision(np.float32, np.uint32, np.uint32(0x7F80 << 16), np.uint32(1 << 31), 32)
DOUBLE = Precision(np.float64, np.uint64, np.uint64(0x7FF0 << 48), np.uint64(1 << 63), 64)


def precision_of(values: NDArray[Any]) -> Precision:
    """The precision of scores in float32 or float64, or of their bits."""
    return DOUBLE if values.itemsize == 8 else SINGLE


def as_ranked(scores: Tensor) -> Tensor:
    """Scores in the type in which they are ranked: float64 as it is, all else in float32."""
    return scores if scores.dtype == torch.float64 else scores.float()


IN_PARTS_FROM = 1 << 22
"""Weights of a layer from which it is scored and sorted in parts, so that it needs less memory."""
PARTS = 16
"""Number of parts, or slightly more: one is sorted while the others stay in the scores' own memory."""
PIECE = 1 << 17
"""Scores examined at once; half a megabyte, which fits into the processor's cache."""
HALF = 1 << 16
_INDEX = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def flat(tensor: Tensor) -> NDArray[Any]:
    """A tensor's values in flat-index order; no copy where they lie so."""
    return tensor.contiguous().numpy().ravel()


def as_floats(tensor: Tensor) -> NDArray[Any]:
    """A tensor's values in the type in which they are ranked; for small pieces, on which torch's threads do not pay."""
    if tensor.dtype != torch.bfloat16:
        values: NDArray[Any] = as_ranked(tensor).numpy()
        return values
    # bfloat16 is the upper half of a float32
    bits = tensor.view(torch.int16).numpy().view(np.uint16).astype(np.uint32)
    bits <<= np.uint32(16)
    return bits.view(np.float32)


def sort_rows(scores: NDArray[Any], name: str, protected: NDArray[np.bool_] | None) -> tuple[NDArray[Any], Bits, int]:
    """Each row in exit order.

    Args:
        scores: float32 or float64 ``[R, L]``.
        name: of the target, for the error message.
        protected: bool ``[R, L]``, or in that order: those that never go.

    Returns:
        Flat indices ``[R, L]``, bits ``[R, L]``, and how many of every row may go.

    Raises:
        ScoreError: a score is NaN, infinite or negative.
    """
    bits = checked_bits(scores)
    if bits is None:
        raise ScoreError(describe_bad_scores(scores.ravel(), name))
    removable = bits.shape[1]
    precision = precision_of(bits)
    if protected is not None:
        held = protected.reshape(bits.shape)
        bits |= held.astype(precision.bits) * precision.protected
        removable -= int(held.sum(axis=1).max(initial=0))
    if precision is DOUBLE:
        order = bits.argsort(axis=1, kind="stable")
        ordered = np.take_along_axis(bits, order, axis=1)
        order += np.arange(len(bits))[:, None] * bits.shape[1]
        return order, ordered, removable
    # Score in the high half, index in the low half: one unstable integer sort, four times as fast as a stable argsort
    keys = bits.astype(np.uint64)
    keys <<= _SHIFT
    keys |= np.arange(keys.size, dtype=np.uint32).reshape(keys.shape)
    keys.sort(axis=1)
    return keys.astype(np.uint32), (keys >> _SHIFT).astype(np.uint32), removable


def rank_in_parts(scores: Tensor, name: str, protected: Tensor | None) -> tuple[NDArray[np.int32], Bits, int]:
    """The order of :func:`sort_rows` of one large row, with an eighth of its memory beside the result.

    Args:
        scores: any shape and floating dtype but float64, at most 2^31 of them; they are widened piece by piece.
        name, protected: as for :func:`sort_rows`.

    Returns:
        The exit rank of each int32 ``[n]``, the bits in exit order uint32 ``[n]``, and how many may go.

    Raises:
        ScoreError: a score is NaN, infinite or negative.
    """
    held = None if protected is None else protected.reshape(-1)
    source = _Source(scores.contiguous().view(-1), name, held)
    ranks, ordered = np.empty(source.size, dtype=np.int32), np.empty(source.size, dtype=np.uint32)

    def work(part: _Part) -> None:
        (_fill_ties if part.first == part.last else _fill_sorted)(source, part, ranks, ordered)

    parts = list(_parts(source, max(1, source.size // PARTS)))
    # Two at once; numpy selects and sorts without the interpreter's lock
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        list(pool.map(work, parts))
    return ranks, ordered, source.size - (0 if held is None else int(np.count_nonzero(held.numpy())))


def rank_rows_in_parts(
    scores: NDArray[Any], name: str, protected: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], int]:
    """Each weight's place within its row, a few rows at a time.

    Args:
        scores, protected: ``[R, L]``.

    Returns:
        int32 ``[R, L]``, and how many of every row may go.

    Raises:
        ScoreError: a score is NaN, infinite or negative.
    """
    rows, length = scores.shape
    if any(checked_bits(scores[row]) is None for row in range(rows)):
        raise ScoreError(describe_bad_scores(scores.ravel(), name))
    ranks, removable = np.empty(rows * length, dtype=np.int32), length
    height = max(1, scores.size // PARTS // max(1, length))
    places = np.arange(length, dtype=np.int32)
    for start in range(0, rows, height):
        part = slice(start, min(rows, start + height))
        held = None if protected is None else protected[part]
        order, _, most = sort_rows(scores[part], name, held)
        ranks[part.start * length : part.stop * length][order] = places
        removable = min(removable, most)
    return ranks.reshape(rows, length), removable


def describe_bad_scores(scores: NDArray[Any], name: str) -> str:
    """What is wrong with scores that cannot be ranked, and what to do about it."""
    nan, infinite, negative = int(np.isnan(scores).sum()), int(np.isinf(scores).sum()), int((scores < 0).sum())
    found = ", ".join(
        f"{count} {what}" for count, what in ((nan, "NaN"), (infinite, "infinite"), (negative, "negative")) if count
    )
    return f"{name} has scores that cannot be ranked ({found} of {len(scores)}); repair its weights, or leave it out"


def checked_bits(scores: NDArray[Any]) -> Bits | None:
    """A copy of the scores as bits that order alike; None where there is one that cannot be ranked."""
    precision = precision_of(scores)
    bits: Bits = (scores + precision.floats(0)).view(precision.bits)  # + 0 turns -0 into 0, whose bits sort with zeros
    # The bits of a negative float, or of a NaN, lie above all finite ones too
    return None if bits.size and bits.max() >= precision.infinity else bits


@dataclass(frozen=True)
class _Part:
    """Scores whose bits lie in ``[first, last]``: ``count`` of them, the ranks from ``start`` on."""

    first: int
    last: int
    start: int
    count: int


class _Source:
    """Scores where they lie, as bits piece by piece; checked once."""

    def __init__(self, scores: Tensor, name: str, protected: Tensor | None) -> None:
        self.size = scores.numel()
        self._scores, self._protected = scores, protected
        self.high = np.zeros(HALF, dtype=np.int64)
        for start in range(0, self.size, PIECE):
            bits = checked_bits(self._read(start))
            if bits is None:
                raise ScoreError(describe_bad_scores(flat(scores.float()), name))
            self.high += np.bincount(self._marked(bits, start) >> np.uint32(16), minlength=HALF)

    def pieces(self) -> Iterator[tuple[int, Bits]]:
        """The start of each piece, and its bits."""
        for start in range(0, self.size, PIECE):
            yield start, self._marked((self._read(start) + np.float32(0)).view(np.uint32), start)

    def low(self, high: int) -> NDArray[np.int64]:
        """Among bits whose upper half is ``high``, how many have each lower half: int64 ``[65536]``."""
        counts = np.zeros(HALF, dtype=np.int64)
        for _, bits in self.pieces():
            there = bits[bits >> np.uint32(16) == high]
            counts += np.bincount(there & np.uint32(HALF - 1), minlength=HALF)
        return counts

    def _read(self, start: int) -> NDArray[np.float32]:
        return as_floats(self._scores[start : start + PIECE])

    def _marked(self, bits: Bits, start: int) -> Bits:
        if self._protected is not None:
            bits |= self._protected[start : start + PIECE].numpy().astype(np.uint32) * SINGLE.protected
        return bits


def _parts(source: _Source, most: int) -> Iterator[_Part]:
    """Cut the range of bits so that no part has more than ``most`` scores, unless they are all equal."""
    start = 0
    for first, last, count in _ranges(source.high, most):
        if count <= most:
            yield _Part(first << 16, (last << 16) + HALF - 1, start, count)
            start += count
            continue
        for lower, upper, fewer in _ranges(source.low(first), most):
            yield _Part((first << 16) + lower, (first << 16) + upper, start, fewer)
            start += fewer


def _ranges(counts: NDArray[np.int64], most: int) -> Iterator[tuple[int, int, int]]:
    """Neighbouring bins that hold ``most`` at most together, or one bin that alone holds more: first, last, count."""
    filled = np.flatnonzero(counts)
    ends = np.cumsum(counts[filled])
    begin, before = 0, 0
    while begin < len(filled):
        end = max(begin + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield int(filled[begin]), int(filled[end - 1]), int(ends[end - 1]) - before
        begin, before = end, int(ends[end - 1])


def _fill_sorted(source: _Source, part: _Part, ranks: NDArray[np.int32], ordered: Bits) -> None:
    keys, filled = np.empty(part.count, dtype=np.uint64), 0
    for start, bits in source.pieces():
        # Below the first wraps around to far above the last: one compare does for two
        places = np.flatnonzero(bits - np.uint32(part.first) <= np.uint32(part.last - part.first))
        own = keys[filled : filled + len(places)]
        own[:] = bits[places]
        own <<= _SHIFT
        own |= (places + start).astype(np.uint64)
        filled += len(places)
    keys.sort()
    for begin in range(0, part.count, PIECE):
        piece = keys[begin : begin + PIECE]
        first = part.start + begin
        ordered[first : first + len(piece)] = piece >> _SHIFT
        ranks[piece & _INDEX] = np.arange(first, first + len(piece), dtype=np.int32)


def _fill_ties(source: _Source, part: _Part, ranks: NDArray[np.int32], ordered: Bits) -> None:
    """Equal scores stand in flat-index order already."""
    ordered[part.start : part.start + part.count] = part.first
    rank = part.start
    for start, bits in source.pieces():
        places = np.flatnonzero(bits == np.uint32(part.first))
        ranks[places + start] = np.arange(rank, rank + len(places), dtype=np.int32)
        rank += len(places)
