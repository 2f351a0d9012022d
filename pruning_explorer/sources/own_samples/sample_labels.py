"""Labels as files hold them: numbers of classes, their names, or numbers for a metric."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_set import classes_of
from pruning_explorer.sources.own_samples.text_lines import is_number

_SEVERAL = re.compile(r"-?[0-9]{1,9}(?: +-?[0-9]{1,9})+")


def as_labels(labels: Tensor) -> Tensor:
    """Whole numbers as int64, which counts of classes are; others stay, for a metric of one's own."""
    if not labels.is_floating_point():
        return labels.long()
    whole = (labels == labels.round()) & (labels.abs() < 2**31)
    return labels.long() if bool(whole.all()) else labels


def read_labels(name: str, written: Sequence[str], places: Sequence[int], place: str) -> tuple[Tensor, tuple[str, ...]]:
    """Labels ``[N]``, or ``[N, T]`` where each is several whole numbers; and names of classes, where these are given.

    Args:
        name: of the file, for messages.
        places: of each label in the file, counted from 1.
        place: what is counted so, ``"line"``.

    Raises:
        SubjectError: one is empty, or some are of more numbers than others.
    """
    words = [word.strip() for word in written]
    if "" in words:
        raise SubjectError(f"{place} {places[words.index('')]} of {name} has no label; write one, or -1 where it lacks")
    if all(map(is_number, words)):
        return as_labels(torch.tensor([float(word) for word in words], dtype=torch.float64)), ()
    if not all(map(_SEVERAL.fullmatch, words)):
        return classes_of(words)
    counts = sorted({len(word.split()) for word in words})
    if len(counts) > 1:
        raise SubjectError(
            f"{name} has labels of {counts[0]} to {counts[-1]} numbers; give each sample as many, -1 where one lacks"
        )
    rows = [np.fromiter(map(int, word.split()), dtype=np.int64) for word in words]
    return torch.from_numpy(np.stack(rows)), ()
