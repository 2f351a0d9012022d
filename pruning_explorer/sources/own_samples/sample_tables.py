"""Samples as tables of numbers."""

import csv
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_arrays import LABELS
from pruning_explorer.sources.own_samples.sample_labels import read_labels
from pruning_explorer.sources.own_samples.sample_set import SampleSet, spread
from pruning_explorer.sources.own_samples.text_lines import is_number, text_lines

MOST_COLUMNS = 100_000
LONGEST_LINE = 4 << 20
MOST_NUMBERS = 1 << 25
"""Most numbers in all rows that are used."""
FEWEST_COUNTED = 4
"""Fewest columns for which a first row 0, 1, 2, … counts as titles; with fewer columns it may be a sample."""

Row = list[str]


def read_csv(name: str, content: bytes) -> SampleSet:
    """A table of numbers, a row per sample; a column called label holds numbers or names of classes.

    The first row names the columns, unless all in it are numbers. A column without a name that counts the rows is left
    out, as pandas writes one.

    Raises:
        SubjectError: a row has more columns than another, or what is no number; there are none, or too many.
    """
    head = next(_rows(name, content), None)
    if head is None:
        raise SubjectError(f"{name} is empty; give a row of numbers for each sample")
    titles = [title.strip() for title in head]
    if any(";" in title or "\t" in title for title in titles):
        sign = "semicolons" if any(";" in title for title in titles) else "tabs"
        raise SubjectError(f"{name} has its columns apart by {sign}; save it with commas, and with points in numbers")
    counted = len(titles) >= FEWEST_COUNTED and titles == [str(place) for place in range(len(titles))]
    named = counted or not all(map(is_number, titles))
    held = sum(1 for _ in _data(name, content, named, len(titles)))
    if not held:
        raise SubjectError(f"{name} holds no samples; give a row of numbers for each")
    label = _label_column(name, titles) if named else None
    columns = [place for place in range(len(titles)) if place != label]
    if not columns:
        raise SubjectError(f"{name} has labels and no column of numbers; give the inputs, too")
    used = spread(held)
    if len(used) * len(columns) > MOST_NUMBERS:
        raise SubjectError(f"{name} has {len(used):,} rows of {len(columns):,} numbers, too many; save it as .npz")
    chosen = set(used)
    values = np.empty((len(used), len(columns)), dtype=np.float64)
    written: list[str] = []
    rows = (each for each in enumerate(_data(name, content, named, len(titles))) if each[0] in chosen)
    for place, (number, row) in enumerate(rows):
        values[place] = _numbers(name, [row[column] for column in columns], number, columns, titles if named else ())
        if label is not None:
            written.append(row[label])
    remarks = ["Its first row counts the columns, and is taken as their names."] if counted else []
    if named and len(columns) > 1 and titles[columns[0]] in ("", "Unnamed: 0") and _counts(values[:, 0], used):
        values = values[:, 1:].copy()
        remarks.append("Its first column has no name and counts the rows, and is left out.")
    labels, classes = (None, ()) if label is None else read_labels(name, written, [row + 1 for row in used], "row")
    return SampleSet(
        name,
        inputs=(torch.from_numpy(values),),
        labels=labels,
        class_names=classes,
        held=held,
        remarks=tuple(remarks),
    )


class _Lines(Iterator[str]):
    """Lines for the csv reader, with a bound on a row's columns: in quotes, a row may go on over many lines."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.lines = text_lines(name, content, LONGEST_LINE)
        self.commas = 0

    def __next__(self) -> str:
        _, line = next(self.lines)
        self.commas += line.count(",")
        if self.commas >= MOST_COLUMNS:
            raise SubjectError(f"{self.name} has more than {MOST_COLUMNS:,} columns; save it as .npz")
        return line


def _rows(name: str, content: bytes) -> Iterator[Row]:
    """Rows that are not blank, one by one."""
    lines = _Lines(name, content)
    try:
        for row in csv.reader(lines, skipinitialspace=True, strict=True):
            lines.commas = 0
            if len(row) > 1 or (row and row[0].strip()):
                yield row
    except csv.Error as error:
        raise SubjectError(f"{name} cannot be read as a table ({error}); give numbers apart by commas") from None


def _data(name: str, content: bytes, named: bool, width: int) -> Iterator[Row]:
    """Rows of the samples, all as wide as the first row."""
    rows = _rows(name, content)
    if named:
        next(rows)
    for place, row in enumerate(rows):
        if len(row) != width:
            raise SubjectError(
                f"row {place + 1} of {name} has {len(row)} columns, and the first row of the file has {width}; "
                "give each sample as many"
            )
        yield row


def _label_column(name: str, titles: Sequence[str]) -> int | None:
    lower = [title.lower() for title in titles]
    found = [place for place, title in enumerate(lower) if title in LABELS]
    if not found and "x" not in lower:  # x and y are the coordinates of a point
        found = [place for place, title in enumerate(lower) if title == "y"]
    if len(found) > 1:
        some = ", ".join(titles[place] for place in found[:3])
        raise SubjectError(f"{name} has {len(found)} columns of labels ({some}); keep one")
    return found[0] if found else None


def _numbers(name: str, fields: Row, row: int, columns: Sequence[int], titles: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.fromiter(map(float, fields), dtype=np.float64, count=len(fields))
    except ValueError:
        place = next(place for place, field in enumerate(fields) if not is_number(field))
        column = repr(titles[columns[place]][:40]) if titles else str(columns[place] + 1)
        raise SubjectError(
            f"{name} has {fields[place][:40]!r} in row {row + 1} of column {column}, which is no number; only a "
            "column `label` may hold words (give texts as lines of a .txt, and nan where a number lacks)"
        ) from None


def _counts(column: NDArray[np.float64], rows: Sequence[int]) -> bool:
    """Whether a column counts the rows, from 0 or from 1."""
    places = np.asarray(rows, dtype=np.float64)
    return any(np.array_equal(column, places + first) for first in (0, 1))
