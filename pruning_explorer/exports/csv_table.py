"""Tables as CSV that a spreadsheet shows and never computes: the names in them come from strangers' files.

As OWASP describes (CSV Injection): text that would be a formula begins with an apostrophe, and all text stands in
quotes, so that no separator of any country splits it.
"""

import csv
import re

import pandas as pd

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]|\s+[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def write_csv(table: pd.DataFrame) -> str:
    """The rows under one line of headings; numbers as they are, and empty where there is none.

    >>> print(write_csv(pd.DataFrame({"layer": ["=1+1", "fc"], "change": [-0.5, 2.0]})), end="")
    "layer","change"
    "'=1+1",-0.5
    "fc",2.0
    """
    return inert(table).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """The table, with an apostrophe before each text, headings too, that a spreadsheet would compute.

    Numbers stay numbers, in columns of numbers and where a text is one, ``"-3"``. Streamlit's own button writes a table
    that it shows as CSV just as it is, so what is shown goes through this, too.
    """
    made = table.copy(deep=False)
    for name, column in table.items():
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            made[name] = column.map(_as_text)
    return made.rename(columns=_as_text)


def _as_text(cell: object) -> object:
    formula = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if formula else cell
