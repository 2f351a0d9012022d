"""The small parts of an exported program's JSON, each checked as it is read.

What is not as it should be raises KeyError, TypeError or ValueError; those who read the whole say what it was part of.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch

DTYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    10: torch.complex64,
    11: torch.complex128,
    12: torch.bool,
    13: torch.bfloat16,
    29: torch.float8_e4m3fn,
    30: torch.float8_e5m2,
}
MEMORY_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}
STRIDED = 7


def length(value: Any) -> int:
    """A size of a tensor."""
    if not 0 <= whole(value) < 1 << 40:
        raise ValueError("a size out of range")
    return int(value)


def whole(value: Any) -> int:
    """A whole number; True is none."""
    if type(value) is not int:
        raise TypeError("no whole number")
    return value


def text(value: Any, most: int = 1000) -> str:
    """A text of at most so many characters."""
    if not isinstance(value, str) or len(value) > most:
        raise TypeError("no text, or a long one")
    return value


def path_of(value: Any) -> str:
    """The dotted path of a module or tensor; ``""`` is the network itself."""
    path = text(value, 400)
    if path and not (path.isprintable() and re.fullmatch(r"[^.\s]+(\.[^.\s]+){0,40}", path)):
        raise ValueError("no path of a module")
    return path


def one(union: Mapping[str, Any]) -> tuple[str, Any]:
    """Kind and value of an object with a single key."""
    ((kind, value),) = union.items()
    return kind, value


def constant(value: Any) -> Any:
    """A number, truth value or short text."""
    if isinstance(value, str):
        return text(value)
    if type(value) not in (int, float, bool):
        raise TypeError("no number")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ValueError("a number of more than 64 bits")
    return value


def real(value: Any) -> float:
    """A number that may be infinite or none."""
    # What is not finite stands in quotes, for JSON has no word for it
    return float(value) if value in ("Infinity", "-Infinity", "NaN") else float(constant(value))
