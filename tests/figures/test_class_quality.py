"""Quality by class."""

import numpy as np
import pandas as pd

from pruning_explorer.figures.class_quality import class_quality
from pruning_explorer.figures.numbers import MINUS


def quality(pruned: list[float]) -> pd.DataFrame:
    right = np.array(pruned)
    return pd.DataFrame(
        {
            "group": ["all", *(f"class {index}" for index in range(len(pruned) - 1))],
            "samples": 36,
            "dense": 0.9,
            "dense_low": 0.8,
            "dense_high": 0.95,
            "pruned": right,
            "pruned_low": right - 0.1,
            "pruned_high": right + 0.05,
            "change": right - 0.9,
        }
    )


def test_marks_and_intervals_are_those_of_the_table() -> None:
    dense, pruned = class_quality(quality([0.5, 0.25, 0.75])).figure.data
    assert (dense.name, pruned.name) == ("dense", "pruned")
    assert list(pruned.x) == [50, 25, 75]
    assert np.allclose(pruned.error_x.array, 5)
    assert np.allclose(pruned.error_x.arrayminus, 10)
    assert np.allclose(dense.error_x.arrayminus, 10)
    assert dense.marker.symbol != pruned.marker.symbol


def test_a_metrics_name_is_words_and_no_markup() -> None:
    """A function of somebody's own may be called ``<lambda>``, and plotly reads tags in what it draws."""
    chart = class_quality(quality([0.5, 0.25, 0.75]), "<b>m")
    assert chart.figure.layout.title.text == "&lt;b&gt;m by class"
    assert "<b>m" not in str(chart.figure.to_dict())


def test_title_units_hover_and_alt() -> None:
    chart = class_quality(quality([0.5, 0.25, 0.75]), "exact match")
    assert chart.figure.layout.title.text == "Exact match by class"
    assert chart.figure.layout.xaxis.title.text == "exact match (%), with 95 % intervals"
    hover = chart.figure.data[1].hovertext[1].replace("<br>", " ")
    assert "on 36 samples is 25.0 % pruned (15.0 % to 30.0 %) and 90.0 % dense (80.0 % to 95.0 %)" in hover
    assert f"{MINUS}65.0 points" in hover
    assert f"The class that loses most is class 0: {MINUS}65.0 points, from 90.0 % to 25.0 %." in chart.alt


def test_rows_stay_in_the_order_given_with_the_first_on_top() -> None:
    axis = class_quality(quality([0.5, 0.25, 0.75])).figure.layout.yaxis
    assert list(axis.ticktext) == ["<b>all</b>", "class 0", "class 1"]
    assert axis.range[0] > axis.range[1]


def test_rows_beyond_the_limit_are_counted() -> None:
    figure = class_quality(quality([0.5] * 100), limit=10).figure
    assert len(figure.data[0].x) == 10
    assert "90 more classes left out" in figure.layout.xaxis.title.text


def test_without_labels_it_is_said_in_words() -> None:
    assert class_quality(quality([0.5]).iloc[:0]).alt == "There are no labels, so no quality can be told."
