"""A checkpoint alone, without the network's code: its weights can be ranked, masked and looked at, not run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.checkpoints.earlier_pruning import EarlierPruning, fold_masks
from pruning_explorer.sources.checkpoints.fingerprint import fingerprint
from pruning_explorer.sources.checkpoints.reading import natural, read_weights
from pruning_explorer.sources.checkpoints.shards import Shards, find_shards, shown
from pruning_explorer.sources.checkpoints.stored_layers import stored_network
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights


def open_checkpoint(path: Path, *, name: str | None = None, key: str | None = None) -> Subject:
    """A network known by its weights alone, mapped from the file: a layer takes memory when it is looked at.

    What a file is shows in its content, not in its ending. Nothing in it is executed.

    Args:
        path: a ``.safetensors`` file; the index of several, as Hugging Face writes them; what ``torch.save`` made of a
            ``state_dict`` or of a training checkpoint that holds one; or a folder that holds one of these.
        name: what to call it; without it, the file's or the folder's. A key is put behind it.
        key: which network of a file that holds several, as its message names them: ``"generator"``.

    Raises:
        SubjectError: it is of another kind, broken, or holds its weights in Python objects.
        SeveralNetworksError: it holds several networks, and no key says which.
    """
    try:
        return _open(path, name, key)
    except OSError as error:
        raise SubjectError(
            f"{shown(name or path.name)} cannot be read ({error.strerror}); see that it is there"
        ) from None


def _open(path: Path, name: str | None, key: str | None) -> Subject:
    shards = find_shards(path)
    files = [StoredFile.now(each) for each in shards.files.values()]
    label = shown(name or (path.resolve() if path.is_dir() else shards.folder.resolve() if shards.names else path).name)
    alone = len(shards.files) == 1
    parts = {file: read_weights(each, label if alone else shown(file), key) for file, each in shards.files.items()}
    size = sum(each.stat().st_size for each in shards.files.values())
    first = next(iter(parts.values()))
    found = _joined(parts, shards) if shards.names else first.tensors
    tensors, earlier = fold_masks(found, label, size)
    origin = f"{first.kind}{f' in {len(parts)} files' if len(parts) > 1 else ''}, {_size(size)}"
    subject = Subject.from_module(
        stored_network(tensors, label, {path: n for each in parts.values() for path, n in each.versions.items()}),
        name=label if key is None else f"{label}#{shown(key)}",
        about=_about(found, origin, earlier, first, label, key),
        loading=_loading(list(parts.values()), earlier),
        runnable=False,
        origin=origin,
        identity=fingerprint(shards.files.values()) + (b"" if first.usual else f"#{key}".encode(errors="replace")),
        files=[file for file, part in zip(files, parts.values(), strict=True) if part.mapped],
        file_metadata={key: text for each in parts.values() for key, text in each.metadata.items()},
    )
    unread = {name: why for each in parts.values() for name, why in each.refused.items()}
    return replace(subject, refused=MappingProxyType({**subject.refused, **unread})) if unread else subject


def _joined(parts: Mapping[str, StoredWeights], shards: Shards) -> dict[str, Tensor]:
    for tensor, file in shards.names.items():
        if tensor not in parts[file].tensors:
            raise SubjectError(
                f"the index says that {shown(tensor)!r} is in {shown(file)}, and it is not; copy both again"
            )
    names = sorted(shards.names, key=natural)
    tensors = {name: parts[shards.names[name]].tensors[name] for name in names}
    # An index does not name them
    ties = {alias: name for part in parts.values() for alias, name in part.ties.items() if name in tensors}
    return tensors | {alias: tensors[name] for alias, name in ties.items() if alias not in tensors}


def _about(
    tensors: Mapping[str, Tensor],
    origin: str,
    earlier: EarlierPruning,
    read: StoredWeights,
    label: str,
    key: str | None,
) -> str:
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
    if read.refused:
        one = "One tensor is" if len(read.refused) == 1 else f"{len(read.refused):,} tensors are"
        said.append(f"{one} not read; the reason stands beside each.")
    if read.aside:
        listed = ", ".join(map(shown, read.aside[:6])) + (" and others" if len(read.aside) > 6 else "")
        said.append(f"What else is in the file is left aside: {listed}.")
    said += read.notes
    others = [shown(each) for each in read.names if each != (key or read.opened)]
    if others:
        listed = ", ".join(others[:6]) + (" and others" if len(others) > 6 else "")
        said.append(f"It holds other networks, too ({listed}): {label}#{others[0]} opens one.")
    return " ".join(said)


def _loading(parts: Sequence[StoredWeights], earlier: EarlierPruning) -> str:
    """Lines that load the weights into ``model``: all parts together, and what was pruned before folded."""
    lines = [
        "# `model` is the network that these weights belong to",
        *dict.fromkeys(each.imported for each in parts),
        "",
    ]
    lines += dict.fromkeys(line for each in parts for line in each.before)
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
