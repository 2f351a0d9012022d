"""What the browser needs to show every chosen layer at any amount by itself, as bytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.figures.short_names import short_layers
from pruning_explorer.measure.cost import dense_cost
from pruning_explorer.measure.counts import counts_at
from pruning_explorer.prune.engine import Ranked
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.browser.message import pack_arrays
from pruning_explorer.ui.live_mask.layout import flat_index, picture_layout
from pruning_explorer.ui.live_mask.payload import POSITIONS

SIDE = 20
"""Most blocks of a small picture along each side."""

STOPS = 21
"""Amounts at which the density of each block is known: every 5 %; between them it is on the line."""

SAMPLE = 1 << 18
"""Weights of a layer from which its small picture is made; of a larger one, of regular rows and columns."""

NEVER = POSITIONS
"""Position at which a weight goes that never goes."""

Array = NDArray[Any]


def build_counts(subject: Subject, ranked: Ranked, removed: NDArray[np.int64], of: str) -> bytes:
    """Pack the kept weights of each layer at 0.0 %, 0.1 % ... 100.0 %.

    The header says of each layer its name, a label, weights and multiply-adds (None where they are not known), of the
    network ``macs_dense`` and what is ``uncounted``, whether the counts are ``exact`` at every amount, and ``of``. The
    arrays ``kept``, and ``nonzero_kept`` where it differs, are uint32 ``[T * 1001]``.

    Args:
        removed: from :meth:`~pruning_explorer.prune.competition.Competition.removed_at`, ``[1001, T]``.
        of: an id of network and recipe, without the amount.
    """
    counts = counts_at(subject, ranked, removed)
    names = [target.name for target in ranked.targets]
    cost = None if subject.samples is None else dense_cost(subject)
    header = {
        "of": of,
        "names": names,
        "labels": short_layers(names),
        "weights": [target.numel for target in ranked.targets],
        "macs": [None if cost is None or name in cost.uncounted else cost.by_target[name] for name in names],
        "macs_dense": None if cost is None else cost.macs,
        "uncounted": [] if cost is None else list(cost.uncounted),
        "exact": ranked.recipe.nested,
    }
    arrays = {"kept": counts.kept.T.astype(np.uint32)}
    if counts.nonzero_kept is not None:
        arrays["nonzero_kept"] = counts.nonzero_kept.T.astype(np.uint32)
    return pack_arrays(header, arrays)


def build_thumbnails(ranked: Ranked, removed: NDArray[np.int64]) -> bytes:
    """Pack a small picture of each layer's mask at every amount.

    A layer of at most 20 x 20 weights comes weight by weight: ``exits`` (uint16) is the position of the slider at which
    each goes. Another comes as ``gone`` (uint8, 255 = all): the removed fraction of each of its blocks at every 5 %.
    ``header["pictures"]`` says of each layer its ``rows`` and ``cols`` of blocks, where they begin in the array ``in``,
    and whether they are ``sampled``.

    Args:
        removed: from :meth:`~pruning_explorer.prune.competition.Competition.removed_at`, ``[1001, T]``.
    """
    parts: dict[str, list[Array]] = {"exits": [], "gone": []}
    lengths = dict.fromkeys(parts, 0)
    pictures = []
    for i in range(len(ranked.targets)):
        picture, name, values = _picture(ranked, i, removed[:, i])
        pictures.append({**picture, "in": name, "from": lengths[name]})
        parts[name].append(values)
        lengths[name] += values.size
    empty = {"exits": np.zeros(0, np.uint16), "gone": np.zeros(0, np.uint8)}
    arrays = {name: np.concatenate([empty[name], *each]) for name, each in parts.items()}
    return pack_arrays({"pictures": pictures, "stops": STOPS}, arrays)


def _picture(ranked: Ranked, index: int, removed: Array) -> tuple[dict[str, Any], str, Array]:
    """Size of one layer's picture, which array it belongs to, and what of it."""
    target, ranking = ranked.targets[index], ranked.rankings[index]
    layout = picture_layout(target.shape)
    rows, cols = _places(layout.rows, target.numel), _places(layout.cols, target.numel)
    flat = flat_index(layout, rows[:, None], cols[None, :])
    there = flat < layout.numel  # the last row of a strip may be short
    ranks = ranked.per_weight(index, ranking.ranks)[np.where(there, flat, 0)]
    high, wide = min(SIDE, layout.rows), min(SIDE, layout.cols)
    picture = {"rows": high, "cols": wide, "sampled": rows.size * cols.size < layout.rows * layout.cols}
    if layout.rows <= SIDE and layout.cols <= SIDE:
        exits = np.searchsorted(removed, ranks, side="right")
        return picture, "exits", np.where(there, exits, NEVER).astype(np.uint16).reshape(-1)
    stops = removed[:: (POSITIONS - 1) // (STOPS - 1)]
    lengths = np.diff(stops, prepend=0, append=ranking.groups)
    steps = np.repeat(np.arange(STOPS + 1, dtype=np.uint8), lengths)[ranks]  # a search for each weight takes far longer
    block = (rows * high // layout.rows)[:, None] * wide + (cols * wide // layout.cols)[None, :]
    slots = (block * (STOPS + 1) + steps)[there]
    table = np.bincount(slots, minlength=high * wide * (STOPS + 1)).reshape(-1, STOPS + 1)
    fractions = np.cumsum(table[:, :STOPS], axis=1) / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return picture, "gone", np.rint(fractions.T * 255).astype(np.uint8).reshape(-1)


def _places(length: int, numel: int) -> NDArray[np.int64]:
    """Rows or columns that are looked at: all, or of a large layer regular ones, some of each block."""
    stride = max(1, min(int(np.ceil(np.sqrt(numel / SAMPLE))), length // (4 * SIDE)))
    return np.arange(0, length, stride)
