"""A file by its content, whatever it is called: which kind it is of, and its weights."""

import re
from collections.abc import Iterable
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.distributed import networks_of_folder, read_distributed
from pruning_explorer.sources.checkpoints.gguf_file import read_gguf
from pruning_explorer.sources.checkpoints.kinds import GGUF, LEGACY, ZIP, head_of, is_onnx
from pruning_explorer.sources.checkpoints.onnx_file import read_onnx
from pruning_explorer.sources.checkpoints.other_kinds import name_other_kind
from pruning_explorer.sources.checkpoints.safetensors_file import read_safetensors
from pruning_explorer.sources.checkpoints.shards import METADATA, shown
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights
from pruning_explorer.sources.checkpoints.torch_file import TorchFile, read_torch
from pruning_explorer.sources.checkpoints.torch_file import networks_in as networks_of_torch

PIECES = ".distcp"


def read_weights(path: Path, label: str, key: str | None = None) -> StoredWeights:
    """The weights in one file.

    Args:
        label: what to call the file.
        key: which network in it, where it holds several.

    Raises:
        SubjectError: it is of no kind that is read here, or broken.
        SeveralNetworksError: it holds several networks, and no key says which.
    """
    head = head_of(path)
    if not head:
        raise SubjectError(f"{label} is empty; copy it again")
    if path.suffix == PIECES or label.endswith(PIECES):
        raise SubjectError(
            f"{label} holds pieces of a checkpoint of torch.distributed.checkpoint; open the folder that it lies in, "
            "with its .metadata"
        )
    if head.startswith((ZIP, LEGACY)):
        return _of_torch(read_torch(path, label, key), label)
    if path.name == METADATA:
        return read_distributed(path, label, key)
    if key is not None:
        raise SubjectError(f"{label} holds one network, so it opens without #{shown(key)}")
    if head[8:9] == b"{":
        return _of_safetensors(path, label)
    if head.startswith(GGUF):
        return read_gguf(path, label)
    if is_onnx(path):
        return read_onnx(path, label)
    raise SubjectError(f"{label} {name_other_kind(path, head, label)}")


def networks_in(path: Path, label: str) -> tuple[str, ...]:
    """The names of the networks in a file, as one writes them behind ``FILE#``; empty where there is nothing to choose.

    Raises:
        SubjectError: as :func:`read_weights`, but for several networks.
    """
    if path.name == METADATA:
        return networks_of_folder(path, label)
    return networks_of_torch(path, label) if head_of(path).startswith((ZIP, LEGACY)) else ()


def natural(name: str) -> list[tuple[int, str]]:
    """Blocks in the order of their numbers: some files are sorted by letters, which puts 10 before 2."""
    return [(int(part), "") if part.isdecimal() and len(part) < 10 else (-1, part) for part in re.split(r"(\d+)", name)]


def _of_safetensors(path: Path, label: str) -> StoredWeights:
    stored = read_safetensors(path, label)
    imported, loaded = "from safetensors.torch import load_file", f"load_file({label!r})"
    tensors = dict(sorted(stored.tensors.items(), key=lambda item: natural(item[0])))
    # After all others: a tensor's first name is the one that it has in the file
    tensors |= {alias: tensors[name] for alias, name in stored.ties.items()}
    return StoredWeights(tensors, ".safetensors", imported, loaded, ties=stored.ties, metadata=stored.metadata)


def _of_torch(read: TorchFile, label: str) -> StoredWeights:
    kind = "state_dict of torch.save" if read.mapped else "state_dict of torch.save (before 1.6)"
    inside = "".join(f"[{key!r}]" for key in read.keys)
    # By the ending .safetensors torch would read a file of that kind, not its own
    file = f"open({label!r}, 'rb')" if label.endswith(".safetensors") else repr(label)
    loaded = f"torch.load({file}, map_location='cpu', weights_only={read.plain}){inside}"
    before: tuple[str, ...] = ()
    notes: list[str] = []
    if read.script:
        kind, loaded = "TorchScript", f"torch.jit.load({label!r}, map_location='cpu').state_dict()"
        notes += ["It is TorchScript: its code is left aside unread."]
        before = ("# This runs the code that is in the file: load it only where you trust it",)
        if all(name.startswith("CONSTANTS.") for name in read.tensors):
            notes += ["It was frozen, so its weights are constants without names of their own."]
            mapping = f"torch.jit.load({label!r}, map_location='cpu').code_with_constants[1].const_mapping"
            loaded = f"{{f'CONSTANTS.{{name}}': each for name, each in {mapping}.items()}}"
    elif not read.plain:
        before = ("# This builds objects of its author's classes: load it only where you trust it",)
    if read.foreign:
        notes += [f"It names code of its author's ({_listed(read.foreign)}); nothing of that was run."]
    return StoredWeights(
        read.tensors,
        kind,
        "import torch",
        loaded,
        read.aside,
        read.versions,
        mapped=read.mapped,
        refused={
            name: f"a {kind} tensor has no plain weights; save the state_dict of the network before it is made so"
            for name, kind in read.special.items()
        },
        notes=tuple(notes),
        before=before,
        names=read.names,
        opened=".".join(map(str, read.keys)),
        usual=read.usual,
    )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(map(shown, names[:6])) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
