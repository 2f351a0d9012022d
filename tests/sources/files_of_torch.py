"""What the tests of checkpoints share: small networks, and files made byte by byte, as no library would write them."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

LEGACY_HEAD = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


class Residual(nn.Module):
    """Convolutions with BatchNorm around a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.ModuleList(nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8)) for _ in range(2))
        self.fc = nn.Linear(8, 10)


class Language(nn.Module):
    """A transformer whose head is its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(50, 16)
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(16, 4, 32) for _ in range(12))
        self.norm = nn.RMSNorm(16)
        self.lm_head = nn.Linear(16, 50, bias=False)
        self.lm_head.weight = self.token_embedding.weight


def saved(content: object, *, legacy: bool = False) -> bytes:
    """What ``torch.save`` writes."""
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def records(content: bytes) -> dict[str, bytes]:
    """The entries of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(entries: Mapping[str, bytes] | list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items() if isinstance(entries, Mapping) else entries:
            archive.writestr(name, content)
    return file.getvalue()


def archive_of(data_pkl: bytes, **storages: bytes) -> bytes:
    """An archive of torch with this pickle, and storages by their keys (``_0`` for ``0``)."""
    return zipped(
        {
            "archive/data.pkl": data_pkl,
            "archive/byteorder": b"little",
            **{f"archive/data/{key.removeprefix('_')}": content for key, content in storages.items()},
            "archive/version": b"3\n",
        }
    )


def safetensors(header: object, content: bytes = b"") -> bytes:
    """A file of that header, which may be JSON already, and that content."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def tensor_pickle(
    *,
    numel: object = 6,
    offset: object = 0,
    shape: object = (2, 3),
    stride: object = (3, 1),
    name: object = "w",
    kind: str = "FloatStorage",
) -> bytes:
    """The pickle of ``{name: tensor}`` over storage 0, with whatever numbers."""
    file = io.BytesIO()
    writer: Any = pickle._Pickler(file, protocol=2)
    write, save = file.write, writer.save
    write(b"\x80\x02}")
    save(name)
    write(b"ctorch._utils\n_rebuild_tensor_v2\n((")
    save("storage")
    write(f"ctorch\n{kind}\n".encode())
    for value in ("0", "cpu", numel):
        save(value)
    write(b"tQ")
    for value in (offset, shape, stride, False):
        save(value)
    write(b"ccollections\nOrderedDict\n)RtRs.")
    return file.getvalue()


def same_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    """Whether both hold the same tensors by the same names."""
    return found.keys() == expected.keys() and all(
        found[name].dtype == each.dtype and torch.equal(found[name], each) for name, each in expected.items()
    )


def write(folder: Path, name: str, content: bytes) -> Path:
    """A file of that content."""
    path = folder / name
    path.write_bytes(content)
    return path
