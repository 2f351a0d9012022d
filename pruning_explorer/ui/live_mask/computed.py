"""Numbers of a layer that is too large for a copy of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pruning_explorer.ui.live_mask.layout import Array


@dataclass(frozen=True, eq=False)
class Computed:
    """One number per weight, flat, computed where it is looked at; takes the place of an array.

    Attributes:
        size: how many there are.
        read: a slice, or flat indices, to the numbers there.
    """

    size: int
    read: Callable[[slice | Array], Array]

    def __getitem__(self, at: slice | Array) -> Array:
        return self.read(at)


Flat = Array | Computed
"""Numbers in flat order: an array, or values computed piece by piece."""


def flat_ranks(values: Flat) -> Flat:
    """Ranks in flat order, uint32; which of int32 costs no copy."""
    if isinstance(values, Computed):
        return values
    if values.dtype == np.int32:
        values = values.view(np.uint32)
    return np.ascontiguousarray(values, dtype=np.uint32).reshape(-1)


def flat_floats(values: Flat) -> Flat:
    """Scores or weights in flat order: float64 as it is, all else as float32."""
    if isinstance(values, Computed):
        return values
    dtype = np.float64 if values.dtype == np.float64 else np.float32
    return np.ascontiguousarray(values, dtype=dtype).reshape(-1)
