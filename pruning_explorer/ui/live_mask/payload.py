"""What the browser needs to redraw one layer by itself at any amount, as bytes.

A ranking is nested: whatever goes at one amount is gone at every larger one. So one rank per weight and one table
"how many ranks are gone at each slider position" hold every mask of the layer; the browser compares the two. A rank is
a group's own; where rows compete within themselves it is the place within the row, and each row has one of each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pruning_explorer.errors import MaskError, ScoreError
from pruning_explorer.ui.browser.message import pack_arrays
from pruning_explorer.ui.live_mask.blocks import (
    PIECE,
    block_sections,
    pieces,
    removed_by_bin,
    removed_by_channel,
    scores_of_ranks,
)
from pruning_explorer.ui.live_mask.computed import Flat, flat_floats, flat_ranks
from pruning_explorer.ui.live_mask.layout import Array, Layout, flat_index, picture_layout, to_picture

POSITIONS = 1001  # slider positions: 0.0 %, 0.1 % ... 100.0 %
MAX_CELLS = 2**20
MAX_WINDOW = 512
MAX_BINS = 128
TABLE_STEPS = 51  # cuts at most, where a table over all positions would be too large
CLIP_QUANTILE = 0.995
SAMPLE = 2**16


def exit_amounts(ranks: Array, removed_at: Array) -> Array:
    """The amount, in percent, at which each weight goes.

    Args:
        ranks: exit rank of each weight's group, any shape; 0 goes first.
        removed_at: groups removed at 0.0 %, 0.1 % ... 100.0 %, [1001], never falling.

    Returns:
        float64 like ``ranks``; NaN where a weight never goes.

    >>> table = np.minimum(np.arange(1001) // 500, 1)
    >>> exit_amounts(np.array([0, 1]), table).tolist()
    [50.0, nan]
    """
    first = np.searchsorted(removed_at, ranks, side="right")
    return np.where(first < len(removed_at), first / 10, np.nan)


def build_payload(
    *,
    key: str,
    title: str,
    scores: Flat,
    weights: Flat,
    ranks: Flat,
    removed_at: Array,
    shape: tuple[int, ...],
    granularity_note: str,
    channel_dim: int = 0,
    rank_scores: Flat | None = None,
) -> bytes:
    """Pack one layer for :func:`live_mask`.

    Up to 1024 x 1024 weights travel one by one; a larger layer travels as densities on at most 256 x 256 blocks, and
    :func:`build_window` adds single weights where a person zooms in.

    Args:
        key: identity of the content (layer and ranking).
        title: the target's name, as it is shown.
        scores: importance per weight, flat, finite.
        weights: the dense values, flat.
        ranks: exit rank of each weight's group, flat, 0 goes first; weights may share one, and each rank below the
            largest is somebody's.
        removed_at: ranks removed at 0.0 %, 0.1 % ... 100.0 %, [1001], never falling.
        shape: of the target.
        granularity_note: which weights go together, one short sentence.
        channel_dim: the dim whose slices the bars count, 0 or 1.
        rank_scores: the score of each rank's group, where it has one; it spares looking through all weights for it.

    Raises:
        MaskError: sizes do not fit together, or the table falls.
        ScoreError: a score is not finite.
    """
    layout = picture_layout(shape)
    scores, weights = flat_floats(scores), flat_floats(weights)
    ranks, removed_at = flat_ranks(ranks), np.ascontiguousarray(removed_at, dtype=np.uint32).reshape(-1)
    _check(title, layout, scores, weights, ranks, removed_at)
    groups = 1 + max(int(ranks[piece].max()) for piece in pieces(layout.numel))
    # Where each weight has a rank of its own, these are the very scores, and lie in order
    in_any_order = rank_scores if rank_scores is not None and groups == layout.numel else scores
    channel_dim = channel_dim if len(shape) > 1 and channel_dim == 1 else 0
    cells = layout.numel <= MAX_CELLS
    cuts = table_cuts(removed_at)
    monotone = _monotone(scores, ranks)
    low, high = _range(title, in_any_order)
    end, tail = _end_of_scale(scores, high, low) if high > low else (0.0, False)
    bin_of, bins = _binning(layout.numel, low, end)
    arrays: dict[str, Array] = {
        "removed_at": removed_at,
        "kept_at": _kept_at(ranks, groups, removed_at),
        "cut_score": _cut_scores(scores, rank_scores, ranks, groups, removed_at),
        "histogram": _histogram(in_any_order, bin_of, bins),
        "cuts": cuts,
    }
    if not monotone:
        arrays["histogram_removed"] = removed_by_bin(scores, bin_of, bins, ranks, groups, cuts)
    if cells:
        arrays |= _cells(layout, scores[:], weights[:], ranks[:], groups)
        scale, clipped = _end_of_scale(magnitudes := np.abs(weights[:]), float(magnitudes.max()))
    else:
        arrays |= block_sections(layout, weights, ranks, groups, cuts, np.searchsorted(removed_at, cuts))
        arrays["channel_gone"] = removed_by_channel(shape, channel_dim, ranks, groups, cuts)
        scale, clipped = _end_of_scale(arrays["block_means"], float(arrays["block_means"].max()))
    header: dict[str, Any] = {
        "mode": "cells" if cells else "blocks",
        "key": key,
        "title": title,
        "note": granularity_note,
        "shape": list(shape),
        "kind": layout.kind,
        "rows": layout.rows,
        "cols": layout.cols,
        "tile": [layout.tile_rows, layout.tile_cols],
        "across": layout.across,
        "numel": layout.numel,
        "groups": groups,
        "scale": scale,
        "clipped": clipped,
        "score_range": [low, low + end],
        "tail": tail,
        "monotone": monotone,
        "channel_dim": channel_dim,
        "max_window": MAX_WINDOW,
    }
    return pack_arrays(header, arrays)


def build_window(
    *,
    key: str,
    scores: Flat,
    weights: Flat,
    ranks: Flat,
    shape: tuple[int, ...],
    window: tuple[int, int, int, int],
) -> bytes:
    """Pack single weights of a part of a large layer.

    Args:
        key: the ``key`` of the payload that this belongs to.
        scores, weights, ranks, shape: as for :func:`build_payload`.
        window: ``(row, col, rows, cols)`` in cells of the picture; cut to the picture and to 512 x 512.
    """
    layout = picture_layout(shape)
    row, col, rows, cols = window
    row, col = min(max(row, 0), layout.rows - 1), min(max(col, 0), layout.cols - 1)
    rows = max(1, min(rows, MAX_WINDOW, layout.rows - row))
    cols = max(1, min(cols, MAX_WINDOW, layout.cols - col))
    index = flat_index(layout, np.arange(row, row + rows)[:, None], np.arange(col, col + cols)[None, :]).reshape(-1)
    inside = index < layout.numel
    index = np.where(inside, index, 0)
    part = flat_floats(weights)[index]
    arrays = {
        "weights": part,
        "ranks": flat_ranks(ranks)[index],
        "scores": flat_floats(scores)[index],
        "inside": inside.astype(np.uint8),
    }
    scale, clipped = _end_of_scale(magnitudes := np.abs(part), float(magnitudes.max()))
    header = {
        "mode": "window",
        "key": key,
        "row": row,
        "col": col,
        "rows": rows,
        "cols": cols,
        "scale": scale,
        "clipped": clipped,
    }
    return pack_arrays(header, arrays)


def table_cuts(removed_at: Array) -> Array:
    """The cuts at which tables are made: every one there is, or every 2 % where those are too many.

    >>> table_cuts(np.arange(1001) // 300).tolist()
    [0, 1, 2, 3]
    """
    every = np.unique(removed_at)
    return every if every.size <= TABLE_STEPS else np.unique(removed_at[:: (POSITIONS - 1) // (TABLE_STEPS - 1)])


def _check(title: str, layout: Layout, scores: Flat, weights: Flat, ranks: Flat, removed_at: Array) -> None:
    n = layout.numel
    if n == 0:
        raise MaskError(f"{title} has no weights (shape {list(layout.shape)}); choose another layer.")
    sizes = {"scores": scores.size, "weights": weights.size, "ranks": ranks.size}
    if wrong := [f"{name} ({size:,})" for name, size in sizes.items() if size != n]:
        raise MaskError(f"{title} has {n:,} weights (shape {list(layout.shape)}), but not as many {', '.join(wrong)}.")
    if removed_at.size != POSITIONS:
        raise MaskError(f"{title}: removed_at has {removed_at.size} entries, not one for each of {POSITIONS} amounts.")
    if np.any(removed_at[1:] < removed_at[:-1]):
        raise MaskError(f"{title}: removed_at falls somewhere; a larger amount must never bring weights back.")


def _range(title: str, scores: Flat) -> tuple[float, float]:
    """The lowest and the highest score."""
    low, high = np.inf, -np.inf
    for piece in pieces(scores.size):
        part = scores[piece]
        if not np.isfinite(part).all():
            raise ScoreError(f"{title}: a score is not finite; such a layer cannot be ranked.")
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    return low, high


def _cells(layout: Layout, scores: Array, weights: Array, ranks: Array, groups: int) -> dict[str, Array]:
    """Every weight with its rank, and with its score where that is not its magnitude."""
    arrays = {"weights": to_picture(weights, layout), "ranks": to_picture(ranks, layout)}
    if not np.array_equal(scores, np.abs(weights)):
        by_rank = np.zeros(groups, scores.dtype)
        by_rank[ranks] = scores
        if np.array_equal(by_rank[ranks], scores):
            arrays["rank_scores"] = by_rank
        else:
            arrays["scores"] = to_picture(scores, layout)
    return arrays


def _kept_at(ranks: Flat, groups: int, removed_at: Array) -> Array:
    """Weights (not groups) kept at every slider position, [1001], exact."""
    if groups == ranks.size:  # every weight its own group
        return (groups - np.minimum(removed_at, groups)).astype(np.uint32)
    of_each = np.zeros(groups, np.int64)
    step = max(PIECE, groups)  # each piece costs a table of all groups
    for start in range(0, ranks.size, step):
        of_each += np.bincount(ranks[start : start + step], minlength=groups)
    gone = np.concatenate([[0], np.cumsum(of_each)])
    return (ranks.size - gone[np.minimum(removed_at, groups)]).astype(np.uint32)


def _cut_scores(scores: Flat, rank_scores: Flat | None, ranks: Flat, groups: int, removed_at: Array) -> Array:
    """The first score that stays at every slider position, [1001]; NaN where none does."""
    if rank_scores is None:
        return scores_of_ranks(scores, ranks, groups, removed_at)
    stays: Array = rank_scores[np.minimum(removed_at, groups - 1)]
    stays[removed_at >= groups] = np.nan
    return stays


def _monotone(scores: Flat, ranks: Flat) -> bool:
    """Whether lower scores always go first, equal ranks at equal scores; of a large layer a regular sample decides."""
    sample = slice(None, None, max(1, scores.size // SAMPLE))
    some_ranks, some_scores = ranks[sample], scores[sample]
    order = np.argsort(some_ranks, kind="stable")
    rises, passes = np.diff(some_scores[order]), np.diff(some_ranks[order])
    return bool(np.all((rises == 0) | ((rises > 0) & (passes > 0))))


def _binning(numel: int, low: float, end: float) -> tuple[Callable[[Array], Array], int]:
    """From scores to bins of a histogram that begins at ``low`` and is ``end`` wide, and how many bins there are."""
    if not end:
        return lambda scores: np.zeros(scores.size, np.uint8), 1
    count = int(min(MAX_BINS, max(12, 2 * numel**0.5)))

    def bin_of(scores: Array) -> Array:
        floats = scores.dtype.type
        places = (scores - floats(low)) * floats(count / end)
        bins: Array = np.minimum(places, floats(count - 1)).astype(np.uint8)
        return bins

    return bin_of, count


def _histogram(scores: Flat, bin_of: Callable[[Array], Array], bins: int) -> Array:
    """Counts per bin [B], the scores in any order."""
    counts = np.zeros(bins, np.int64)
    for piece in pieces(scores.size):
        counts += np.bincount(bin_of(scores[piece]), minlength=bins)
    return counts.astype(np.uint32)


def _end_of_scale(values: Flat, highest: float, start: float = 0.0) -> tuple[float, bool]:
    """How far the scale goes: to the largest value, or to the 99.5 % quantile where a few would press all together."""
    largest = highest - start
    if values.size >= 1000:
        # the order of a regular sample is enough for the end of a scale
        quantile = float(np.quantile(values[:: max(1, values.size // SAMPLE)], CLIP_QUANTILE)) - start
        if 0 < quantile < 0.8 * largest:
            return quantile, True
    return largest or 1.0, False
