"""Where each weight of a tensor lies in the picture of it."""

from dataclasses import dataclass
from math import ceil, prod, sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
STRIP_COLS = 32


@dataclass(frozen=True)
class Layout:
    """A tensor as a picture of single cells.

    Attributes:
        kind: ``"matrix"`` (rows as they are), ``"mosaic"`` (a convolution: one row of filters per output, one column
            per input, each a small tile) or ``"strip"`` (one dimension, wrapped; the last row may be short).
        rows, cols: size of the picture in cells.
        tile_rows, tile_cols: size of one filter, 1 x 1 where there is none.
        shape: of the tensor.
    """

    kind: Literal["matrix", "mosaic", "strip"]
    rows: int
    cols: int
    tile_rows: int
    tile_cols: int
    shape: tuple[int, ...]

    @property
    def numel(self) -> int:
        return prod(self.shape)


def picture_layout(shape: tuple[int, ...]) -> Layout:
    """Choose the picture of a tensor from its shape.

    >>> picture_layout((16, 8, 3, 3)).rows, picture_layout((16, 8, 3, 3)).cols
    (48, 24)
    """
    if len(shape) <= 1:
        n = prod(shape)
        cols = n if n <= STRIP_COLS else max(STRIP_COLS, ceil(sqrt(n)))
        return Layout("strip", max(1, ceil(n / max(1, cols))), max(1, cols), 1, 1, shape)
    if len(shape) == 4:
        out, inputs, height, width = shape
        return Layout("mosaic", out * height, inputs * width, height, width, shape)
    return Layout("matrix", shape[0], prod(shape[1:]), 1, prod(shape[2:]), shape)


def flat_index(layout: Layout, row: Array, col: Array) -> Array:
    """Flat index in the tensor of the cell at ``(row, col)`` of the picture; broadcasts."""
    if layout.kind != "mosaic":
        return row * layout.cols + col
    out, y = np.divmod(row, layout.tile_rows)
    inputs, x = np.divmod(col, layout.tile_cols)
    return ((out * layout.shape[1] + inputs) * layout.tile_rows + y) * layout.tile_cols + x


def to_picture(flat: Array, layout: Layout) -> Array:
    """Bring values in flat order into the picture's reading order, 1-D; a copy only for mosaics."""
    if layout.kind != "mosaic":
        return flat.reshape(-1)
    return flat.reshape(layout.shape).transpose(0, 2, 1, 3).reshape(-1)
