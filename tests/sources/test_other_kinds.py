"""Files that hold no checkpoint are named for what they are, with a way to one; only what is damaged is called so."""

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from pruning_explorer import load_subject
from pruning_explorer.errors import SubjectError


def tar(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"abcd"))
    return file.getvalue()


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"abcd")
    return file.getvalue()


CORE_ML = b"\x08\x07\x12\x11\n\x0f\n\x05image\x1a\x06*\x04\n\x02\x01\x03\xa2\x1f\x05\n\x03\n\x01a"
KINDS: dict[str, tuple[bytes, str]] = {
    "model.tflite": (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite"),
    "net.pte": (b"<\0\0\0ET12" + bytes(99), "an ExecuTorch program"),
    "net.ort": (b"\x1c\0\0\0ORTM" + bytes(99), "ONNX Runtime's own format"),
    "net.xml": (b'<?xml version="1.0"?>\n<net name="m" version="11">', "an OpenVINO model"),
    "answer.pt": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "an XML text, as servers"),
    "page.pt": (b"\n<html><body>404", "a page of the web"),
    "net.mlmodel": (CORE_ML, "a Core ML model"),
    "net.mlpackage.zip": (
        zipped("net.mlpackage/Manifest.json", "net.mlpackage/Data/w.bin"),
        "a zipped Core ML package",
    ),
    "net.keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "a Keras model"),
    "net.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, as Keras"),
    "flax_model.msgpack": (b"\x81\xa6params\x81\xa7Dense_0\x01", "a file of msgpack, as Flax"),
    "asr.nemo": (tar("./model_config.yaml", "./model_weights.ckpt"), r"a NeMo archive; .*open model_weights\.ckpt$"),
    "bert.tar": (tar("config.json", "pytorch_model.bin"), r"a tar archive; unpack it .*open pytorch_model\.bin$"),
    "texts.tar": (tar("a.txt"), "a tar archive; no file in it has the ending of a checkpoint"),
    "early.pt": (tar("sys_info", "pickle", "tensors", "storages"), r"of torch before 0\.1\.10"),
    "w.zip": (zipped("__MACOSX/._model.pt", "model.pt"), r"unpack it \(unzip FILE\), and open model\.pt$"),
    "two.zip": (zipped("a.pt", "b.pt"), "open a.pt, or another of the 2 in it"),
    "w.pt.gz": (b"\x1f\x8b\x08" + bytes(30), "compressed by gzip; unpack it first"),
    "w.pt.xz": (b"\xfd7zXZ\0" + bytes(30), "compressed by xz"),
    "w.pt.bz2": (b"BZh91AY" + bytes(30), "compressed by bzip2"),
    "w.pt.zst": (b"\x28\xb5\x2f\xfd" + bytes(99), "compressed by Zstandard"),
    "w.pt.lz4": (b"\x04\x22\x4d\x18" + bytes(99), "compressed by LZ4"),
    "w.7z": (b"7z\xbc\xaf'\x1c" + bytes(99), "a 7z archive"),
    "w.rar": (b"Rar!\x1a\x07\x01" + bytes(99), "a RAR archive"),
    "pointer.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a pointer of Git LFS"),
    "notes.txt": (b"hello, I am no network", "a text and holds no weights"),
    "unknown.dat": (bytes(range(200, 250)), "a kind that is not known here"),
}


def refusal(path: Path) -> str:
    with pytest.raises(SubjectError) as refused:
        load_subject(str(path))
    return str(refused.value)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_named_and_never_called_damaged(name: str, tmp_path: Path) -> None:
    content, what = KINDS[name]
    (tmp_path / name).write_bytes(content)
    said = refusal(tmp_path / name)
    assert said.startswith(name)
    assert re.search(what, said), said
    assert "damaged" not in said
    assert "copy it again" not in said


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.ckpt"])
def test_a_checkpoint_whose_beginning_is_lost_is_called_damaged(name: str, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2, 2)}, tmp_path / "whole.pt")
    (tmp_path / name).write_bytes(bytes(64) + (tmp_path / "whole.pt").read_bytes()[64:])
    assert "damaged or cut off; copy it again" in refusal(tmp_path / name)


def test_half_a_tar_archive_is_called_damaged(tmp_path: Path) -> None:
    content = bytearray(tar("model_config.yaml", "model_weights.ckpt"))
    content[600:1100] = bytes(b ^ 0xFF for b in content[600:1100])
    (tmp_path / "half.tar").write_bytes(bytes(content[:300]))
    assert "damaged or cut off" in refusal(tmp_path / "half.tar")


def test_openvinos_weights_are_known_by_what_lies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(torch.randn(40).numpy().tobytes())
    assert "not known here" in refusal(tmp_path / "net.bin")
    (tmp_path / "net.xml").write_text('<net name="m">', encoding="utf-8")
    assert "the weights of an OpenVINO model without their names" in refusal(tmp_path / "net.bin")


FOLDERS = {
    "SavedModel": (["saved_model.pb", "variables"], "a SavedModel of TensorFlow"),
    "variables": (["checkpoint", "model.ckpt.index", "model.ckpt.data-00000-of-00001"], "a checkpoint of TensorFlow"),
    "net.mlpackage": (["Manifest.json", "Data"], "a Core ML package"),
    "mlx": (["weights.npz", "config.json"], r"an \.npz file of arrays"),
    "nothing": (["readme.md"], "holds no checkpoint"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_another_kind_is_named(name: str, tmp_path: Path) -> None:
    names, what = FOLDERS[name]
    folder = tmp_path / name
    folder.mkdir()
    for each in names:
        (folder / each).write_bytes(b"\x08\x01")
    assert re.search(what, refusal(folder))
