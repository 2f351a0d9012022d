"""Drift by layer, identical modules among them."""

import math

import numpy as np
import pandas as pd

from pruning_explorer.figures.layer_drift import layer_drift_chart


def drift(error: list[float]) -> pd.DataFrame:
    l2 = np.array(error, dtype=float)
    return pd.DataFrame(
        {
            "module": [f"block.{index}" for index in range(len(l2))],
            "layer_type": "Linear",
            "cosine": 1 - l2,
            "l2_normalised": l2,
            "sqnr_db": [math.inf if value == 0 else -20 * math.log10(value) for value in l2],
            "order": range(len(l2)),
        }
    )


def test_traces_carry_the_table_in_the_order_of_execution() -> None:
    chart = layer_drift_chart(drift([0.1, 0.01, 1.0]).iloc[::-1])
    error, ratio = chart.figure.data
    assert list(error.y) == [0.1, 0.01, 1.0]
    assert np.allclose(ratio.y, [20, 40, 0])
    assert list(chart.figure.layout.xaxis.ticktext) == ["block.0", "block.1", "block.2"]
    assert chart.figure.layout.yaxis.title.text == "normalised L2"
    assert chart.figure.layout.yaxis2.title.text == "SQNR (dB)"


def test_identical_modules_have_a_row_and_a_name_of_their_own() -> None:
    chart = layer_drift_chart(drift([0.0, 0.0, 0.1]))
    _, ratio, same = chart.figure.data
    assert same.name == "identical to dense"
    assert list(same.x) == [0, 1]
    assert min(same.y) > np.nanmax(ratio.y)
    assert np.isnan(ratio.y).tolist() == [True, True, False]
    assert "outputs are identical to the dense" in same.hovertext[0].replace("<br>", " ")
    assert chart.alt.startswith("The error begins at block.2 (0.100 of the dense norm)")


def test_all_identical() -> None:
    chart = layer_drift_chart(drift([0.0, 0.0]))
    assert chart.alt == "The outputs of all 2 modules are identical to the dense ones."
    assert len(chart.figure.data[2].x) == 2


def test_a_module_without_numbers_leaves_a_gap() -> None:
    frame = drift([0.1, 0.2])
    frame.loc[0, ["cosine", "l2_normalised", "sqnr_db"]] = np.nan
    chart = layer_drift_chart(frame)
    assert np.isnan(chart.figure.data[0].y).tolist() == [True, False]
    assert "could not be compared" in chart.figure.data[0].hovertext[0].replace("<br>", " ")


def test_nothing_measured_is_said_in_words() -> None:
    assert layer_drift_chart(drift([])).alt.startswith("No layer's outputs were measured")
    nothing = drift([0.1]).assign(cosine=np.nan, l2_normalised=np.nan, sqnr_db=np.nan)
    assert layer_drift_chart(nothing).alt == "No layer's outputs could be compared with the dense ones."


def test_many_modules_get_few_labels_with_both_ends() -> None:
    figure = layer_drift_chart(drift([0.1] * 80)).figure
    assert len(figure.data[0].x) == 80
    assert len(figure.layout.xaxis.tickvals) <= 15
    assert {figure.layout.xaxis.tickvals[0], figure.layout.xaxis.tickvals[-1]} == {0, 79}
