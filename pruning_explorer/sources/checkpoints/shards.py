"""Which files a checkpoint is made of: one, those that an index names, or what a folder holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.kinds import is_checkpoint
from pruning_explorer.sources.checkpoints.other_kinds import name_other_folder

CHECKPOINTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
"""Usual endings; a file is what its content says, whatever it ends in."""
METADATA = ".metadata"
"""What torch.distributed.checkpoint calls the list of what its folder holds."""
INDEX_MOST = 8 << 20
SHARDS_MOST = 1000

_USUAL = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
)


@dataclass(frozen=True)
class Shards:
    """The files of one checkpoint.

    Attributes:
        folder: where they lie.
        files: the file itself, or each that the index names, by what it is called there.
        names: tensor -> file by that name; empty where there is no index.
    """

    folder: Path
    files: Mapping[str, Path]
    names: Mapping[str, str]


def find_shards(path: Path) -> Shards:
    """The files of the checkpoint at a path.

    Args:
        path: a file, an index file, or a folder that holds one of them.

    Raises:
        SubjectError: there is none, or more than one; or an index that is broken, or names what is not beside it.
    """
    if path.is_dir() and (path / METADATA).is_file():
        return Shards(path, {path.name: path / METADATA}, {})
    if path.is_dir():
        path = inside_folder(path, _only_checkpoint(path).name)
    if not path.is_file():
        raise SubjectError(f"there is no file {shown(path.name)}; give the path of a checkpoint")
    with path.open("rb") as file:
        is_index = file.read(64).lstrip().startswith(b"{")
    if not is_index:
        return Shards(path.parent, {path.name: path}, {})
    names = _read_index(path)
    files = sorted(set(names.values()))
    if len(files) > SHARDS_MOST:
        raise SubjectError(f"{shown(path.name)} names {len(files):,} files, and {SHARDS_MOST:,} is the most")
    return Shards(path.parent, {name: inside_folder(path.parent, name) for name in files}, names)


def shown(text: str) -> str:
    """A name of a file, or in one, as it can be said in one line."""
    text = text if len(text) <= 100 else f"{text[:99]}…"
    return "".join(c if c.isprintable() else "?" for c in text)


def broken_link(path: Path) -> str:
    """What to say of a link to a file that is not there."""
    return (
        f"{shown(path.name)} is a link to {shown(str(path.readlink()))}, which is not there; put the file itself "
        "in its place"
    )


def reason_of(error: Exception, path: Path, label: str) -> str:
    """What a library says of a file, in one line, by the name that the person knows it by."""
    said = str(error).partition("\n")[0].replace(str(path), label)[:200] or type(error).__name__
    too_large = "Cannot allocate memory" in said
    return f"{said}: it is larger than the memory here, so it is best opened in parts" if too_large else said


def _only_checkpoint(folder: Path) -> Path:
    lying = {each.name: each for each in folder.iterdir()}
    inside = {name: each for name, each in lying.items() if each.is_file()}
    for usual in _USUAL:
        if usual in inside:
            return inside[usual]
    found = [each for name, each in sorted(inside.items()) if name.endswith(".index.json")]
    found = found or [each for name, each in sorted(inside.items()) if name.lower().endswith(CHECKPOINTS)]
    broken = [each for name, each in sorted(lying.items()) if each.is_symlink() and not each.exists()]
    broken = [each for each in broken if each.name.lower().endswith((*CHECKPOINTS, ".index.json"))]
    found = found or [each for name, each in sorted(inside.items()) if is_checkpoint(each)]
    if broken and not found:
        raise SubjectError(broken_link(broken[0]))
    label = shown(folder.resolve().name)
    if not found and (what := name_other_folder(lying)):
        raise SubjectError(f"the folder {label} {what}")
    if len(found) != 1:
        several = ", ".join(shown(each.name) for each in found[:6])
        what = f"more than one checkpoint ({several}); give the path of one" if found else "no checkpoint"
        raise SubjectError(f"the folder {label} holds {what}")
    return found[0]


def _read_index(path: Path) -> dict[str, str]:
    label = shown(path.name)
    if path.stat().st_size > INDEX_MOST:
        raise SubjectError(f"{label} is no index of a checkpoint: it is larger than {INDEX_MOST >> 20} MiB")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise SubjectError(f"{label} is no JSON ({str(error)[:100]}); copy it again") from None
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names or not all(isinstance(each, str) for each in names.values()):
        raise SubjectError(
            f"{label} is no checkpoint and no index of one: it has no weight_map from tensors to files; open the "
            ".safetensors file, or the index that lies beside its parts"
        )
    return names


def inside_folder(folder: Path, name: str, who: str = "the index") -> Path:
    """A file of that name in the folder itself, whatever a link says, or who names it.

    Raises:
        SubjectError: it lies elsewhere, or is missing.
    """
    if not name.isprintable() or not name.strip(".") or Path(name).name != name or "\\" in name or ":" in name:
        raise SubjectError(f"{who} names {shown(name)!r}, which does not lie beside it; it is not opened")
    path = folder / name
    if path.is_symlink() and not path.exists():
        raise SubjectError(broken_link(path))
    if not path.is_file():
        raise SubjectError(f"{shown(name)} is missing, which {who} names; put all parts of the checkpoint beside it")
    home, place = folder.resolve(), path.resolve().parent
    # The hub's cache keeps what its snapshots link to in a folder of their own
    cached = home.parent.name == "snapshots" and place == home.parent.parent / "blobs"
    if place != home and not cached:
        raise SubjectError(
            f"{shown(name)} is a link to another folder ({shown(str(path.readlink()))}), so it is not opened; put that "
            "file itself there, or give its own path"
        )
    return path
