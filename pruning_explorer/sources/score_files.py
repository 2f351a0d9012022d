"""Read scores or masks of one's own from a file. Nothing in a file is ever executed."""

import io
import struct
import zipfile
import zlib
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from pruning_explorer.errors import SubjectError

LARGEST = 256 << 20
"""Bytes of a file, and of what it holds unpacked."""


def read_scores(name: str, content: bytes) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` or ``.npz`` file, as they are, in the order of their names.

    Whether they fit a network shows where they are used.

    Args:
        name: of the file; its ending says how it is read.
        content: of the file.

    Raises:
        SubjectError: it is of another kind, too large, broken, empty, or holds what is no array of real numbers.
    """
    if len(content) > LARGEST:
        raise SubjectError(
            f"{name} is {len(content) >> 20} MiB large, and {LARGEST >> 20} MiB is the most; store float16, or masks"
        )
    ending = name.lower().rpartition(".")[2]
    if ending not in ("safetensors", "npz"):
        raise SubjectError(f"{name} is neither a .safetensors nor an .npz file; save it as one of them")
    tensors = _read_safetensors(name, content) if ending == "safetensors" else _read_npz(name, content)
    if not tensors:
        raise SubjectError(f"{name} holds no tensor; save one for each layer, by the layer's name")
    for key, each in tensors.items():
        if each.is_complex():
            raise SubjectError(f"{key} in {name} holds complex numbers, which have no order; save real ones")
    return dict(sorted(tensors.items()))


def _read_safetensors(name: str, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise SubjectError(f"{name} cannot be read as .safetensors ({error}); save it again") from None


def _read_npz(name: str, content: bytes) -> dict[str, Tensor]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read_members(name, archive)
    except (
        *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError),
        *(ValueError, OSError, RuntimeError, SyntaxError, TypeError, OverflowError, MemoryError),
    ) as error:
        raise SubjectError(f"{name} cannot be read as .npz ({error or type(error).__name__}); save it again") from None


def _read_members(name: str, archive: zipfile.ZipFile) -> dict[str, Tensor]:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST:
        raise SubjectError(f"{name} unpacks to {unpacked >> 20} MiB, and {LARGEST >> 20} MiB is the most")
    tensors: dict[str, Tensor] = {}
    for member in members:
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
    values = content[file.tell() :]
    if any(size < 0 for size in shape) or len(values) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{key} says shape {shape} of {dtype} and holds {len(values)} bytes")
    flat = np.frombuffer(values, dtype=dtype).astype(dtype.newbyteorder("="))
    return np.array(flat.reshape(shape, order="F" if fortran else "C"), order="C")
