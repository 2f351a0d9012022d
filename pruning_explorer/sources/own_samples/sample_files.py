"""Samples of one's own from a file: what a network is run and judged on. Nothing in a file is ever executed."""

from collections.abc import Callable
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_arrays import read_arrays
from pruning_explorer.sources.own_samples.sample_fit import fit
from pruning_explorer.sources.own_samples.sample_images import IMAGES, read_archive, read_folder
from pruning_explorer.sources.own_samples.sample_lines import read_lines
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.own_samples.sample_tables import read_csv

Reader = Callable[[str, bytes], SampleSet]

LARGEST = 512 << 20
"""Bytes of a file; each kind bounds what it unpacks to as well."""

_READERS: dict[str, Reader] = {".npz": read_arrays, ".csv": read_csv, ".txt": read_lines, ".zip": read_archive}

ENDINGS = tuple(_READERS)
"""Of the files that samples are read from."""


def read_samples(path: Path, name: str | None = None) -> SampleSet:
    """The samples in a file or a folder, at most 2,000 of them, evenly over all.

    - ``.npz``: arrays of inputs, batch first, in the order in which ``forward`` takes them; ``labels`` (or ``y``).
    - ``.csv``: a row of numbers per sample, and a column ``label`` (numbers, or names of classes); commas between them.
    - ``.txt``: a line per sample: token ids apart by blanks, or words where the network has a tokenizer; after a tab,
      its label, or one for each token.
    - a folder of images, or a ``.zip`` of one: a folder in it for each class, if there are classes.

    Args:
        name: what to call it in messages; without it, the file's name.

    Raises:
        SubjectError: it is of another kind, too large, damaged, or empty.
    """
    called = name or path.name
    if path.is_dir():
        return read_folder(path, called)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise SubjectError(
                f"{called} is {size >> 20} MiB large, and {LARGEST >> 20} MiB is the most; keep 2,000 samples of it"
            )
        reader = _READERS.get(path.suffix.lower())
        if reader is None:
            single = (
                "put it into a folder, or a .zip of one" if path.suffix.lower() in IMAGES else "save as one of them"
            )
            raise SubjectError(f"{called} is none of {', '.join(ENDINGS)}, nor a folder of images; {single}")
        return reader(called, path.read_bytes())
    except OSError as error:
        raise SubjectError(f"{called} cannot be read ({error.strerror}); give a file of samples") from None


def fit_samples(subject: Subject, samples: SampleSet) -> Subject:
    """The same network, judged on these samples.

    They are brought into the dtype that the network takes, images also into its size and channels. The first one is
    run, and those with the least and the greatest token id, and so they are seen to fit. Where all of them at once
    would take too much memory, fewer are used, evenly over all; ``about_samples`` says so.

    Raises:
        SubjectError: they do not fit; the message shows what the network takes and what the file holds.
    """
    return fit(subject, samples)
