"""Large layers as densities on a coarse grid of blocks."""

import numpy as np

from pruning_explorer.ui.live_mask.layout import Array, Layout, to_picture

MAX_BLOCKS = 256
NEVER = 65535


def block_edges(length: int) -> Array:
    """Where blocks begin along one side, with the end: at most 256 blocks, equal to within one cell."""
    count = min(MAX_BLOCKS, length)
    return np.arange(count + 1) * length // count


def block_sections(layout: Layout, weights: Array, ranks: Array, groups: int, removed_at: Array) -> dict[str, Array]:
    """Mean magnitude, removed fraction at each amount and median exit amount of every block.

    Args:
        removed_at: groups removed at equidistant amounts from 0 to 100 %, [S].

    Returns:
        ``block_means`` float32 [R * C], ``block_gone`` uint8 [S * R * C] (255 = all gone) and ``block_exits``
        uint16 [R * C] in tenths of a percent (65535 = never).
    """
    steps = len(removed_at)
    # the step at which each rank goes; `steps` for those that never do
    borders = np.concatenate([[0], np.minimum(removed_at, groups).astype(np.int64), [groups]])
    step_of_rank = np.repeat(np.arange(steps + 1, dtype=np.uint8), np.diff(borders))
    picture_steps = to_picture(step_of_rank[ranks], layout)
    picture_weights = to_picture(weights, layout)

    row_edges, col_edges = block_edges(layout.rows), block_edges(layout.cols)
    block_rows, block_cols = len(row_edges) - 1, len(col_edges) - 1
    slot = np.repeat(np.arange(block_cols) * (steps + 1), np.diff(col_edges))
    counts = np.zeros((block_rows, block_cols, steps + 1), np.int64)
    sums = np.zeros((block_rows, block_cols), np.float64)
    for block in range(block_rows):
        begin = row_edges[block] * layout.cols
        end = min(row_edges[block + 1] * layout.cols, layout.numel)
        part = picture_steps[begin:end]
        slots = np.resize(slot, part.size)
        counts[block] = np.bincount(slots + part, minlength=counts[block].size).reshape(block_cols, steps + 1)
        magnitude = np.abs(picture_weights[begin:end])
        whole = magnitude.size // layout.cols * layout.cols
        line = magnitude[:whole].reshape(-1, layout.cols).sum(axis=0, dtype=np.float32)
        line[: magnitude.size - whole] += magnitude[whole:]  # a strip's last row may be short
        sums[block] = np.add.reduceat(line, col_edges[:-1])

    cells = np.maximum(counts.sum(axis=2), 1)
    gone = np.cumsum(counts[:, :, :steps], axis=2)
    fractions = gone / cells[:, :, None]
    median = np.argmax(fractions >= 0.5, axis=2) * (1000 // (steps - 1))
    exits = np.where(fractions[:, :, -1] >= 0.5, median, NEVER)
    return {
        "block_means": (sums / cells).astype(np.float32).reshape(-1),
        "block_gone": np.rint(fractions * 255).astype(np.uint8).transpose(2, 0, 1).reshape(-1),
        "block_exits": exits.astype(np.uint16).reshape(-1),
    }
