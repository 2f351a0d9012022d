"""Samples as arrays."""

from collections.abc import Iterable
from dataclasses import replace

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.npz_file import names_in_npz, read_npz
from pruning_explorer.sources.own_samples.sample_labels import as_labels
from pruning_explorer.sources.own_samples.sample_parts import Parts, parts_by_name
from pruning_explorer.sources.own_samples.sample_set import SampleSet, check_equally_many, judged_part, thinned

LABELS = ("labels", "label", "targets", "target", "class")
CALIBRATION = "calibration"
"""What arrays are called that criteria may look at, and those that are judged are not among: `calibration_labels`."""
LARGEST_ARRAYS = 512 << 20


def read_arrays(name: str, content: bytes, part: str | None = None) -> SampleSet:
    """An ``.npz``: every array that is not called labels, or y, is an input, in the order of the file.

    Those called ``calibration`` and ``calibration_labels`` are calibration inputs; of several ``calibration_NAME``.

    Args:
        part: which is judged where arrays are called ``x_train`` and ``x_test``; without it the one that is held out.

    Raises:
        SubjectError: it is damaged or too large, has labels twice or arrays of other lengths, or holds none; or there
            is no such part.
    """
    arrays = read_npz(name, content, LARGEST_ARRAYS)
    parts = parts_by_name(_judged_names(arrays))
    if parts is None:
        if part is not None:
            raise SubjectError(f"{name} holds its samples in one part, so none is called {part[:60]!r}; leave it out")
        return _samples_of(name, arrays)
    chosen = parts.choose(name, part)
    of = {parts.of[key]: array for key, array in arrays.items() if key in parts.of}
    counts = {word: len(array) for (word, _), array in of.items() if array.dim()}
    seen = {key: array for key, array in arrays.items() if key.startswith(CALIBRATION)}
    judged = {rest: array for (word, rest), array in of.items() if word == chosen}
    samples = _samples_of(name if len(parts.names) == 1 else f"{name}#{chosen}", {**judged, **seen})
    return judged_part(samples, parts, chosen, counts)


def parts_of_arrays(name: str, content: bytes) -> Parts | None:
    """The parts that the names of arrays tell apart; None where there is only one.

    Raises:
        SubjectError: as :func:`read_arrays`.
    """
    return parts_by_name(_judged_names(names_in_npz(name, content, LARGEST_ARRAYS)))


def _judged_names(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(CALIBRATION)]


def _samples_of(name: str, arrays: dict[str, Tensor]) -> SampleSet:
    seen = {key: array for key, array in arrays.items() if key.startswith(CALIBRATION)}
    judged = _equally_many(name, {key: array for key, array in arrays.items() if key not in seen})
    if not seen:
        return judged
    # `calibration_x` is told from `calibration_labels` by the rest of its name
    inner = {key.removeprefix(CALIBRATION).lstrip("_") or "inputs": array for key, array in seen.items()}
    return replace(judged, calibration=_equally_many(f"`calibration` in {name}", inner))


def _equally_many(name: str, arrays: dict[str, Tensor]) -> SampleSet:
    found = [key for key in arrays if key.lower() in LABELS] or [key for key in arrays if key.lower() == "y"]
    if len(found) > 1:
        raise SubjectError(f"{name} has labels twice ({', '.join(found)}); save them once, as `labels`")
    labels = arrays.pop(found[0]) if found else None
    inputs = tuple(arrays.values())
    count = check_equally_many(name, inputs, labels)
    whole = SampleSet(name, inputs=inputs, labels=None if labels is None else as_labels(labels), held=count)
    return thinned(whole, MOST_ROWS)
