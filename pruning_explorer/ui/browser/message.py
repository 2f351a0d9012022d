"""The byte format in which arrays travel to the browser.

``PXLM``, the header's length (uint32), the header (JSON in UTF-8, padded with blanks), then the arrays, little-endian,
each starting at a multiple of 8 bytes after the header. The header lists them: name -> [dtype, offset, length].
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.errors import MaskError

Array = NDArray[Any]

MAGIC = b"PXLM"
_DTYPES = {"float32": "<f4", "float64": "<f8", "uint32": "<u4", "uint16": "<u2", "uint8": "|u1"}


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 8)


def pack(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Put a header before a body."""
    text = _padded(json.dumps(header, separators=(",", ":")).encode(), b" ")
    return MAGIC + struct.pack("<I", len(text)) + text + body


def pack_arrays(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Pack arrays with a header that also carries a digest of all content, by which a receiver knows a repetition."""
    sections: dict[str, list[Any]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        dtype = _DTYPES[array.dtype.name]
        data = _padded(np.ascontiguousarray(array, dtype=dtype).tobytes(), b"\0")
        sections[name] = [array.dtype.name, offset, array.size]
        parts.append(data)
        offset += len(data)
    body = b"".join(parts)
    digest = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=12)
    digest.update(body)
    return pack({**header, "digest": digest.hexdigest(), "sections": sections}, body)


def read_header(message: bytes) -> dict[str, Any]:
    """The header alone, without touching the arrays."""
    if message[:4] != MAGIC:
        raise MaskError("These bytes are no message to a component; pack_arrays() makes one.")
    (length,) = struct.unpack_from("<I", message, 4)
    header: dict[str, Any] = json.loads(message[8 : 8 + length])
    return header


def unpack_arrays(message: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Header and arrays, as the browser reads them."""
    header = read_header(message)
    (length,) = struct.unpack_from("<I", message, 4)
    arrays = {
        name: np.frombuffer(message, dtype=_DTYPES[dtype], count=count, offset=8 + length + offset)
        for name, (dtype, offset, count) in header["sections"].items()
    }
    return header, arrays
