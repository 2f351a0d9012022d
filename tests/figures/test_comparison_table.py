"""The table of a comparison, read back from its HTML."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.comparison_table import comparison_table, table_frame

EVIL = '<script>alert("1")</script>'


def measured() -> pd.DataFrame:
    rows = [
        ("achieved", "Sparsity, achieved", "fraction", "", 0, "magnitude", 0.8, math.nan, math.nan, "", 0.0),
        ("achieved", "Sparsity, achieved", "fraction", "", 2, EVIL, 0.5, math.nan, math.nan, "", 0.0),
        ("parameters", "Parameters left", "count", "lower", 0, "magnitude", 12_345, math.nan, math.nan, "best", 61_725),
        ("quality", "Quality", "fraction", "higher", 0, "magnitude", 0.97, 0.95, 0.98, "tie", 0.99),
        ("quality", "Quality", "fraction", "higher", 2, EVIL, 0.975, 0.955, 0.985, "best", 0.99),
        ("kl_nats", "Drift", "nats", "lower", 0, "magnitude", 0.25, 0.2, 0.3, "", math.nan),
        ("sqnr_db", "SQNR", "dB", "higher", 0, "magnitude", math.inf, math.nan, math.nan, "", math.nan),
    ]
    columns = ["measure", "title", "unit", "better", "recipe", "name", "value", "low", "high", "verdict", "dense"]
    return pd.DataFrame(rows, columns=columns)


class Cells(HTMLParser):
    """The text of each cell, row by row; a line per piece of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self.inside = True
        elif tag == "small":
            self.rows[-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def test_cells_hold_numbers_intervals_and_verdicts_in_words() -> None:
    assert Cells(comparison_table(measured())).rows == [
        ["measure", "Amagnitude", f"C{EVIL}", "dense"],
        ["Sparsity, achieved", "80.0 %", "50.0 %", "0.0 %"],
        ["Parameters left\nlower is better ↓", "12,345\n★ best", "–", "61,725"],
        [
            "Quality\nhigher is better ↑",
            "97.0 %\n95.0 % to 98.0 %\n≈ tie with best",
            "97.5 %\n95.5 % to 98.5 %\n★ best",
            "99.0 %",
        ],
        ["Drift\nlower is better ↓", "0.250 nats\n0.200 to 0.300", "–", "–"],
        ["SQNR\nhigher is better ↑", "identical", "–", "–"],
    ]


def test_it_can_be_scrolled_by_keyboard_and_says_what_it_is() -> None:
    html = comparison_table(measured())
    tag, box = Cells(html).tags[0]
    assert (tag, box["role"], box["tabindex"]) == ("div", "region", "0")
    assert box["aria-label"]
    scopes = [attributes.get("scope") for tag, attributes in Cells(html).tags if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * 5
    assert "position:sticky" in html
    assert not html.startswith("<style")


def test_names_are_escaped() -> None:
    html = comparison_table(measured().assign(title=EVIL, measure=EVIL))
    assert "script" not in [tag for tag, _ in Cells(html).tags]


def test_each_recipe_has_its_own_colour() -> None:
    colours = re.findall(r'class="px-letter" style="border-color:(#\w+)"', comparison_table(measured()))
    assert colours == ["#0072b2", "#009e73"]


def test_flat_table_for_a_file() -> None:
    table = table_frame(measured().replace(EVIL, "wanda"))
    assert table["measure"].tolist() == ["achieved", "parameters", "quality", "kl_nats", "sqnr_db"]
    quality = table.iloc[2]
    assert (quality["A · magnitude"], quality["A · magnitude low"], quality["A · magnitude verdict"]) == (
        0.97,
        0.95,
        "tie",
    )
    assert (quality["C · wanda"], quality["C · wanda verdict"], quality["dense"]) == (0.975, "best", 0.99)
    assert np.isnan(table.iloc[1]["C · wanda"])


def test_nothing_measured_is_said_and_a_missing_column_named() -> None:
    assert comparison_table(measured().iloc[:0]) == "<p>No recipe has been measured yet.</p>"
    with pytest.raises(ValueError, match="needs the columns verdict"):
        comparison_table(measured().drop(columns="verdict"))


def test_columns_keep_their_places_and_a_tie_of_all_is_said() -> None:
    frame = measured().query("recipe == 0").assign(verdict="tie")
    html = comparison_table(frame, ["magnitude", "not measured", "wanda"])
    assert html.count('scope="col"') == 5  # measure, three recipes, dense
    assert "≈ all tie" in html
    assert "not measured" in html
