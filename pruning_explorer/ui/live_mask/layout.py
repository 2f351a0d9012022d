"""Where each weight of a tensor lies in the picture of it."""

from dataclasses import dataclass
from math import ceil, prod, sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
STRIP_COLS = 32
TALL = 3  # a mosaic this many times as tall as wide is wrapped


@dataclass(frozen=True)
class Layout:
    """A tensor as a picture of single cells.

    Attributes:
        kind: ``"matrix"`` (rows as they are), ``"mosaic"`` (a convolution: its filters as small tiles, those of an
            output beside each other) or ``"strip"`` (one dimension, wrapped; the last row may be short).
        rows, cols: size of the picture in cells.
        tile_rows, tile_cols: size of one filter, 1 x 1 where there is none.
        shape: of the tensor.
        across: output channels side by side in a mosaic, a divisor of their number; 1 = one row of filters each.
    """

    kind: Literal["matrix", "mosaic", "strip"]
    rows: int
    cols: int
    tile_rows: int
    tile_cols: int
    shape: tuple[int, ...]
    across: int = 1

    @property
    def numel(self) -> int:
        return prod(self.shape)


def picture_layout(shape: tuple[int, ...]) -> Layout:
    """Choose the picture of a tensor from its shape.

    >>> picture_layout((16, 8, 3, 3)).rows, picture_layout((16, 8, 3, 3)).cols
    (48, 24)
    >>> picture_layout((16, 1, 3, 3)).rows, picture_layout((16, 1, 3, 3)).cols
    (12, 12)
    """
    if len(shape) <= 1:
        n = prod(shape)
        cols = n if n <= STRIP_COLS else max(STRIP_COLS, ceil(sqrt(n)))
        return Layout("strip", max(1, ceil(n / max(1, cols))), max(1, cols), 1, 1, shape)
    if len(shape) == 4:
        out, inputs, height, width = shape
        across = _outputs_across(out, out * height, inputs * width) if height * width > 1 else 1
        return Layout("mosaic", out // across * height, across * inputs * width, height, width, shape, across)
    return Layout("matrix", shape[0], prod(shape[1:]), 1, prod(shape[2:]), shape)


def _outputs_across(out: int, rows: int, cols: int) -> int:
    """How many outputs stand side by side, so that a tall mosaic becomes as square as divisors allow."""
    if not 0 < TALL * cols <= rows:
        return 1

    def oblong(across: int) -> float:
        sides = rows // across, cols * across
        return max(sides) / min(sides)

    return min((c for c in range(1, out + 1) if out % c == 0), key=oblong)


def flat_index(layout: Layout, row: Array, col: Array) -> Array:
    """Flat index in the tensor of the cell at ``(row, col)`` of the picture; broadcasts."""
    if layout.kind != "mosaic":
        return row * layout.cols + col
    inputs = layout.shape[1]
    band, y = np.divmod(row, layout.tile_rows)
    tile, x = np.divmod(col, layout.tile_cols)
    # tiles of a band follow each other as in the tensor: input after input, output after output
    return ((band * layout.across * inputs + tile) * layout.tile_rows + y) * layout.tile_cols + x


def to_picture(flat: Array, layout: Layout) -> Array:
    """Bring values in flat order into the picture's reading order, 1-D; a copy only for mosaics."""
    if layout.kind != "mosaic":
        return flat.reshape(-1)
    out, inputs, height, width = layout.shape
    bands = flat.reshape(out // layout.across, layout.across * inputs, height, width)
    return bands.transpose(0, 2, 1, 3).reshape(-1)
