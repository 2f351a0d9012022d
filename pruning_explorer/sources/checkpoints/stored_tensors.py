"""Tensors as a pickle of torch describes them: checked to lie inside their storage before anything is built."""

from dataclasses import dataclass
from math import prod
from typing import Any

import torch

DIMS_MOST = 16
NUMBERS_MOST = 1 << 48

STORAGES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexDouble": torch.complex128,
    "ComplexFloat": torch.complex64,
}


@dataclass(frozen=True)
class StoredBytes:
    """A storage: ``numel`` numbers of ``dtype``, in the part of the file that ``key`` names."""

    key: str
    dtype: torch.dtype
    numel: int

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that lies inside its storage; ``storage`` is None on the meta device."""

    storage: StoredBytes | None
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Named:
    """A class or function that the pickle names, or what came of calling it, which does not matter."""

    name: str


class DamagedPickleError(Exception):
    """It is no pickle that torch writes; the text says why, in words that follow on ``it``."""


class SpecialTensorError(Exception):
    """The pickle holds tensors that are no plain array of numbers; the text is what they are called."""


def rebuilt_tensor(function: str, arguments: tuple[Any, ...]) -> StoredTensor:
    """What one of torch's ``_rebuild_tensor`` functions would make of these arguments.

    Raises:
        DamagedPickleError: it reaches outside its storage, or is no plain tensor.
    """
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, StoredBytes):
        raise DamagedPickleError("holds a tensor without a storage")
    trained, hooks, *rest = arguments[4:] or (False, {})
    dtype = storage.dtype
    if function == "_rebuild_tensor_v3":
        dtype = dtype_called(rest.pop(0))
    if type(trained) is not bool or hooks != {} or len(rest) > 1 or any(rest):
        raise DamagedPickleError("holds a tensor with more than values")
    shape, stride = checked_layout(shape, stride)
    if type(offset) is not int or offset < 0:
        raise DamagedPickleError(f"holds a tensor that begins at {str(offset)[:40]}")
    room = storage.nbytes // dtype.itemsize
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if prod(shape) > 0 and (last >= room or prod(shape) > room):
        raise DamagedPickleError(f"holds a tensor of shape {_short(shape)} in a storage of {room} numbers")
    return StoredTensor(storage, shape, dtype)


def checked_layout(shape: Any, stride: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and stride as they are, where they are of a size that torch can count with.

    Raises:
        DamagedPickleError: they are not.
    """
    for sizes in (shape, stride):
        if type(sizes) is not tuple or len(sizes) > DIMS_MOST:
            raise DamagedPickleError(f"holds a tensor of more than {DIMS_MOST} dims, or of none that can be read")
        if not all(type(size) is int and 0 <= size <= NUMBERS_MOST for size in sizes):
            raise DamagedPickleError(f"holds a tensor of shape {_short(shape)}")
    if len(shape) != len(stride) or prod(max(size, 1) for size in shape) > NUMBERS_MOST:
        raise DamagedPickleError(f"holds a tensor of shape {_short(shape)}")
    return shape, stride


def _short(shape: tuple[object, ...]) -> str:
    return str(tuple(str(size)[:20] for size in shape)).replace("'", "")


def dtype_called(named: Any) -> torch.dtype:
    """The dtype that a pickle names, ``torch.float8_e5m2``."""
    dtype = getattr(torch, named.name.removeprefix("torch."), None)
    if not isinstance(dtype, torch.dtype):
        raise DamagedPickleError("holds a tensor of no dtype")
    return dtype


def dtype_of_storage(name: str) -> torch.dtype:
    """The dtype of a storage class, ``torch.FloatStorage``; an untyped storage counts in bytes.

    Raises:
        SpecialTensorError: it holds what is no plain number.
    """
    if name == "torch.storage.UntypedStorage":
        return torch.uint8
    kind = name.removeprefix("torch.").removesuffix("Storage")
    if kind not in STORAGES:
        raise SpecialTensorError("quantised" if kind.startswith("Q") else f"{kind[:20]!r}")
    return STORAGES[kind]
