"""Tensors that are made of what a file holds: they lie in a temporary file without a name, and take no memory alone."""

import os
import tempfile
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError

_ALIGNED = 64
_CHUNK = 1 << 22
"""Elements that are worked on at once."""


def aligned(nbytes: int) -> int:
    """Bytes that so many take here."""
    return -(-nbytes // _ALIGNED) * _ALIGNED


def rows_at_once(shape: Sequence[int]) -> int:
    """How many rows of a tensor are worked on at once, at least one."""
    return max(_CHUNK // max(int(np.prod(shape[1:], dtype=np.int64)), 1), 1)


class MadeTensors:
    """Room for tensors, handed out piece by piece.

    Args:
        nbytes: of all of them, each :func:`aligned`.
        label: what to call the file that they are made of.
        what: they are, in a few words: ``"weights under their masks"``.

    Raises:
        SubjectError: the disk has no room for them.
    """

    def __init__(self, nbytes: int, label: str, what: str) -> None:
        self._free = 0
        if not nbytes:
            return
        try:
            with tempfile.TemporaryFile() as file:
                # A mapped page that finds no room on the disk would end the process
                _reserve(file.fileno(), nbytes)
                mapped = np.memmap(file, dtype=np.uint8, mode="r+", shape=(nbytes,))
        except OSError as error:
            raise SubjectError(
                f"there is no room on the disk for the {nbytes / 2**20:.1f} MiB of {label}'s {what} "
                f"({error.strerror or error}); free some where temporary files lie"
            ) from None
        self._bytes = torch.from_numpy(mapped)

    def take(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """A tensor of zeros that is to be filled."""
        nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        start, self._free = self._free, self._free + aligned(nbytes)
        if not nbytes:
            return torch.zeros(tuple(shape), dtype=dtype)
        return self._bytes[start : start + nbytes].view(dtype).view(tuple(shape))


def _reserve(descriptor: int, nbytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, nbytes)
    else:
        os.truncate(descriptor, nbytes)
