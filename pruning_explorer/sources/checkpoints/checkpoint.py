"""A checkpoint alone, without the network's code: its weights can be ranked, masked and looked at, not run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.checkpoints.earlier_pruning import EarlierPruning, fold_masks
from pruning_explorer.sources.checkpoints.fingerprint import fingerprint
from pruning_explorer.sources.checkpoints.other_kinds import HEAD, name_other_kind
from pruning_explorer.sources.checkpoints.safetensors_file import read_safetensors
from pruning_explorer.sources.checkpoints.shards import Shards, find_shards, shown
from pruning_explorer.sources.checkpoints.stored_layers import stored_network
from pruning_explorer.sources.checkpoints.torch_file import LEGACY, ZIP, read_torch


@dataclass(frozen=True)
class _Weights:
    """Tensors by name, and what is to be said of the file they come from.

    Attributes:
        kind: of the file, in a few words.
        imported: the line of Python that imports what reads it.
        loaded: the expression that reads it.
        aside: what else is in it, by name.
        mapped: False where it was read whole.
    """

    tensors: dict[str, Tensor]
    kind: str
    imported: str
    loaded: str
    aside: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    ties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    mapped: bool = True


def open_checkpoint(path: Path, *, name: str | None = None) -> Subject:
    """A network known by its weights alone, mapped from the file: a layer takes memory when it is looked at.

    What a file is shows in its content, not in its ending. Nothing in it is executed.

    Args:
        path: a ``.safetensors`` file; the index of several, as Hugging Face writes them; what ``torch.save`` made of a
            ``state_dict`` or of a training checkpoint that holds one; or a folder that holds one of these.
        name: what to call it; without it, the file's or the folder's.

    Raises:
        SubjectError: it is of another kind, broken, or holds Python objects.
    """
    try:
        return _open(path, name)
    except OSError as error:
        raise SubjectError(
            f"{shown(name or path.name)} cannot be read ({error.strerror}); see that it is there"
        ) from None


def _open(path: Path, name: str | None) -> Subject:
    shards = find_shards(path)
    files = [StoredFile.now(each) for each in shards.files.values()]
    label = shown(name or (path.resolve() if path.is_dir() else shards.folder.resolve() if shards.names else path).name)
    parts = {file: _read(each, label if len(shards.files) == 1 else shown(file)) for file, each in shards.files.items()}
    size = sum(each.stat().st_size for each in shards.files.values())
    first = next(iter(parts.values()))
    found = _joined(parts, shards) if shards.names else first.tensors
    tensors, earlier = fold_masks(found, label, size)
    origin = f"{first.kind}{f' in {len(parts)} files' if len(parts) > 1 else ''}, {_size(size)}"
    return Subject.from_module(
        stored_network(tensors, label, {path: n for each in parts.values() for path, n in each.versions.items()}),
        name=label,
        about=_about(found, origin, earlier, first.aside),
        loading=_loading(list(parts.values()), earlier),
        runnable=False,
        origin=origin,
        identity=fingerprint(shards.files.values()),
        files=[file for file, part in zip(files, parts.values(), strict=True) if part.mapped],
        file_metadata={key: text for each in parts.values() for key, text in each.metadata.items()},
    )


def _read(path: Path, label: str) -> _Weights:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise SubjectError(f"{label} is empty; copy it again")
    if head.startswith((ZIP, LEGACY)):
        read = read_torch(path, label)
        kind = "state_dict of torch.save" if read.mapped else "state_dict of torch.save (before 1.6)"
        inside = "".join(f"[{key!r}]" for key in read.keys)
        loaded = f"torch.load({label!r}, map_location='cpu', weights_only=True){inside}"
        return _Weights(read.tensors, kind, "import torch", loaded, read.aside, read.versions, mapped=read.mapped)
    if head[8:9] == b"{":
        stored = read_safetensors(path, label)
        imported, loaded = "from safetensors.torch import load_file", f"load_file({label!r})"
        tensors = dict(sorted(stored.tensors.items(), key=lambda item: _natural(item[0])))
        # After all others: a tensor's first name is the one that it has in the file
        tensors |= {alias: tensors[name] for alias, name in stored.ties.items()}
        return _Weights(tensors, ".safetensors", imported, loaded, ties=stored.ties, metadata=stored.metadata)
    raise SubjectError(f"{label} {name_other_kind(path, head, label)}")


def _natural(name: str) -> list[tuple[int, str]]:
    """Blocks in the order of their numbers: these files are sorted by letters, which puts 10 before 2."""
    return [(int(part), "") if part.isdecimal() and len(part) < 10 else (-1, part) for part in re.split(r"(\d+)", name)]


def _joined(parts: Mapping[str, _Weights], shards: Shards) -> dict[str, Tensor]:
    for tensor, file in shards.names.items():
        if tensor not in parts[file].tensors:
            raise SubjectError(
                f"the index says that {shown(tensor)!r} is in {shown(file)}, and it is not; copy both again"
            )
    names = sorted(shards.names, key=_natural)
    tensors = {name: parts[shards.names[name]].tensors[name] for name in names}
    # An index does not name them
    ties = {alias: name for part in parts.values() for alias, name in part.ties.items() if name in tensors}
    return tensors | {alias: tensors[name] for alias, name in ties.items() if alias not in tensors}


def _about(tensors: Mapping[str, Tensor], origin: str, earlier: EarlierPruning, aside: tuple[str, ...]) -> str:
    counts: dict[str, int] = {}
    for tensor in tensors.values():
        dtype = str(tensor.dtype).removeprefix("torch.")
        counts[dtype] = counts.get(dtype, 0) + 1
    dtypes = " and ".join(sorted(counts, key=lambda dtype: -counts[dtype])[:4])
    several = "tensor" if len(tensors) == 1 else "tensors"
    said = [
        f"A checkpoint alone ({origin}): {len(tensors):,} {several} of {dtypes}.",
        "Outputs need the network itself.",
    ]
    if earlier.names:
        layers = "one parameter" if len(earlier.names) == 1 else f"{len(earlier.names):,} parameters"
        share = earlier.zeros / max(earlier.weights, 1)
        said.append(f"It came pruned: masks of {layers} remove {share:.1%} of their {earlier.weights:,} weights.")
    if aside:
        listed = ", ".join(map(shown, aside[:6])) + (" and others" if len(aside) > 6 else "")
        said.append(f"What else is in the file is left aside: {listed}.")
    return " ".join(said)


def _loading(parts: Sequence[_Weights], earlier: EarlierPruning) -> str:
    """Lines that load the weights into ``model``: all parts together, and what was pruned before folded."""
    lines = [
        "# `model` is the network that these weights belong to",
        *dict.fromkeys(each.imported for each in parts),
        "",
    ]
    if len(parts) == 1:
        lines += [f"weights = {parts[0].loaded}"]
    else:
        lines += ["weights = {", *(f"    **{each.loaded}," for each in parts), "}"]
    if earlier.names:
        lines += [
            "for name in [name for name in weights if name.endswith('_orig')]:",
            "    stem = name.removesuffix('_orig')",
            "    weights[stem] = weights.pop(name) * weights.pop(f'{stem}_mask')",
        ]
    return "\n".join([*lines, "model.load_state_dict(weights)"])


def _size(nbytes: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if nbytes >= size:
            return f"{nbytes / size:.1f} {unit}"
    return f"{nbytes} bytes"
