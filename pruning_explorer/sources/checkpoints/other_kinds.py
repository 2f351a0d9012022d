"""Files that people take for a checkpoint: each is named for what it is, with the shortest way to one."""

import tarfile
from collections.abc import Collection
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from pruning_explorer.sources.checkpoints.kinds import HEAD, protobuf_fields
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST, Outline
from pruning_explorer.sources.checkpoints.stored_tensors import DamagedPickleError
from pruning_explorer.sources.checkpoints.whole_objects import refuse_whole_objects

MEMBERS_MOST = 1000
"""Members of a tar archive that are looked at."""

WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".pth.tar", ".gguf", ".onnx", ".pt2")

_ORIGINAL = "open the weights that it was made of, as .safetensors or of torch.save"
_KERAS = "write them out where Keras is: safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, path)"
_TENSORFLOW = "read its variables where TensorFlow is, and write them with safetensors.numpy.save_file"

_BEGINNINGS = MappingProxyType(
    {
        b"version https://git-lfs": "is only a pointer of Git LFS; `git lfs pull` fetches the file itself",
        b"\x89HDF": f"is an HDF5 file, as Keras writes weights; {_KERAS}",
        b"GGUF": "is a GGUF file, whose weights are quantised; take the .safetensors that it was made of",
        b"\x93NUMPY": "is a single array of NumPy; save the state_dict with torch.save",
        b"\x1f\x8b": "is compressed by gzip; unpack it first: gunzip FILE",
        b"BZh": "is compressed by bzip2; unpack it first: bunzip2 FILE",
        b"\xfd7zXZ\x00": "is compressed by xz; unpack it first: unxz FILE",
        b"\x28\xb5\x2f\xfd": "is compressed by Zstandard; unpack it first: unzstd FILE",
        b"\x04\x22\x4d\x18": "is compressed by LZ4; unpack it first: unlz4 FILE",
        b"7z\xbc\xaf\x27\x1c": "is a 7z archive; unpack it first (7z x FILE), and open what is in it",
        b"Rar!\x1a\x07": "is a RAR archive; unpack it first (unrar x FILE), and open what is in it",
        b"PAR1": "is a Parquet table, no network",
    }
)
_AT_FOUR = MappingProxyType(  # FlatBuffers name their kind after the first offset
    {
        b"TFL3": f"is a TensorFlow Lite (LiteRT) model, compiled for devices; {_ORIGINAL}",
        b"ET12": f"is an ExecuTorch program, compiled for devices; {_ORIGINAL}",
        b"ORTM": "is a model of ONNX Runtime's own format; open the .onnx file that it was made of",
    }
)


def name_other_kind(path: Path, head: bytes, label: str) -> str:
    """Say what a file is that holds no checkpoint, and what to do: ``"is a tar archive; ..."``.

    Args:
        head: its first :data:`HEAD` bytes.
        label: what the person calls it.
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, what in _BEGINNINGS.items():
        if text.startswith(start):
            return what
    if head[4:8] in _AT_FOUR:
        return _AT_FOUR[head[4:8]]
    if text.startswith(b"<"):
        return _name_markup(text)
    if head[257:262] == b"ustar":
        return _name_tar(path)
    if head.startswith(b"\x80"):
        return _name_pickle(path, label)
    if _is_msgpack(head):
        return (
            "is a file of msgpack, as Flax writes weights; write them out where Flax is: "
            "safetensors.flax.save_file(flax.traverse_util.flatten_dict(params, sep='.'), path)"
        )
    if _is_core_ml(path):
        return f"is a Core ML model; {_ORIGINAL}"
    if path.suffix.lower() == ".bin" and path.with_suffix(".xml").is_file():
        return f"holds the weights of an OpenVINO model without their names; {_ORIGINAL}"
    if path.suffix.lower() in (".safetensors", ".pt", ".pth", ".ckpt"):
        return f"does not begin as a file of its ending does, {path.suffix}: it is damaged or cut off; copy it again"
    if _is_text(head):
        return "is a text and holds no weights; open a .safetensors file, or one of torch.save"
    return "is of a kind that is not known here; open a .safetensors file, or one of torch.save"


def name_other_archive(names: Collection[str]) -> str:
    """The same of a zip archive, by the names in it, where neither torch.save nor NumPy wrote it."""
    leaves = {PurePosixPath(name).name for name in names}
    if "model.weights.h5" in leaves:
        return f"is a Keras model; {_KERAS}"
    if "Manifest.json" in leaves and any(".mlpackage" in name or name.endswith(".mlmodel") for name in names):
        return f"is a zipped Core ML package; {_ORIGINAL}"
    return f"is a zip archive that torch.save did not write; {_unpack('unzip', names)}"


def name_other_folder(names: Collection[str]) -> str | None:
    """What a folder is that holds no checkpoint, by the names in it; None where that is unknown."""
    if "saved_model.pb" in names or "keras_metadata.pb" in names:
        return f"is a SavedModel of TensorFlow; {_TENSORFLOW}"
    if "checkpoint" in names and any(".data-00000-of-" in name for name in names):
        return f"is a checkpoint of TensorFlow; {_TENSORFLOW}"
    if "Manifest.json" in names and "Data" in names:
        return f"is a Core ML package; {_ORIGINAL}"
    if any(name.endswith(".xml") for name in names) and any(name.endswith(".bin") for name in names):
        return f"is an OpenVINO model, whose weights have no names of layers; {_ORIGINAL}"
    if "weights.npz" in names:
        return "holds an .npz file of arrays; write them with safetensors.numpy.save_file(dict(numpy.load(path)), path)"
    return None


def _name_markup(text: bytes) -> str:
    lower = text[:HEAD].lower()
    if b"<net" in lower and b"<html" not in lower:
        return f"describes an OpenVINO model, whose weights have no names of layers; {_ORIGINAL}"
    if lower.startswith((b"<?xml", b"<error", b"<svg", b"<plist")) and b"<html" not in lower:
        return "is an XML text, as servers answer with when they refuse; download the file itself again"
    return "is a page of the web, not what it links to; download the file itself"


def _name_tar(path: Path) -> str:
    names = []
    try:
        with tarfile.open(path, mode="r:") as archive:
            for member in archive:
                names.append(member.name)
                if len(names) == MEMBERS_MOST:
                    break
    except (tarfile.TarError, OSError, ValueError, EOFError):
        return "is a tar archive that is damaged or cut off; copy it again"
    leaves = {PurePosixPath(name).name for name in names}
    if {"sys_info", "storages"} <= leaves:
        return "is of torch before 0.1.10; load it with a torch of its time and save its state_dict"
    kind = "is a NeMo archive" if {"model_config.yaml", "model_weights.ckpt"} <= leaves else "is a tar archive"
    return f"{kind}; {_unpack('tar -xf', names)}"


def _unpack(command: str, names: Collection[str]) -> str:
    weights = sorted(PurePosixPath(name).name for name in names if name.lower().endswith(WEIGHTS))
    weights = [name for name in weights if not name.startswith("._")]  # of macOS, beside each file
    if not weights:
        return "no file in it has the ending of a checkpoint"
    named = "".join(c if c.isprintable() else "?" for c in weights[0][:100])
    others = f", or another of the {len(weights)} in it" if len(weights) > 1 else ""
    return f"unpack it ({command} FILE), and open {named}{others}"


def _name_pickle(path: Path, label: str) -> str:
    outline = Outline()
    with path.open("rb") as file:
        try:
            content = outline.read(BytesIO(file.read(PICKLE_MOST)))
        except DamagedPickleError as error:
            return str(error) if ";" in str(error) else f"{error}; copy it again, or save it again"
    if outline.foreign:
        return refuse_whole_objects(label, outline.foreign, content, pickled=True).removeprefix(f"{label} ")
    return "is a plain pickle; save the state_dict with torch.save, or as .safetensors"


def _is_msgpack(head: bytes) -> bool:
    """Whether it begins as a map does whose first key is a text."""
    sizes = {0xDE: 3, 0xDF: 5}
    at = 1 if 0x81 <= head[0] <= 0x8F else sizes.get(head[0], 0)
    if not at or len(head) < at + 2:
        return False
    mark = head[at]
    start, length = (at + 1, mark & 31) if 0xA0 < mark <= 0xBF else (at + 2, head[at + 1] if mark == 0xD9 else 0)
    return length > 0 and _is_text(head[start : start + length])


def _is_core_ml(path: Path) -> bool:
    """Whether it is a protobuf of a version, a description, and a model, whose field has a number from 200 on."""
    numbers = protobuf_fields(path)
    return numbers[:2] == [1, 2] and any(200 <= number < 4000 for number in numbers)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:  # the last character may be cut off
            return False
        text = data[: error.start].decode()
    return bool(text) and all(c.isprintable() or c in "\t\r\n" for c in text)
