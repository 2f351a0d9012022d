"""Samples as arrays."""

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.npz_file import read_npz
from pruning_explorer.sources.own_samples.sample_labels import as_labels
from pruning_explorer.sources.own_samples.sample_set import SampleSet, check_equally_many, thinned

LABELS = ("labels", "label", "targets", "target", "class")
LARGEST_ARRAYS = 512 << 20


def read_arrays(name: str, content: bytes) -> SampleSet:
    """An ``.npz``: every array that is not called labels, or y, is an input, in the order of the file.

    Raises:
        SubjectError: it is damaged or too large, has labels twice or arrays of other lengths, or holds none.
    """
    arrays = read_npz(name, content, LARGEST_ARRAYS)
    found = [key for key in arrays if key.lower() in LABELS] or [key for key in arrays if key.lower() == "y"]
    if len(found) > 1:
        raise SubjectError(f"{name} has labels twice ({', '.join(found)}); save them once, as `labels`")
    labels = arrays.pop(found[0]) if found else None
    inputs = tuple(arrays.values())
    count = check_equally_many(name, inputs, labels)
    whole = SampleSet(name, inputs=inputs, labels=None if labels is None else as_labels(labels), held=count)
    return thinned(whole, MOST_ROWS)
