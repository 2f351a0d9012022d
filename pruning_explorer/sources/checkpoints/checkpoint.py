"""A checkpoint alone, without the network's code: its weights can be ranked, masked and looked at, not run."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.checkpoints.about import (
    earlier_work,
    kinds_of_tensors,
    what_is_not_shown,
)
from pruning_explorer.sources.checkpoints.earlier_pruning import fold_masks
from pruning_explorer.sources.checkpoints.fingerprint import fingerprint
from pruning_explorer.sources.checkpoints.loading import loading_lines, network_of
from pruning_explorer.sources.checkpoints.quantised import read_quantised
from pruning_explorer.sources.checkpoints.reading import natural, read_weights
from pruning_explorer.sources.checkpoints.shards import METADATA, Shards, find_shards, shown
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
    path = path.absolute().parent if path.name == METADATA else path
    shards = find_shards(path)
    files = [StoredFile.now(each) for each in shards.files.values()]
    label = shown(name or (path.resolve() if path.is_dir() else shards.folder.resolve() if shards.names else path).name)
    alone = list(shards.files) == [METADATA] or (len(shards.files) == 1 and not path.is_dir())
    called = {file: label if alone else shown(file) for file in shards.files}
    parts = {file: read_weights(each, called[file], key) for file, each in shards.files.items()}
    also = [each for part in parts.values() for each in part.also]
    size = sum(each.stat().st_size for each in shards.files.values()) + sum(each.size for each in also)
    first = next(iter(parts.values()))
    found = _joined(parts, shards) if shards.names else first.tensors
    unpacked, quantised = read_quantised(found, label)
    tensors, earlier = fold_masks(unpacked, label, size)
    opened = next(iter(called.values())) if len(called) == 1 else "."
    opened += "" if key is None else f"#{key}"
    network = network_of(shards.folder, shards.files)
    lines = loading_lines(list(parts.values()), earlier.code, quantised.schemes, network)
    origin = f"{first.kind}{f' in {len(parts)} files' if len(parts) > 1 else ''}, {_size(size)}"
    return Subject.from_module(
        stored_network(tensors, label, {path: n for each in parts.values() for path, n in each.versions.items()}),
        name=label if key is None else f"{label}#{shown(key)}",
        about=" ".join(
            [
                f"A checkpoint alone ({origin}): {kinds_of_tensors(found)}. Outputs need the network itself.",
                *earlier_work(tensors, earlier, quantised),
                *what_is_not_shown(first, label, key),
            ]
        ),
        loading=lines.before,
        finishing=lines.after,
        ties_unknown=lines.ties_unknown,
        reopening=f"load_subject({opened!r})",
        runnable=False,
        refused={**quantised.refused, **{name: why for each in parts.values() for name, why in each.refused.items()}},
        origin=origin,
        identity=fingerprint([*shards.files.values(), *(each.path for each in also)])
        + (b"" if first.usual else f"#{key}".encode(errors="replace")),
        files=[*(file for file, part in zip(files, parts.values(), strict=True) if part.mapped), *also],
        file_metadata={key: text for each in parts.values() for key, text in each.metadata.items()},
    )


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


def _size(nbytes: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if nbytes >= size:
            return f"{nbytes / size:.1f} {unit}"
    return f"{nbytes} bytes"
