"""Files of scores: good ones are read as they are, bad ones are refused in words, and nothing in them runs."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources import score_files
from pruning_explorer.sources.score_files import read_scores

WEIGHT = torch.tensor([[0.5, 2.0, 0.0], [1.0, 3.0, 7.0]])


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def assert_read(name: str, content: bytes, expected: dict[str, Tensor]) -> None:
    found = read_scores(name, content)
    assert list(found) == list(expected)
    for key, each in expected.items():
        assert found[key].dtype == each.dtype
        assert torch.equal(found[key], each)


def test_both_kinds_are_read_as_they_are() -> None:
    tensors = {"a.weight": WEIGHT, "b.weight": WEIGHT > 1}
    assert_read("mine.safetensors", save(tensors), tensors)
    assert_read("mine.NPZ", npz(**{key: each.numpy() for key, each in tensors.items()}), tensors)
    compressed = io.BytesIO()
    np.savez_compressed(compressed, **{key: each.numpy() for key, each in tensors.items()})
    assert_read("mine.npz", compressed.getvalue(), tensors)


def test_every_dtype_and_order_of_numpy_that_torch_knows() -> None:
    array = WEIGHT.numpy()
    assert_read("x.npz", npz(w=np.asfortranarray(array)), {"w": WEIGHT})
    assert_read("x.npz", npz(w=array.astype(">f4")), {"w": WEIGHT})
    assert_read("x.npz", npz(w=array.astype(np.float16)), {"w": WEIGHT.half()})
    assert_read("x.npz", npz(w=array.astype(np.float64)), {"w": WEIGHT.double()})
    assert_read("x.npz", npz(w=array.astype(np.uint8)), {"w": WEIGHT.to(torch.uint8)})
    assert_read("x.npz", npz(w=np.float32(3)), {"w": torch.tensor(3.0)})


def test_what_is_read_can_be_written_to() -> None:
    """It is no view of the bytes that came in."""
    read_scores("x.npz", npz(w=WEIGHT.numpy()))["w"].add_(1)


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    content = npz(w=np.array([Canary(sung)], dtype=object))
    with np.load(io.BytesIO(content), allow_pickle=True) as loaded:
        loaded["w"]
    assert sung.exists()
    sung.unlink()
    with pytest.raises(SubjectError, match=r"w in evil\.npz is an array of object"):
        read_scores("evil.npz", content)
    for name in ("evil.npz", "evil.safetensors", "evil.pt", "evil.npy"):
        with pytest.raises(SubjectError):
            read_scores(name, pickle.dumps(Canary(sung)))
        with pytest.raises(SubjectError):
            read_scores(name, zipped(("archive/data.pkl", pickle.dumps(Canary(sung)))))
    assert not sung.exists()


def shape_that_lies(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(24)


def tensors_that_lie(entry: dict[str, object]) -> bytes:
    header = json.dumps({"w": entry}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


GOOD_NPZ, GOOD_SAFETENSORS = npz(w=WEIGHT.numpy()), save({"w": WEIGHT})
BAD: dict[str, tuple[str, bytes, str]] = {
    "another kind": ("w.pt", b"", r"neither a \.safetensors nor an \.npz"),
    "no ending": ("w", b"", "neither"),
    "empty npz": ("w.npz", b"", "cannot be read as .npz"),
    "empty safetensors": ("w.safetensors", b"", "cannot be read as .safetensors"),
    "no array": ("w.npz", npz(), "holds no tensor"),
    "no tensor": ("w.safetensors", save({}), "holds no tensor"),
    "one for the other": ("w.npz", GOOD_SAFETENSORS, "cannot be read as .npz"),
    "the other for one": ("w.safetensors", GOOD_NPZ, "cannot be read as .safetensors"),
    "a text in it": ("w.npz", zipped(("readme.txt", b"hello")), "cannot be read"),
    "strings": ("w.npz", npz(w=np.array(["a", "b"])), "w in w.npz is an array of <U1"),
    "complex": ("w.npz", npz(w=np.array([1j])), "array of complex128"),
    "complex tensor": ("w.safetensors", save({"w": torch.tensor([1j])}), "complex numbers, which have no order"),
    "a record": ("w.npz", npz(w=np.zeros(2, dtype=[("a", "f4")])), "is an array of"),
    "a long double": ("w.npz", npz(w=np.zeros(2, dtype=np.longdouble)), "is an array of float128"),
    "a shape that lies": ("w.npz", zipped(("w.npy", shape_that_lies("(1000000, 1000000)"))), "holds 24 bytes"),
    "a negative shape": ("w.npz", zipped(("w.npy", shape_that_lies("(-2, -3)"))), "holds 24 bytes"),
    "no shape": ("w.npz", zipped(("w.npy", shape_that_lies("__import__('os')"))), "cannot be read as .npz"),
    "offsets that lie": (
        "w.safetensors",
        tensors_that_lie({"dtype": "F32", "shape": [2], "data_offsets": [0, 4_000_000]}),
        "cannot be read as .safetensors",
    ),
    "a dtype of no kind": (
        "w.safetensors",
        tensors_that_lie({"dtype": "X1", "shape": [2], "data_offsets": [0, 8]}),
        "cannot be read as .safetensors",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_words(name: str, content: bytes, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        read_scores(name, content)


@pytest.mark.parametrize(
    ("name", "content"), [("w.npz", GOOD_NPZ), ("w.safetensors", GOOD_SAFETENSORS)], ids=["npz", "safetensors"]
)
def test_truncated_files_are_refused(name: str, content: bytes) -> None:
    for length in range(len(content)):
        with pytest.raises(SubjectError):
            read_scores(name, content[:length])


@pytest.mark.parametrize(
    ("name", "content"), [("w.npz", GOOD_NPZ), ("w.safetensors", GOOD_SAFETENSORS)], ids=["npz", "safetensors"]
)
def test_a_broken_byte_breaks_nothing_else(name: str, content: bytes) -> None:
    """Each byte in turn; some of them, such as a date, nobody reads."""
    for place in range(len(content)):
        broken = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        try:
            found = read_scores(name, broken)
        except SubjectError:
            continue
        assert all(isinstance(each, Tensor) for each in found.values())


def test_a_name_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped(("w.npy", npy([1.0])), ("w.npy", npy([2.0])))
    with pytest.raises(SubjectError, match="holds w twice"):
        read_scores("w.npz", content)


def test_a_file_that_is_too_large_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_files, "LARGEST", 2 << 20)
    bomb = zipped(("w.npy", npy(np.zeros(3 << 20, dtype=np.uint8))))
    assert len(bomb) < 10_000
    with pytest.raises(SubjectError, match="unpacks to 3 MiB, and 2 MiB is the most"):
        read_scores("w.npz", bomb)
    large = save({"w": torch.zeros(3 << 20, dtype=torch.uint8)})
    with pytest.raises(SubjectError, match="is 3 MiB large, and 2 MiB is the most"):
        read_scores("w.safetensors", large)
