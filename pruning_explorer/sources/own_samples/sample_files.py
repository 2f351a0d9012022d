"""Samples of one's own from a file: what a network is run and judged on. Nothing in a file is ever executed."""

from collections.abc import Callable
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_arrays import read_arrays
from pruning_explorer.sources.own_samples.sample_images import IMAGES, read_archive, read_folder
from pruning_explorer.sources.own_samples.sample_lines import read_lines
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.own_samples.sample_tables import read_csv

Reader = Callable[[str, bytes], SampleSet]

LARGEST = 512 << 20
"""Most bytes of a file; each kind of file also limits what it unpacks to."""

_READERS: dict[str, Reader] = {".npz": read_arrays, ".csv": read_csv, ".txt": read_lines, ".zip": read_archive}

ENDINGS = tuple(_READERS)
"""Endings of the files from which samples are read."""


def read_samples(path: Path) -> SampleSet:
    """The samples in a file or a folder, at most 2,000 of them, evenly over all.

    - ``.npz``: arrays of inputs, batch first, in the order in which ``forward`` takes them; ``labels`` (or ``y``).
    - ``.csv``: a row of numbers per sample, and a column ``label`` (numbers, or names of classes); commas between them.
    - ``.txt``: a line per sample: token ids apart by blanks, or words where the network has a tokenizer; after a tab,
      its label, or one for each token.
    - a folder of images, or a ``.zip`` of one: a folder in it for each class, if there are classes.

    Raises:
        SubjectError: it is of another kind, too large, damaged, or empty.
    """
    if path.is_dir():
        return read_folder(path, path.name)
    try:
        _reader_of(path.name, path.stat().st_size)
        return samples_in(path.name, path.read_bytes())
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read ({error.strerror}); give a file of samples") from None


def samples_in(file_name: str, content: bytes) -> SampleSet:
    """The samples in a file's content, as :func:`read_samples`; the name's ending says of which kind it is.

    Raises:
        SubjectError: as :func:`read_samples`.
    """
    return _reader_of(file_name, len(content))(file_name, content)


def _reader_of(file_name: str, size: int) -> Reader:
    if size > LARGEST:
        raise SubjectError(
            f"{file_name} is {size >> 20} MiB large, and {LARGEST >> 20} MiB is the most; keep 2,000 samples of it"
        )
    ending = Path(file_name).suffix.lower()
    reader = _READERS.get(ending)
    if reader is None:
        single = "put it into a folder, or a .zip of one" if ending in IMAGES else "save as one of them"
        raise SubjectError(f"{file_name} is none of {', '.join(ENDINGS)}, nor a folder of images; {single}")
    return reader
