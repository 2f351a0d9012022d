"""Tables and lines as people and programs save them: what is meant is read, what is not clear is told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples import sample_lines, sample_tables, text_lines
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_set import SampleSet

Read = Callable[..., SampleSet]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(content: bytes | str, name: str = "s.csv") -> SampleSet:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_samples(path)

    return write_and_read


def test_a_table_of_pandas_with_and_without_its_index(read: Read) -> None:
    values = np.arange(2500 * 5.0).reshape(2500, 5) + 0.5
    table = pd.DataFrame(values)
    for frame in (table, table.rename(index=lambda place: place + 1)):
        samples = read(frame.to_csv())
        assert torch.equal(samples.inputs[0][:2], torch.from_numpy(values[:2]))
        assert samples.inputs[0].shape == (2000, 5)
        assert samples.remarks == ("Its first column has no name and counts the rows, and is left out.",)
    samples = read(table.to_csv(index=False))
    assert (samples.count, samples.held) == (2000, 2500)
    assert samples.inputs[0][0].tolist() == values[0].tolist()
    assert samples.remarks == ("Its first row counts the columns, and is taken as their names.",)
    samples = read(table.to_csv(header=False, index=False))
    assert samples.held == 2500
    assert samples.remarks == ()


def test_a_column_without_a_name_that_counts_nothing_is_an_input(read: Read) -> None:
    samples = read(",a\n5,1\n3,2\n")
    assert samples.inputs[0].tolist() == [[5.0, 1.0], [3.0, 2.0]]
    assert samples.remarks == ()


def test_lines_in_quotes_are_one_row(read: Read) -> None:
    samples = read('"a\nb",label\n1,"cat\nor dog"\n\n2,cow\n')
    assert samples.inputs[0].tolist() == [[1.0], [2.0]]
    assert samples.class_names == ("cat\nor dog", "cow")
    assert samples.held == 2


def test_windows_ends_byte_order_mark_and_no_end_at_all(read: Read) -> None:
    samples = read(b"\xef\xbb\xbflabel,a\r\n1,2\r\n0,3")
    assert samples.inputs[0].tolist() == [[2.0], [3.0]]
    assert samples.labels.tolist() == [1, 0]


def test_one_row_and_blank_rows(read: Read) -> None:
    samples = read("a,b\n\n1,2\n \n\n")
    assert (samples.count, samples.held) == (1, 1)


def test_numbers_that_lack_are_written_nan(read: Read) -> None:
    found = read("a,b\nnan,inf\n1e999,2\n").inputs[0]
    assert found.isnan().tolist() == [[True, False], [False, False]]
    assert found.isinf().tolist() == [[False, True], [True, False]]


def test_missing_labels_are_minus_one(read: Read) -> None:
    assert read("a,label\n1,-1\n2,0\n").labels.tolist() == [-1, 0]


def test_labels_beyond_whole_numbers_stay(read: Read) -> None:
    assert read("a,label\n1,1e300\n2,0\n").labels.tolist() == [1e300, 0.0]
    assert read("a,label\n1,0.5\n2,0\n").labels.tolist() == [0.5, 0.0]
    assert read("a,label\n1,2.0\n2,0\n").labels.dtype == torch.int64


TABLES: dict[str, tuple[str | bytes, str]] = {
    "semicolons": ("a;b;label\n1;2;0\n", "columns apart by semicolons; save it with commas"),
    "semicolons and decimal commas": ("1,5;2,5\n1,5;2,5\n", "columns apart by semicolons"),
    "tabs": ("a\tb\n1\t2\n", "columns apart by tabs"),
    "a label missing": ("a,label\n1,0\n2,\n", "row 2 of s.csv has no label; write one, or -1"),
    "two labels of one name": ("a,label,label\n1,0,1\n", r"2 columns of labels \(label, label\); keep one"),
    "a short row": ("a,b,label\n1,2,0\n1,2\n", "row 2 of s.csv has 2 columns, and the first row of the file has 3"),
    "rows longer than the head": ("a,b\n1,2,3\n4,5,6\n", "row 1 of s.csv has 3 columns"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "is no text in UTF-8"),
    "Latin-1": ("größe,b\n1,2\n".encode("latin-1"), r"is no text in UTF-8 \(byte 3 of line 1\)"),
    "a zero byte": ("a,b\n1,\0\n", r"'\\x00' in row 1 of column 'b'"),
    "a word without a head": ("1,2\n3,x\n", "'x' in row 2 of column 2, which is no number"),
    "texts": ("text,label\ngood film,1\n", "'good film' in row 1 of column 'text'.*give texts as lines of a .txt"),
    "ends of lines as long ago": ("a,b\r1,2\r3,4\r", "cannot be read as a table"),
    "only blanks": ("\n \n\n", "s.csv is empty"),
}


@pytest.mark.parametrize(("content", "message"), TABLES.values(), ids=TABLES.keys())
def test_tables_that_are_not_clear_are_told(read: Read, content: str | bytes, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        read(content)


def test_lines_end_where_a_line_feed_is(read: Read) -> None:
    """Other signs that Unicode ends lines with are in the midst of sentences."""
    samples = read("one\u2028two\x0bthree\x85four\t1\r\nfive\t0\r\n", "s.txt")
    assert samples.texts == ("one\u2028two\x0bthree\x85four", "five")
    assert samples.labels.tolist() == [1, 0]


def test_a_label_for_each_token(read: Read) -> None:
    samples = read("1 2 3\t0 -1 2\n3 4 5\t1 1 1\n", "s.txt")
    assert samples.inputs[0].tolist() == [[1, 2, 3], [3, 4, 5]]
    assert samples.labels.tolist() == [[0, -1, 2], [1, 1, 1]]


LINES: dict[str, tuple[str, str]] = {
    "a label missing": ("1 2\t0\n\n\n3 4\n", "line 4 of s.txt has no label after a tab"),
    "an empty label": ("1 2\t0\n3 4\t\n", "line 2 of s.txt has no label"),
    "a label alone": ("good\t1\n\t1\n", "line 2 of s.txt has a label and nothing before it"),
    "fractions": ("0.5 1\n2 3\n", "numbers that are no token ids"),
    "below zero": ("-1 3\n2 3\n", "numbers that are no token ids"),
    "beyond all vocabularies": ("12345678901 3\n2 3\n", "numbers that are no token ids"),
    "labels of other lengths": ("1 2 3\t0 1 2\n3 4 5\t1 1\n", "labels of 2 to 3 numbers; give each sample as many"),
}


@pytest.mark.parametrize(("content", "message"), LINES.values(), ids=LINES.keys())
def test_lines_that_are_not_clear_are_told(read: Read, content: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        read(content, "s.txt")


def test_what_would_fill_the_memory_is_refused_while_it_is_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row in quotes may go on over all lines, and a quote that is never closed, too."""
    with pytest.raises(SubjectError, match="more than 100,000 columns; save it"):
        read('"\n",' * 100_001)
    with pytest.raises(SubjectError, match="cannot be read as a table"):
        read('a,b\n"' + "1\n" * 100_000)
    with pytest.raises(SubjectError, match=r"line 2 of s\.csv has more than 4,194,304 bytes"):
        read("a,b\n" + "1" * (5 << 20))
    monkeypatch.setattr(sample_tables, "MOST_NUMBERS", 5)
    with pytest.raises(SubjectError, match="2 rows of 3 numbers, too many; save it"):
        read("1,2,3\n4,5,6\n")
    monkeypatch.setattr(sample_lines, "MOST_IDS", 5)
    with pytest.raises(SubjectError, match="more than 5 token ids"):
        read("1 2 3\n4 5 6\n", "s.txt")
    monkeypatch.setattr(text_lines, "MOST_LINES", 3)
    for name in ("s.csv", "s.txt"):
        with pytest.raises(SubjectError, match="more than 3 lines; keep a few thousand"):
            read("\n\n\n\n", name)
