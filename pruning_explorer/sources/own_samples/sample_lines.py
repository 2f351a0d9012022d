"""Samples as lines: token ids, or words."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_labels import read_labels
from pruning_explorer.sources.own_samples.sample_set import SampleSet, spread
from pruning_explorer.sources.own_samples.text_lines import is_number, text_lines

LONGEST_LINE = 1 << 16
MOST_IDS = 1 << 24
"""Most token ids in all lines that are used."""

_IDS = re.compile(r"\s*[0-9]{1,9}(?:\s+[0-9]{1,9})*\s*", re.ASCII)


def read_lines(name: str, content: bytes) -> SampleSet:
    """A line per sample: token ids, or words; after a tab its label.

    Raises:
        SubjectError: there is no line, one is too long or lacks its label, or token ids are not equally many.
    """
    held = sum(bool(line.strip()) for _, line in text_lines(name, content, LONGEST_LINE))
    if not held:
        raise SubjectError(f"{name} holds no line; give one for each sample")
    used = set(spread(held))
    filled = ((number, line) for number, line in text_lines(name, content, LONGEST_LINE) if line.strip())
    lines = [(number, line.rstrip("\r\n")) for place, (number, line) in enumerate(filled) if place in used]
    numbers = [number for number, _ in lines]
    parts = [line.rpartition("\t") for _, line in lines]
    labelled = [bool(tab) for _, tab, _ in parts]
    if any(labelled) and not all(labelled):
        raise SubjectError(
            f"line {numbers[labelled.index(False)]} of {name} has no label after a tab, and others have one"
        )
    texts = [text if tab else rest for text, tab, rest in parts]
    empty = next((number for number, text in zip(numbers, texts, strict=True) if not text.strip()), None)
    if empty is not None:
        raise SubjectError(f"line {empty} of {name} has a label and nothing before it; give the sample, then a tab")
    written = [label for *_, label in parts]
    labels, class_names = read_labels(name, written, numbers, "line") if all(labelled) else (None, ())
    ids = _token_ids(name, texts)
    return SampleSet(
        name,
        inputs=() if ids is None else (ids,),
        texts=tuple(texts) if ids is None else (),
        labels=labels,
        class_names=class_names,
        held=held,
    )


def _token_ids(name: str, texts: Sequence[str]) -> Tensor | None:
    """Token ids int64 ``[N, T]``; None where the lines hold words."""
    if _IDS.fullmatch(texts[0]) and len(texts) * len(texts[0].split()) > MOST_IDS:
        raise SubjectError(f"{name} has more than {MOST_IDS:,} token ids; give shorter lines, or fewer")
    if not all(map(_IDS.fullmatch, texts)):
        if all(all(map(is_number, text.split())) for text in texts):
            raise SubjectError(
                f"{name} holds numbers that are no token ids (whole, from 0 to 999,999,999); save others as .csv"
            )
        return None
    # Row by row: as words, the ids of all of them would take many times the memory
    rows = [np.fromstring(text, dtype=np.int64, sep=" ") for text in texts]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise SubjectError(f"{name} has lines of {lengths[0]} to {lengths[-1]} token ids; fill up all to one length")
    return torch.from_numpy(np.stack(rows))
