"""Of which kind a file is, by its first and last bytes, whatever it is called."""

import os
import re
from pathlib import Path
from typing import BinaryIO

ZIP = b"PK\x03\x04"
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""First bytes of a file written by torch before 1.6: its magic number as a pickle."""
GGUF = b"GGUF"
HEAD = 512
"""Bytes of a file's beginning that tell its kind."""
TAIL = 256 << 10
FIELDS_MOST = 64
"""Outermost fields of a protobuf that are looked at."""
_GRAPH = 7

_OF_TORCH = re.compile(rb"[^/]{1,255}/(data\.pkl|data/|constants\.pkl|constants/|code/|version|byteorder|\.)")
# A model of ONNX begins with the version of its form, and goes on with who made it or what follows that
_ONNX = re.compile(rb"\x08[\x01-\x1f](\x12|\x1a|\x22|\x28|\x32|\x3a|\x42|\x72|\xa2\x01|\xca\x01)")


def head_of(path: Path) -> bytes:
    """Its first bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(HEAD)


def is_of_torch(head: bytes) -> bool:
    """Whether these are first bytes of a zip that torch wrote, if not of an exported program."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(ZIP) and _OF_TORCH.match(head[30 : 30 + length]) is not None


def is_onnx(path: Path) -> bool:
    """Whether it begins as an ONNX model does, with a graph among its outermost fields."""
    return _ONNX.match(head_of(path)) is not None and _GRAPH in protobuf_fields(path, cut=True)


def protobuf_fields(path: Path, *, cut: bool = False) -> list[int]:
    """Numbers of a protobuf's outermost fields, those before the first that is none.

    Args:
        cut: whether a last one counts that does not end in the file.
    """
    numbers: list[int] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        while len(numbers) < FIELDS_MOST and file.tell() < size:
            tag = _varint(file)
            kind = tag & 7
            length = {0: 0, 1: 8, 2: 0, 5: 4}.get(kind, size)
            if kind == 0:
                _varint(file)
            elif kind == 2:
                length = _varint(file)
            if file.tell() + length > size:
                return numbers + [tag >> 3] * cut
            file.seek(length, os.SEEK_CUR)
            numbers.append(tag >> 3)
    return numbers


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        value |= (byte[0] & 0x7F if byte else 0) << shift
        if not byte or byte[0] < 0x80:
            break
    return value


def is_checkpoint(path: Path) -> bool:
    """Whether it begins as one of the kinds of checkpoints that are read, of which not all have an ending of theirs."""
    head = head_of(path)
    if head[8:9] == b"{":
        return int.from_bytes(head[:8], "little") <= path.stat().st_size - 8
    return head.startswith((LEGACY, GGUF)) or is_of_torch(head) or is_onnx(path)


def is_exported(path: Path) -> bool:
    """Whether it is a zip that lists the records of an exported program."""
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return False
        file.seek(max(0, path.stat().st_size - TAIL))
        return b"/archive_format" in file.read()
