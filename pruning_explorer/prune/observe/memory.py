"""Know a tensor by the memory it lies in."""

from bisect import bisect_right
from collections.abc import Mapping

import torch
from torch import Tensor


class MemoryMap:
    """Tensors by name; a view into one of them, such as its transpose or a slice of it, is recognised."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = {
            name: each for name, each in tensors.items() if each.layout is torch.strided and each.numel() > 0
        }
        self._spans = sorted((t.data_ptr(), t.data_ptr() + t.nbytes, name) for name, t in self._tensors.items())
        self._starts = [start for start, _, _ in self._spans]

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def name_of(self, tensor: Tensor) -> str | None:
        """The name of the tensor that ``tensor`` is a view of, or None."""
        if tensor.layout is not torch.strided or tensor.numel() == 0:
            return None
        start = tensor.data_ptr()
        index = bisect_right(self._starts, start) - 1
        return self._spans[index][2] if index >= 0 and start < self._spans[index][1] else None


def offset_in(view: Tensor, whole: Tensor) -> int:
    """How many elements into ``whole`` its view begins."""
    return (view.data_ptr() - whole.data_ptr()) // whole.itemsize
