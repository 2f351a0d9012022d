"""What goes into a network, small, and what the dense one answers, as bytes for the browser."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.ui.browser.message import pack_arrays

MOST = 2048
"""Most samples of which anything is sent."""
SIDES = (48, 32)
"""Most pixels of a picture along each side; the smaller, where all pictures would need too many bytes in the larger."""
PIXELS = 300_000
"""Most pixels of all pictures together; what does not fit is shown without."""


def build_inputs(
    subject: str,
    dense: Sequence[str],
    true: Sequence[str] | None,
    inputs: Sequence[str] | NDArray[Any] | None,
) -> bytes:
    """Pack the first samples of a network.

    The header has ``subject``, ``dense``, ``true``, ``inputs`` (texts, or None), ``rows``, ``cols`` and how many
    ``pictures`` there are; the array ``pixels`` is uint8 ``[pictures * rows * cols]``, 0 is black.

    Args:
        subject: id of the network.
        dense: what the dense network answers to each of the N samples.
        true: the right answers, where they are known.
        inputs: N texts, or pictures ``[N, H, W]`` in [0, 1]; None where nothing shows an input.
    """
    pictures = np.zeros((0, 0, 0), np.uint8)
    texts: list[str] | None = None
    if isinstance(inputs, np.ndarray):
        pictures = _small(inputs[:MOST])
    elif inputs is not None:
        texts = list(inputs[:MOST])
    header = {
        "subject": subject,
        "dense": list(dense[:MOST]),
        "true": None if true is None else list(true[:MOST]),
        "inputs": texts,
        "pictures": len(pictures),
        "rows": pictures.shape[1],
        "cols": pictures.shape[2],
    }
    return pack_arrays(header, {"pixels": pictures.reshape(-1)})


def _small(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    """Pictures as bytes, each pixel of a large one the mean of a block."""
    for side in SIDES:
        step = max(1, ceil(max(pictures.shape[1:]) / side))
        rows, cols = (-(-length // step) for length in pictures.shape[1:])
        fitting = PIXELS // (rows * cols)
        if fitting >= len(pictures):
            break
    pictures = np.nan_to_num(np.clip(pictures[:fitting], 0, 1).astype(np.float32))
    for axis in (1, 2):
        starts = np.arange(0, pictures.shape[axis], step)
        widths = np.diff(np.append(starts, pictures.shape[axis]))
        shape = [1, 1, 1]
        shape[axis] = -1
        pictures = np.add.reduceat(pictures, starts, axis=axis) / widths.reshape(shape)
    return np.rint(pictures * 255).astype(np.uint8)
