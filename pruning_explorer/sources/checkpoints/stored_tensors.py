"""Tensors as a pickle of torch describes them: checked to lie inside their storage before anything is built."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch

DIMS_MOST = 16
NUMBERS_MOST = 1 << 48

ELSEWHERE = "differently stored"
"""Kind of a tensor whose numbers are not in a storage of the file."""

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
    "QInt8": torch.qint8,
    "QUInt8": torch.quint8,
    "QInt32": torch.qint32,
    "QUInt4x2": torch.quint4x2,
    "QUInt2x4": torch.quint2x4,
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


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor that lies inside its storage; ``storage`` is None on the meta device.

    Attributes:
        offset: of its first number, in numbers of ``dtype``.
        stride: of each dim, in numbers of ``dtype``.
    """

    storage: StoredBytes | None
    shape: tuple[int, ...]
    dtype: torch.dtype
    offset: int
    stride: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SpecialTensor:
    """A tensor that is no plain array of numbers; ``kind`` is what it is called: ``"sparse"``."""

    kind: str


@dataclass(frozen=True, eq=False)
class Named:
    """A class or function that the pickle names, by its full name."""

    name: str


@dataclass(eq=False)
class Built:
    """What would have come of calling something that the pickle names; nothing was called.

    Attributes:
        name: of what would have been called.
        arguments: that it would have been called with.
        state: that its attributes would have been set from; None where there is none.
        items: that would have been set in it, as in a dict of its own kind.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)


class Ordered(dict[Any, Any]):
    """An ``OrderedDict``, with the attributes that were set on it: a ``state_dict`` has ``_metadata``."""

    attributes: Any = None


class DamagedPickleError(Exception):
    """It is no pickle that torch writes; the text says why, in words that follow on ``it``."""


def rebuilt_tensor(function: str, arguments: tuple[Any, ...]) -> StoredTensor | SpecialTensor:
    """What one of torch's ``_rebuild_tensor`` functions would make of these arguments.

    Raises:
        DamagedPickleError: it reaches outside its storage.
    """
    storage, offset, shape, stride = arguments[:4]
    if isinstance(storage, Built | SpecialTensor):
        return SpecialTensor(storage.kind if isinstance(storage, SpecialTensor) else ELSEWHERE)
    if not isinstance(storage, StoredBytes):
        raise DamagedPickleError("holds a tensor without a storage")
    # Whether it was trained, and hooks: nothing of that is in its values, and early torch wrote None for no hooks
    _, _, *rest = arguments[4:] or (False, None)
    dtype = storage.dtype
    if function == "_rebuild_tensor_v3":
        dtype = dtype_called(rest.pop(0))
    shape, stride = checked_layout(shape, stride)
    if type(offset) is not int or not 0 <= offset <= NUMBERS_MOST:
        raise DamagedPickleError(f"holds a tensor that begins at {brief(offset)}")
    room = storage.nbytes // dtype.itemsize
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if prod(shape) > 0 and (last >= room or prod(shape) > room):
        raise DamagedPickleError(f"holds a tensor of shape {_short(shape)} in a storage of {room} numbers")
    if any(rest):  # of a view that negates or conjugates
        return SpecialTensor("conjugated or negated")
    if str(dtype).startswith("torch.q"):
        return SpecialTensor("quantised")
    return StoredTensor(storage, shape, dtype, offset, stride)


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


def _short(shape: Any) -> str:
    return str(tuple(map(brief, shape[:DIMS_MOST]))).replace("'", "") if type(shape) is tuple else brief(shape)


def brief(value: Any) -> str:
    """A number as it can be said; of all else only what it is, since to write out a list of lists may take for ever."""
    return str(value)[:40] if type(value) in (int, float) else f"a {type(value).__name__}"


def dtype_called(named: Any) -> torch.dtype:
    """The dtype that a pickle names, ``torch.float8_e5m2``."""
    dtype = vars(torch).get(named.name.removeprefix("torch."))
    if not isinstance(dtype, torch.dtype):
        raise DamagedPickleError("holds a tensor of no dtype")
    return dtype


def dtype_of_storage(name: str) -> torch.dtype | None:
    """The dtype of a storage class, ``torch.FloatStorage``; an untyped storage counts in bytes.

    Returns:
        None where it is none of torch's.
    """
    if name in ("torch.storage.UntypedStorage", "torch.UntypedStorage"):
        return torch.uint8
    return STORAGES.get(name.removeprefix("torch.").removeprefix("cuda.").removesuffix("Storage"))
