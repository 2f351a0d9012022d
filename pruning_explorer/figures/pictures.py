"""Grey pictures as PNG, in a page's own text."""

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt


def png(picture: npt.NDArray[np.floating]) -> bytes:
    """A grey picture as a PNG file, 8 bits a pixel.

    Args:
        picture: [H, W] in [0, 1], 0 is black; what lies outside is clipped.

    Raises:
        ValueError: not [H, W], empty, or not finite.
    """
    if picture.ndim != 2 or not picture.size:
        raise ValueError(f"a picture is [H, W] and not empty; this is {list(picture.shape)}")
    if not np.isfinite(picture).all():
        raise ValueError("a picture has pixels that are not finite")
    grey = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    height, width = grey.shape
    # each row begins with its filter: 0, as it is
    rows = np.concatenate([np.zeros((height, 1), np.uint8), grey], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")]
    )


def png_address(picture: npt.NDArray[np.floating]) -> str:
    """:func:`png` as a ``data:`` address for an ``img``."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode('ascii')}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
