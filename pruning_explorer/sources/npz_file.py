"""Read the arrays of an ``.npz`` file. Nothing in it is ever executed."""

import io
import struct
import tokenize
import zipfile
import zlib
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError

MOST_ENTRIES = 20_000
"""Most entries of an archive: a list of many millions of them would fill the memory."""
ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, tokenize.TokenError),
    *(ValueError, OSError, RuntimeError, SyntaxError, TypeError, OverflowError, MemoryError),
)
"""Exceptions that reading a damaged archive, or a damaged array in one, may raise."""


def open_archive(name: str, content: bytes, largest: int) -> zipfile.ZipFile:
    """An archive whose members may all be unpacked into memory.

    Args:
        largest: bytes that its members may have together.

    Raises:
        SubjectError: it would be too large.
        Exception: of :data:`ARCHIVE_ERRORS`, where it is damaged.
    """
    if content.count(b"PK\x01\x02") > MOST_ENTRIES:
        raise SubjectError(f"{name} holds more than {MOST_ENTRIES:,} files, which is too many; put fewer into it")
    archive = zipfile.ZipFile(io.BytesIO(content))
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > largest:
        raise SubjectError(
            f"{name} unpacks to {unpacked >> 20} MiB, and {largest >> 20} MiB is the most; put less into it"
        )
    # Of the others zipfile unpacks whatever comes, far beyond the size that a member says it has
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in archive.infolist()):
        raise SubjectError(f"{name} is packed in an unusual way; zip it again by the usual one (deflate)")
    return archive


def read_npz(name: str, content: bytes, largest: int) -> dict[str, Tensor]:
    """The arrays by their names, in the order of the file, as they are.

    Args:
        name: of the file, for messages.
        largest: bytes that they may have together.

    Raises:
        SubjectError: it is too large or damaged, or holds what is no array of real numbers.
    """
    try:
        with open_archive(name, content, largest) as archive:
            return _read_members(name, archive)
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be read as .npz ({error or type(error).__name__}); save it again") from None


def names_in_npz(name: str, content: bytes, largest: int) -> list[str]:
    """The names of the arrays, in the order of the file; nothing is unpacked.

    Raises:
        SubjectError: it is damaged, or unpacks to more than ``largest`` bytes.
    """
    try:
        with open_archive(name, content, largest) as archive:
            return [member.filename.removesuffix(".npy") for member in archive.infolist()]
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be read as .npz ({error or type(error).__name__}); save it again") from None


def _read_members(name: str, archive: zipfile.ZipFile) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for member in archive.infolist():
        key = member.filename.removesuffix(".npy")
        if key in tensors:
            raise SubjectError(f"{name} holds {key} twice; save it once")
        with archive.open(member) as file:
            tensors[key] = torch.from_numpy(_read_array(name, key, file.read(member.file_size)))
    return tensors


def _read_array(name: str, key: str, content: bytes) -> NDArray[Any]:
    """One ``.npy``, read without numpy's own loader: that one unpickles, and believes any shape that a header says."""
    file = io.BytesIO(content)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(np.lib.format.read_magic(file))
    if read_header is None:
        raise ValueError(f"{key} is of an unknown version")
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise SubjectError(f"{key} in {name} is an array of {dtype}; save plain numbers or bools")
    held = len(content) - file.tell()
    if any(size < 0 for size in shape) or held != prod(shape) * dtype.itemsize:
        raise ValueError(f"{key} says shape {shape} of {dtype} and holds {held} bytes")
    # A view of the bytes until the last step, which copies once: an array may be as large as all that is allowed
    flat = np.frombuffer(content, dtype=dtype, offset=file.tell()) if held else np.empty(0, dtype)
    return np.array(flat.reshape(shape, order="F" if fortran else "C"), dtype=dtype.newbyteorder("="), order="C")
