"""What the browser needs to redraw one layer by itself at any amount, as bytes.

A ranking is nested: whatever goes at one amount is gone at every larger one. So one rank per weight and one table
"how many ranks are gone at each slider position" hold every mask of the layer; the browser compares the two. A rank is
a group's own; where rows compete within themselves it is the place within the row, and each row has one of each.
"""

from typing import Any

import numpy as np

from pruning_explorer.errors import MaskError, ScoreError
from pruning_explorer.ui.live_mask.blocks import (
    block_sections,
    pieces,
    removed_by_bin,
    removed_by_channel,
    scores_of_ranks,
)
from pruning_explorer.ui.live_mask.layout import Array, Layout, flat_index, picture_layout, to_picture
from pruning_explorer.ui.live_mask.parcel import pack_arrays

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
    scores: Array,
    weights: Array,
    ranks: Array,
    removed_at: Array,
    shape: tuple[int, ...],
    granularity_note: str,
    channel_dim: int = 0,
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

    Raises:
        MaskError: sizes do not fit together, or the table falls.
        ScoreError: a score is not finite.
    """
    layout = picture_layout(shape)
    scores, weights = _flat(scores, np.float32), _flat(weights, np.float32)
    ranks, removed_at = _flat(ranks, np.uint32), _flat(removed_at, np.uint32)
    _check(title, layout, scores, weights, ranks, removed_at)
    groups = int(ranks.max()) + 1
    channel_dim = channel_dim if len(shape) > 1 and channel_dim == 1 else 0
    cells = layout.numel <= MAX_CELLS
    cuts = table_cuts(removed_at)
    monotone = _monotone(scores, ranks)
    histogram, bins, score_range, tail = _histogram(scores)
    arrays: dict[str, Array] = {
        "removed_at": removed_at,
        "kept_at": _kept_at(ranks, groups, removed_at),
        "cut_score": scores_of_ranks(scores, ranks, groups, removed_at),
        "histogram": histogram,
        "cuts": cuts,
    }
    if not monotone:
        arrays["histogram_removed"] = removed_by_bin(bins, len(histogram), ranks, groups, cuts)
    if cells:
        magnitudes = np.abs(weights)
        arrays["weights"] = to_picture(weights, layout)
        arrays["ranks"] = to_picture(ranks, layout)
        if not np.array_equal(scores, magnitudes):
            by_rank = np.zeros(groups, np.float32)
            by_rank[ranks] = scores
            if np.array_equal(by_rank[ranks], scores):
                arrays["rank_scores"] = by_rank
            else:
                arrays["scores"] = to_picture(scores, layout)
        scale, clipped = _end_of_scale(magnitudes)
    else:
        arrays |= block_sections(layout, weights, ranks, groups, cuts, np.searchsorted(removed_at, cuts))
        arrays["channel_gone"] = removed_by_channel(shape, channel_dim, ranks, groups, cuts)
        scale, clipped = _end_of_scale(arrays["block_means"])
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
        "score_range": score_range,
        "tail": tail,
        "monotone": monotone,
        "channel_dim": channel_dim,
        "max_window": MAX_WINDOW,
    }
    return pack_arrays(header, arrays)


def build_window(
    *,
    key: str,
    scores: Array,
    weights: Array,
    ranks: Array,
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
    part = _flat(weights, np.float32)[index]
    arrays = {
        "weights": part,
        "ranks": _flat(ranks, np.uint32)[index],
        "scores": _flat(scores, np.float32)[index],
        "inside": inside.astype(np.uint8),
    }
    scale, clipped = _end_of_scale(np.abs(part))
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


def _flat(values: Array, dtype: type[np.generic]) -> Array:
    return np.ascontiguousarray(values, dtype=dtype).reshape(-1)


def _check(title: str, layout: Layout, scores: Array, weights: Array, ranks: Array, removed_at: Array) -> None:
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
    if not np.isfinite(scores).all():
        raise ScoreError(f"{title}: a score is not finite; such a layer cannot be ranked.")


def _kept_at(ranks: Array, groups: int, removed_at: Array) -> Array:
    """Weights (not groups) kept at every slider position, [1001], exact."""
    if groups == ranks.size:  # every weight its own group
        return (groups - np.minimum(removed_at, groups)).astype(np.uint32)
    gone = np.concatenate([[0], np.cumsum(np.bincount(ranks, minlength=groups))])
    return (ranks.size - gone[np.minimum(removed_at, groups)]).astype(np.uint32)


def _monotone(scores: Array, ranks: Array) -> bool:
    """Whether lower scores always go first, equal ranks at equal scores; of a large layer a regular sample decides."""
    step = max(1, scores.size // SAMPLE)
    order = np.argsort(ranks[::step], kind="stable")
    rises, passes = np.diff(scores[::step][order]), np.diff(ranks[::step][order])
    return bool(np.all((rises == 0) | ((rises > 0) & (passes > 0))))


def _histogram(scores: Array) -> tuple[Array, Array, list[float], bool]:
    """Counts per bin [B], the bin of each weight, the range, and whether the last bin holds a long tail as well."""
    low, high = float(scores.min()), float(scores.max())
    count = int(min(MAX_BINS, max(12, 2 * scores.size**0.5)))
    bins = np.zeros(scores.size, np.uint8)
    if high <= low:
        return np.array([scores.size], np.uint32), bins, [low, high], False
    end, tail = _end_of_scale(scores, low)
    high = low + end
    counts = np.zeros(count, np.int64)
    for piece in pieces(scores.size):
        places = (scores[piece] - np.float32(low)) * np.float32(count / end)
        bins[piece] = np.minimum(places, np.float32(count - 1))
        counts += np.bincount(bins[piece], minlength=count)
    return counts.astype(np.uint32), bins, [low, high], tail


def _end_of_scale(values: Array, start: float = 0.0) -> tuple[float, bool]:
    """How far the scale goes: to the largest value, or to the 99.5 % quantile where a few would press all together."""
    largest = float(values.max()) - start
    if values.size >= 1000:
        # the order of a regular sample is enough for the end of a scale
        quantile = float(np.quantile(values[:: max(1, values.size // SAMPLE)], CLIP_QUANTILE)) - start
        if 0 < quantile < 0.8 * largest:
            return quantile, True
    return largest or 1.0, False
