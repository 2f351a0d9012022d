"""Samples as arrays, as tables of numbers, and as lines."""

import csv
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.npz_file import read_npz
from pruning_explorer.sources.sample_set import SampleSet, check_equally_many, classes_of, spread, thinned

LABELS = ("labels", "label", "targets", "target", "class")
LARGEST_ARRAYS = 512 << 20
MOST_COLUMNS = 100_000
LONGEST_LINE = 1 << 16


def read_arrays(name: str, content: bytes) -> SampleSet:
    """An ``.npz``: every array that is not called labels, or y, is an input, in the order of the file."""
    arrays = read_npz(name, content, LARGEST_ARRAYS)
    found = [key for key in arrays if key.lower() in LABELS] or [key for key in arrays if key.lower() == "y"]
    if len(found) > 1:
        raise SubjectError(f"{name} has labels twice ({', '.join(found)}); save them once, as `labels`")
    labels = arrays.pop(found[0]) if found else None
    inputs = tuple(arrays.values())
    count = check_equally_many(name, inputs, labels)
    whole = SampleSet(name, inputs=inputs, labels=None if labels is None else _as_labels(labels), held=count)
    return thinned(whole, MOST_ROWS)


def _as_labels(labels: Tensor) -> Tensor:
    """Whole numbers as int64, which counts of classes are; others stay, for a metric of one's own."""
    if not labels.is_floating_point():
        return labels.long()
    whole = (labels == labels.round()) & (labels.abs() < 2**31)
    return labels.long() if bool(whole.all()) else labels


def read_csv(name: str, content: bytes) -> SampleSet:
    """A table of numbers, a row per sample; a column called label holds numbers or names of classes."""
    text = _decode(name, content)
    head = text.partition("\n")[0]
    if head.count(",") >= MOST_COLUMNS:
        raise SubjectError(f"{name} has more than {MOST_COLUMNS:,} columns; save it as .npz")
    try:
        fields = next(csv.reader([head]), [])
        header = None if fields and all(map(_is_number, fields)) else 0
        used, rows = _used_lines(text, 0 if header is None else 1)
        # Words and numbers alike as they stand: NA may be a class, and an empty field is a mistake to be told
        table = pd.read_csv(
            io.StringIO(used), header=header, nrows=MOST_ROWS, skipinitialspace=True, keep_default_na=False, dtype=str
        )
    except (ValueError, csv.Error, OverflowError, RecursionError) as error:  # pandas' own errors are ValueErrors
        reason = " ".join(str(error).split())[:200]
        raise SubjectError(f"{name} cannot be read as a table ({reason}); give numbers apart by commas") from None
    if table.empty or not len(table.columns):
        raise SubjectError(f"{name} holds no samples; give a row of numbers for each")
    titles = [str(column).strip().lower() for column in table.columns]
    named = [column for column, title in zip(table.columns, titles, strict=True) if title in LABELS]
    if not named and "y" in titles and "x" not in titles:  # x and y are the coordinates of a point
        named = [table.columns[titles.index("y")]]
    if len(named) > 1:
        raise SubjectError(f"{name} has {len(named)} columns of labels ({', '.join(map(str, named))}); keep one")
    numbers = table.drop(columns=named)
    if not len(numbers.columns):
        raise SubjectError(f"{name} has labels and no column of numbers; give the inputs, too")
    # By position, as a table may name two columns alike
    columns = [(column, numbers.iloc[:, i]) for i, column in enumerate(numbers.columns)]
    values = np.stack([_numbers(name, column, each, rows) for column, each in columns], axis=1)
    labels, class_names = (None, ()) if not named else _labels(table[named[0]])
    held = max(text.count("\n") + (not text.endswith("\n")) - (header == 0), len(table))
    return SampleSet(name, inputs=(torch.from_numpy(values),), labels=labels, class_names=class_names, held=held)


def _used_lines(text: str, head: int) -> tuple[str, Sequence[int]]:
    """The lines of a table that are used, and which rows of it these are."""
    lines = text.count("\n") + (not text.endswith("\n")) - head
    if lines <= MOST_ROWS or '"' in text:  # in quotes a row may have several lines
        return text, range(lines)
    rows = spread(lines)
    each = text.split("\n")
    return "\n".join([*each[:head], *(each[head + row] for row in rows)]), rows


def _numbers(
    name: str, column: object, values: "pd.Series[str]", rows: Sequence[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    read = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    if np.isnan(read).any():
        place = int(np.isnan(read).argmax())
        where = f"row {rows[place] + 1}" if place < len(rows) else "a row"
        raise SubjectError(
            f"{name} has {str(values.iloc[place])[:40]!r} in {where} of column {str(column)[:40]!r}, which is no "
            "number; only a column `label` may hold words"
        )
    return read


def _labels(values: "pd.Series[str]") -> tuple[Tensor, tuple[str, ...]]:
    words = [word.strip() for word in values]
    if all(map(_is_number, words)):
        return _as_labels(torch.tensor([float(word) for word in words], dtype=torch.float64)), ()
    return classes_of(words)


def read_lines(name: str, content: bytes) -> SampleSet:
    """A line per sample: token ids, or words; after a tab its label."""
    lines = [line for line in _decode(name, content).splitlines() if line.strip()]
    if not lines:
        raise SubjectError(f"{name} holds no line; give one for each sample")
    rows = spread(len(lines))
    used = [lines[row] for row in rows]
    longest = next((row for row, line in zip(rows, used, strict=True) if len(line) > LONGEST_LINE), None)
    if longest is not None:
        raise SubjectError(f"line {longest + 1} of {name} has more than {LONGEST_LINE:,} characters; cut it")
    parts = [line.rpartition("\t") for line in used]
    labelled = [bool(tab) for _, tab, _ in parts]
    if any(labelled) and not all(labelled):
        raise SubjectError(
            f"line {rows[labelled.index(False)] + 1} of {name} has no label after a tab, and others have one"
        )
    texts = [text if tab else rest for text, tab, rest in parts]
    labels, class_names = _labels(pd.Series([label for *_, label in parts])) if all(labelled) else (None, ())
    ids = _token_ids(name, texts)
    if ids is None:
        return SampleSet(name, texts=tuple(texts), labels=labels, class_names=class_names, held=len(lines))
    return SampleSet(name, inputs=(ids,), labels=labels, class_names=class_names, held=len(lines))


def _token_ids(name: str, texts: list[str]) -> Tensor | None:
    """Token ids int64 ``[N, T]``; None where the lines hold words."""
    rows = [text.split() for text in texts]
    if not all(token.isascii() and token.isdecimal() and len(token) < 10 for row in rows for token in row):
        return None
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise SubjectError(f"{name} has lines of {lengths[0]} to {lengths[-1]} token ids; fill up all to one length")
    return torch.tensor([[int(token) for token in row] for row in rows], dtype=torch.int64)


def _decode(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubjectError(f"{name} is no text in UTF-8 (byte {error.start}); save it as UTF-8") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
