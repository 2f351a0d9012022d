"""CSV holds what a table says: text that a spreadsheet would compute is text, and numbers are numbers."""

import csv
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning_explorer.exports.csv_table import inert, write_csv

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1;1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", "＝1+1", "=", "-", '=";"&1']


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text_as_a_cell_and_as_a_heading(formula: str) -> None:
    written = write_csv(pd.DataFrame({"layer": [formula, "fc"], formula: [1, 2]}))
    assert cells(written) == [["layer", f"'{formula}"], [f"'{formula}", "1"], ["fc", "2"]]
    shown = inert(pd.DataFrame({"layer": pd.Series([formula], dtype=object)}))
    assert shown["layer"].tolist() == [f"'{formula}"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_no_text_is_split_and_none_begins_as_a_formula(texts: list[str]) -> None:
    """Also by a reader that takes semicolons or tabs for separators: all text is in quotes."""
    written = write_csv(pd.DataFrame({"layer": texts, "count": range(len(texts))}))
    rows = cells(written)
    assert [row[0].removeprefix("'") for row in rows[1:]] == [text.removeprefix("'") for text in texts]
    assert [row[1] for row in rows[1:]] == [str(count) for count in range(len(texts))]
    for row in rows:
        assert row[0][:1] not in {*"=+-@\t\r\n"} or row[0].lstrip("+-").replace(".", "").isascii()
    for delimiter in ";\t":
        for row in csv.reader(StringIO(written, newline=""), delimiter=delimiter):
            assert all(not cell.startswith(("=", "@")) for cell in row)


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame(
        {
            "change": [-0.5, np.nan, 1e-9],
            "count": [-1, 2, 3],
            "amount": pd.array([None, -0.25, 1], dtype="Float64"),
            "right": [True, False, True],
            "text": ["-3", "+2.5", "-1e-3"],
        }
    )
    written = write_csv(table)
    assert cells(written)[1:] == [
        ["-0.5", "-1", "", "True", "-3"],
        ["", "2", "-0.25", "False", "+2.5"],
        ["1e-09", "3", "1.0", "True", "-1e-3"],
    ]
    read = pd.read_csv(StringIO(written))
    np.testing.assert_array_equal(read["change"], table["change"])
    assert inert(table)["change"].dtype == table["change"].dtype


def test_the_table_itself_stays_as_it_was() -> None:
    table = pd.DataFrame({"=layer": ["=1"], "n": [1]})
    inert(table)
    assert table.to_dict("list") == {"=layer": ["=1"], "n": [1]}
    assert write_csv(pd.DataFrame()).strip() == ""
