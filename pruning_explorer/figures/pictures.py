"""Pictures as PNG, in a page's own text."""

import base64
import struct
import zlib
from collections.abc import Sequence

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
    return _file(grey, grey.shape, 8, 0)


def palette_png(codes: npt.NDArray[np.uint8], palette: Sequence[str]) -> bytes:
    """A picture of few colours as a PNG file, in as few bits a pixel as they need.

    Pillow would filter rows as if places in a palette were brightnesses: of three colours its file is a quarter larger.

    Args:
        codes: [H, W], places in ``palette``.
        palette: ``#rrggbb`` colours, at most 256.

    Raises:
        ValueError: not [H, W], empty, or a code without a colour.
    """
    if codes.ndim != 2 or not codes.size:
        raise ValueError(f"a picture is [H, W] and not empty; this is {list(codes.shape)}")
    if int(codes.max()) >= len(palette):
        raise ValueError(f"code {codes.max()} has no colour among {len(palette)}")
    colours = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in palette)
    bits = next(bits for bits in (1, 2, 4, 8) if len(palette) <= 1 << bits)
    return _file(_packed(codes.astype(np.uint8), bits), codes.shape, bits, 3, _chunk(b"PLTE", colours))


def _packed(codes: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
    """Several pixels in a byte, the leftmost in its highest bits; each row begins a byte of its own."""
    each = 8 // bits
    padded = np.pad(codes, ((0, 0), (0, -codes.shape[1] % each))).reshape(len(codes), -1, each)
    packed = np.zeros(padded.shape[:2], dtype=np.uint8)
    for place in range(each):
        packed = packed << bits | padded[:, :, place]
    return packed


def png_address(picture: npt.NDArray[np.floating]) -> str:
    """:func:`png` as a ``data:`` address for an ``img``."""
    return data_address(png(picture))


def data_address(file: bytes) -> str:
    """A PNG file as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(file).decode('ascii')}"


def _file(packed: npt.NDArray[np.uint8], shape: tuple[int, ...], bits: int, kind: int, palette: bytes = b"") -> bytes:
    height, width = shape
    # each row begins with its filter: 0, as it is
    rows = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1).tobytes()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + palette + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
