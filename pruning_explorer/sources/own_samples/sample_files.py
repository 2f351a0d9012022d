"""Samples of one's own from a file: what a network is run and judged on. Nothing in a file is ever executed."""

import re
from collections.abc import Callable
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_arrays import parts_of_arrays, read_arrays
from pruning_explorer.sources.own_samples.sample_folders import (
    parts_of_archive,
    read_archive,
    read_folder,
)
from pruning_explorer.sources.own_samples.sample_images import IMAGES
from pruning_explorer.sources.own_samples.sample_lines import read_lines
from pruning_explorer.sources.own_samples.sample_parts import Parts
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.own_samples.sample_tables import read_csv

Reader = Callable[[str, bytes], SampleSet]

LARGEST = 512 << 20
"""Most bytes of a file; each kind of file also limits what it unpacks to."""

_READERS: dict[str, Reader] = {".csv": read_csv, ".txt": read_lines}
_IN_PARTS: dict[str, tuple[Callable[[str, bytes, str | None], SampleSet], Callable[[str, bytes], Parts | None]]] = {
    ".npz": (read_arrays, parts_of_arrays),
    ".zip": (read_archive, parts_of_archive),
}
"""Kinds of files that may hold parts, with what lists these."""

ENDINGS = (".npz", ".csv", ".txt", ".zip")
"""Endings of the files from which samples are read."""


def read_samples(path: Path, part: str | None = None) -> SampleSet:
    """The samples in a file or a folder, at most 2,000 of them, evenly over all.

    - ``.npz``: arrays of inputs, batch first, in the order in which ``forward`` takes them; ``labels`` (or ``y``).
    - ``.csv``: a row of numbers per sample, and a column ``label`` (numbers, or names of classes); commas between them.
    - ``.txt``: a line per sample: token ids apart by blanks, or words where the network has a tokenizer; after a tab,
      its label, or one for each token.
    - a folder of images, or a ``.zip`` of one: a folder in it for each class, if there are classes; or one with files
      of the other kinds.

    Folders, files or arrays in it that are called train, validation or test are parts, of which one is judged.

    Args:
        part: which one; without it the one that is held out by its name, test before validation before train. It may
            also follow the path, as in ``"data.zip#train"``.

    Raises:
        SubjectError: it is of another kind, too large, damaged, or empty, or has no such part.
    """
    if part is None and not path.exists():
        path, part = _with_part(path)
    if path.is_dir():
        return read_folder(path, path.name, part)
    try:
        _check(path.name, path.stat().st_size)
        return samples_in(path.name, path.read_bytes(), part)
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read ({error.strerror}); give a file of samples") from None


def samples_in(file_name: str, content: bytes, part: str | None = None) -> SampleSet:
    """The samples in a file's content, as :func:`read_samples`; the name's ending says of which kind it is.

    Raises:
        SubjectError: as :func:`read_samples`.
    """
    ending = _check(file_name, len(content))
    if ending in _IN_PARTS:
        return _IN_PARTS[ending][0](file_name, content, part)
    if part is not None:
        raise SubjectError(f"{file_name} holds its samples in one part, so none is called {part[:60]!r}; leave it out")
    return _READERS[ending](file_name, content)


def parts_in(file_name: str, content: bytes) -> Parts | None:
    """The parts of the samples in a file's content, one of which :func:`samples_in` reads; None where it has only one.

    Raises:
        SubjectError: as :func:`read_samples`.
    """
    ending = _check(file_name, len(content))
    parts = _IN_PARTS[ending][1](file_name, content) if ending in _IN_PARTS else None
    return parts if parts is not None and len(parts.names) > 1 else None


def _with_part(path: Path) -> tuple[Path, str | None]:
    """``"data.zip#train"`` as the file that is there and the part of it."""
    words = str(path)
    for place in [found.start() for found in re.finditer("#", words)][::-1]:
        if words[:place] and Path(words[:place]).exists():
            return Path(words[:place]), words[place + 1 :]
    return path, None


def _check(file_name: str, size: int) -> str:
    """The ending of a file that may be read."""
    if size > LARGEST:
        raise SubjectError(
            f"{file_name} is {size >> 20} MiB large, and {LARGEST >> 20} MiB is the most; keep 2,000 samples of it"
        )
    ending = Path(file_name).suffix.lower()
    if ending not in ENDINGS:
        single = "put it into a folder, or a .zip of one" if ending in IMAGES else "save as one of them"
        raise SubjectError(f"{file_name} is none of {', '.join(ENDINGS)}, nor a folder of images; {single}")
    return ending
