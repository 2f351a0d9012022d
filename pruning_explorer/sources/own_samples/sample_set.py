"""What a file of samples holds, before any network has seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.own_samples.sample_parts import Parts

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Samples from a file; exactly one of ``inputs``, ``images`` and ``texts`` is there.

    Attributes:
        name: of the file.
        inputs: tensors ``[N, ...]``, one for each positional input.
        images: uint8 ``[H, W, 3]`` each, of any sizes.
        texts: a line for each sample.
        labels: int64 ``[N]`` or ``[N, T]``, or float; None where there are none.
        class_names: of the labels, where the file names them.
        held: how many samples the file holds; those that are used may be fewer.
        remarks: sentences on how the file was understood, where that is not plain.
        calibration: inputs that criteria may look at, as the file has them beside those that are judged.
    """

    name: str
    inputs: tuple[Tensor, ...] = ()
    images: tuple[Image, ...] = ()
    texts: tuple[str, ...] = ()
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    held: int = 0
    remarks: tuple[str, ...] = ()
    calibration: "SampleSet | None" = None

    @property
    def count(self) -> int:
        """How many samples are used."""
        return len(self.inputs[0]) if self.inputs else len(self.images) or len(self.texts)


def classes_of(names: Sequence[str]) -> tuple[Tensor, tuple[str, ...]]:
    """Labels int64 ``[N]`` by the sorted names of the classes.

    >>> classes_of(["cat", "dog", "cat"])
    (tensor([0, 1, 0]), ('cat', 'dog'))
    """
    classes = sorted(set(names))
    places = {name: place for place, name in enumerate(classes)}
    return torch.tensor([places[name] for name in names], dtype=torch.int64), tuple(classes)


def check_equally_many(name: str, inputs: Sequence[Tensor], labels: Tensor | None) -> int:
    """How many samples there are.

    Raises:
        SubjectError: none, or of one input more than of another.
    """
    tensors = [*inputs, *([] if labels is None else [labels])]
    if not inputs or any(each.dim() == 0 for each in tensors):
        raise SubjectError(f"{name} holds no array of samples; save inputs [N, ...], and labels [N] if there are any")
    counts = sorted({len(each) for each in tensors})
    if len(counts) > 1:
        raise SubjectError(f"{name} holds arrays of {counts} rows; inputs and labels must be equally many")
    if counts[0] == 0:
        raise SubjectError(f"{name} holds no samples; save at least one")
    return counts[0]


def spread(count: int, most: int = MOST_ROWS) -> list[int]:
    """Which of so many samples are used: evenly over all, as the first ones of a sorted file are of one class.

    >>> spread(5, 2)
    [0, 2]
    """
    return [i * count // most for i in range(most)] if count > most else list(range(count))


def thinned(samples: SampleSet, most: int) -> SampleSet:
    """At most so many of the samples, evenly over all."""
    if samples.count <= most:
        return samples
    used = spread(samples.count, most)
    return replace(
        samples,
        inputs=tuple(each[used] for each in samples.inputs),
        images=tuple(samples.images[i] for i in used) if samples.images else (),
        texts=tuple(samples.texts[i] for i in used) if samples.texts else (),
        labels=None if samples.labels is None else samples.labels[used],
    )


def judged_part(
    samples: SampleSet, parts: Parts, chosen: str, counts: Mapping[str, int], outside: int = 0
) -> SampleSet:
    """The samples of one part, with what is left aside of the file.

    Args:
        counts: how many samples each part has, as far as that is known.
        outside: how many samples are in no part.
    """
    are = "are" if outside > 1 else "is"
    stray = (f"{outside:,} that {are} in none of its parts {are} left out.",) if outside else ()
    return replace(samples, remarks=(*parts.left_aside(chosen, counts), *stray, *samples.remarks))
