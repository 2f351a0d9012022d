"""Tensors that lie in a file mapped into memory, as a checkpoint's do: read when looked at, and given back after."""

import ctypes
import mmap
import re
import sys
from collections.abc import Iterator

from torch import Tensor

MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S{4} [0-9a-f]+ \S+ (\d+)\s")
NOT_OURS = re.compile(r"Anonymous: +0 kB$")
DONT_NEED = 4
"""Linux's ``MADV_DONTNEED``."""


def give_back(tensor: Tensor) -> bool:
    """Let the system take back the memory of a tensor that is mapped from a file; it is read again when looked at.

    Without this a layer counts as memory of the process as long as its subject lives. Only whole pages go, and only of
    a mapping that nobody has written to: what was changed lies nowhere else.

    Returns:
        Whether anything was given back: not on other systems than Linux, nor where it is no file's memory.
    """
    if not sys.platform.startswith("linux") or tensor.device.type != "cpu" or tensor.numel() == 0:
        return False
    start = tensor.untyped_storage().data_ptr()
    end = start + tensor.untyped_storage().nbytes()
    if tensor.is_contiguous():  # its storage may be the whole file's
        start = tensor.data_ptr()
        end = start + tensor.nbytes
    start, end = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, end // mmap.PAGESIZE * mmap.PAGESIZE
    if start >= end or not any(low <= start and end <= high for low, high in _clean_files()):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    failed: int = libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), DONT_NEED)
    return failed == 0


def _clean_files() -> Iterator[tuple[int, int]]:
    """Addresses of the mappings of files in which no page is this process's own."""
    low = high = inode = 0
    with open("/proc/self/smaps") as lines:
        for line in lines:
            # What is neither may be the rest of a file's name, which may have a line break in it
            if found := MAPPING.match(line):
                low, high, inode = int(found[1], 16), int(found[2], 16), int(found[3])
            elif inode and NOT_OURS.match(line):
                yield low, high
