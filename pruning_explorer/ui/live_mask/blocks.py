"""Large layers as densities on a coarse grid of blocks; everything in pieces that stay in the processor's cache."""

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from pruning_explorer.ui.live_mask.computed import Flat
from pruning_explorer.ui.live_mask.layout import Array, Layout, to_picture

MAX_BLOCKS = 256
NEVER = 65535
PIECE = 1 << 16
_BUCKETS = 1 << 16
_UNSURE = 255


def block_edges(length: int) -> Array:
    """Where blocks begin along one side, with the end: at most 256 blocks, equal to within one cell."""
    count = min(MAX_BLOCKS, length)
    return np.arange(count + 1) * length // count


def pieces(length: int) -> Iterator[slice]:
    """Cut a long array into pieces."""
    for start in range(0, length, PIECE):
        yield slice(start, min(length, start + PIECE))


class Steps:
    """At which of a few rising cuts does a rank go? One look-up in a small table, exact.

    A table over all ranks of a large layer misses the cache at every look-up; one over buckets of ranks does not, and
    only the few buckets that a cut divides need a second look.

    Args:
        removed_at: ranks removed at each step, never falling, at most 250 of them.
        groups: how many ranks there are.
    """

    def __init__(self, removed_at: Array, groups: int) -> None:
        self.count = len(removed_at)
        self._removed = removed_at.astype(np.int64)
        self._shift = max(0, int(groups - 1).bit_length() - int(_BUCKETS - 1).bit_length())
        starts = np.arange(((groups - 1) >> self._shift) + 1, dtype=np.int64) << self._shift
        first = np.searchsorted(self._removed, starts, side="right")
        last = np.searchsorted(self._removed, starts + (1 << self._shift) - 1, side="right")
        self._table = np.where(first == last, first, _UNSURE).astype(np.uint8)

    def __call__(self, ranks: Array) -> Array:
        """First step at which each rank is gone, ``count`` if none; uint8 like ``ranks``."""
        steps: Array = self._table.take(ranks >> np.uint32(self._shift))
        unsure = np.flatnonzero(steps == _UNSURE)
        steps[unsure] = np.searchsorted(self._removed, ranks[unsure], side="right")
        return steps


def block_sections(
    layout: Layout, weights: Flat, ranks: Flat, groups: int, cuts: Array, reached: Array
) -> dict[str, Array]:
    """Mean magnitude, removed fraction at each cut and median exit amount of every block.

    Args:
        cuts: ranks removed, [S], never falling.
        reached: tenths of a percent at which each cut is reached, [S].

    Returns:
        ``block_means`` [R * C] in the floats of the weights, ``block_gone`` uint8 [S * R * C] (255 = all gone) and
        ``block_exits`` uint16 [R * C] in tenths of a percent (65535 = never).
    """
    count = len(cuts)
    steps = Steps(cuts, groups)
    picture_ranks, picture_weights = _picture(ranks, layout), _picture(weights, layout)
    row_edges, col_edges = block_edges(layout.rows), block_edges(layout.cols)
    block_rows, block_cols = len(row_edges) - 1, len(col_edges) - 1
    slot = np.repeat(np.arange(block_cols) * (count + 1), np.diff(col_edges))
    means = np.zeros((block_rows, block_cols), picture_weights[:1].dtype)
    gone = np.zeros((count, block_rows, block_cols), np.uint8)
    exits = np.zeros((block_rows, block_cols), np.uint16)
    for block in range(block_rows):
        counts, sums = np.zeros(block_cols * (count + 1), np.int64), np.zeros(block_cols)
        for row in range(row_edges[block], row_edges[block + 1], max(1, PIECE // layout.cols)):
            rows = min(max(1, PIECE // layout.cols), row_edges[block + 1] - row)
            part = slice(row * layout.cols, min((row + rows) * layout.cols, layout.numel))
            # a strip's last row may be short
            slots = np.tile(slot, rows)[: part.stop - part.start]
            slots += steps(picture_ranks[part])
            counts += np.bincount(slots, minlength=counts.size)
            magnitudes = np.abs(picture_weights[part])
            magnitudes.resize(rows * layout.cols, refcheck=False)
            line = magnitudes.reshape(rows, layout.cols).sum(axis=0, dtype=np.float64)
            sums += np.add.reduceat(line, col_edges[:-1])
        table = counts.reshape(block_cols, count + 1)
        cells = np.maximum(table.sum(axis=1), 1)
        fractions = np.cumsum(table[:, :count], axis=1) / cells[:, None]
        means[block] = sums / cells
        gone[:, block] = np.rint(fractions * 255).T
        median = reached[np.argmax(fractions >= 0.5, axis=1)]
        exits[block] = np.where(fractions[:, -1] >= 0.5, median, NEVER)
    return {"block_means": means.reshape(-1), "block_gone": gone.reshape(-1), "block_exits": exits.reshape(-1)}


def _picture(values: Flat, layout: Layout) -> Flat:
    """As :func:`to_picture`; only a mosaic has to be read as a whole."""
    return values if layout.kind != "mosaic" else to_picture(values[:], layout)


def removed_by_channel(shape: tuple[int, ...], channel_dim: int, ranks: Flat, groups: int, cuts: Array) -> Array:
    """Removed fraction of each channel at each cut, uint8 [S * B], 255 = all gone; neighbours share 256 bars."""
    steps = Steps(cuts, groups)
    each = steps.count + 1
    edges = block_edges(shape[channel_dim])
    bars = len(edges) - 1
    size = prod(shape[channel_dim + 1 :])
    table = np.zeros((bars, each), np.int64)
    if channel_dim == 0:
        for bar in range(bars):
            for start in range(edges[bar] * size, edges[bar + 1] * size, PIECE):
                part = slice(start, min(start + PIECE, edges[bar + 1] * size))
                table[bar] += np.bincount(steps(ranks[part]), minlength=each)
    else:
        slot = np.repeat(np.arange(bars) * each, np.diff(edges) * size)
        height = max(1, PIECE // slot.size)
        for row in range(0, shape[0], height):
            part = slice(row * slot.size, min(row + height, shape[0]) * slot.size)
            places = steps(ranks[part]).reshape(-1, slot.size) + slot
            table += np.bincount(places.reshape(-1), minlength=table.size).reshape(bars, each)
    fractions = np.cumsum(table[:, : steps.count], axis=1) / table.sum(axis=1, keepdims=True)
    gone: Array = np.rint(fractions * 255).astype(np.uint8).T.reshape(-1)
    return gone


def removed_by_bin(
    scores: Flat, bin_of: Callable[[Array], Array], count: int, ranks: Flat, groups: int, cuts: Array
) -> Array:
    """Weights removed per bin of a histogram at each cut, [S * B]: where low scores do not simply go first."""
    steps = Steps(cuts, groups)
    table = np.zeros((steps.count + 1) * count, np.int64)
    for piece in pieces(ranks.size):
        places = steps(ranks[piece]).astype(np.int64) * count + bin_of(scores[piece])
        table += np.bincount(places, minlength=table.size)
    return np.cumsum(table.reshape(-1, count)[: steps.count], axis=0).astype(np.uint32).reshape(-1)


def scores_of_ranks(scores: Flat, ranks: Flat, groups: int, wanted: Array) -> Array:
    """Score of the group with each wanted rank, NaN from ``groups`` on, without a table over all ranks."""
    floats = scores[:1].dtype
    found = np.full(groups + 1 if groups <= _BUCKETS else len(wanted), np.nan, floats)
    if groups <= _BUCKETS:
        for piece in pieces(ranks.size):
            found[ranks[piece]] = scores[piece]
        return found[np.minimum(wanted, groups)]
    asked = np.unique(wanted[wanted < groups]).astype(np.int64)
    if not asked.size:
        return found
    shift = int(groups - 1).bit_length() - int(_BUCKETS - 1).bit_length()
    bucket = np.zeros(((groups - 1) >> shift) + 1, np.bool_)
    bucket[asked >> shift] = True
    values = np.full(len(asked), np.nan, floats)
    for piece in pieces(ranks.size):
        part = ranks[piece]
        near = np.flatnonzero(bucket.take(part >> np.uint32(shift)))
        place = np.minimum(np.searchsorted(asked, part[near]), len(asked) - 1)
        hit = asked[place] == part[near]
        values[place[hit]] = scores[piece][near[hit]]
    inside = wanted < groups
    found[inside] = values[np.searchsorted(asked, wanted[inside])]
    return found
