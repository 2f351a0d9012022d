"""The cliff, with labels, without, and half measured."""

import math

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.cliff import amount_marker, cliff
from pruning_explorer.figures.drift_axis import LINEAR_BELOW


def measured(amounts: list[float], *, labels: bool = True) -> pd.DataFrame:
    amount = np.array(amounts)
    quality = np.where(labels, 1 - amount**2, np.nan)
    return pd.DataFrame(
        {
            "amount": amount,
            "achieved": amount - 0.001,
            "quality": quality,
            "quality_low": quality - 0.05,
            "quality_high": quality + 0.05,
            "kl_nats": amount * 4,
            "agreement": 1 - amount / 2,
        }
    )


def trace(chart, name: str):  # type: ignore[no-untyped-def]
    return next(trace for trace in chart.figure.data if trace.name == name)


def test_traces_carry_the_numbers_of_the_table_in_order() -> None:
    chart = cliff(measured([1.0, 0.0, 0.5]), dense_quality=1.0)
    assert list(trace(chart, "pruned").x) == [0, 50, 100]
    assert list(trace(chart, "pruned").y) == [100, 75, 0]
    assert list(trace(chart, "drift").customdata) == [0, 2, 4]
    assert list(trace(chart, "dense 100.0 %").y) == [100, 100]


def test_the_drift_axis_has_its_ticks_where_its_line_is() -> None:
    chart = cliff(measured([0.0, 0.25]))
    axis = chart.figure.layout.yaxis2
    assert trace(chart, "drift").y[0] == axis.tickvals[0] == 0
    assert trace(chart, "drift").y[1] == axis.tickvals[list(axis.ticktext).index("1")]
    assert axis.tickvals[1] == pytest.approx(math.asinh(0.01 / LINEAR_BELOW) / math.log(10))


def test_title_units_and_hover() -> None:
    chart = cliff(measured([0.0, 0.5]), dense_quality=1.0)
    layout = chart.figure.layout
    assert layout.title.text == "The cliff"
    assert layout.yaxis.title.text == "accuracy (%)"
    assert layout.yaxis2.title.text == "drift, KL (nats)"
    assert layout.xaxis.title.text == "amount to remove (%)"
    hover = trace(chart, "pruned").hovertext[1].replace("<br>", " ")
    assert "At an amount of 50.0 % (49.9 % achieved) the accuracy is 75.0 %, 95 % interval 70.0 % to 80.0 %." in hover
    assert "drift from the dense answers is 2.00 nats." in trace(chart, "drift").hovertext[1].replace("<br>", " ")


def test_alt_text_tells_where_it_falls() -> None:
    alt = cliff(measured([0.0, 0.2, 0.4, 0.6]), dense_quality=1.0).alt
    assert alt.startswith("Accuracy falls below 90.0 %, nine tenths of dense, at an amount of 40.0 %.")


def test_without_labels_the_upper_panel_is_agreement() -> None:
    chart = cliff(measured([0.0, 0.5], labels=False))
    assert chart.figure.layout.yaxis.title.text == "top-1 agreement (%)"
    assert list(trace(chart, "pruned").y) == [100, 75]
    assert not any("interval" in trace.name or "dense" in trace.name for trace in chart.figure.data)


def test_the_marker_stands_at_the_amount_on_the_charts_own_axis() -> None:
    plot = cliff(measured([0.0, 0.5])).figure.layout
    marker = amount_marker(0.82, "--live-amount")
    assert 'data-percent="82.0"' in marker
    assert f"left: {plot.margin.l}px; right: {plot.margin.r}px; top: {plot.margin.t}px" in marker
    assert f"height: {plot.height - plot.margin.t - plot.margin.b}px" in marker
    assert not plot.margin.autoexpand
    low, high = plot.xaxis.range
    assert f"100% * 100 * var(--live-amount, 0.82) - 100% * {low}) / {high - low}" in marker


def test_an_amount_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"amount 82 is outside \[0, 1\]"):
        amount_marker(82, "--live-amount")


def test_what_is_measured_so_far_is_said() -> None:
    chart = cliff(measured([0.5]), planned=41)
    assert "1 of 41 amounts measured" in chart.figure.layout.title.text
    assert chart.alt.endswith("1 of 41 amounts measured so far.")
    assert "of 41" not in cliff(measured([0.5]), planned=1).figure.layout.title.text


def test_no_point_yet_is_said_in_words_at_the_same_height() -> None:
    empty = cliff(measured([]))
    assert empty.figure.layout.annotations[0].text == empty.alt == "No amount has been measured yet."
    assert empty.figure.layout.height == cliff(measured([0.5])).figure.layout.height


def test_drift_that_is_not_finite_leaves_a_gap() -> None:
    frame = measured([0.0, 0.5, 1.0])
    frame.loc[1, "kl_nats"] = math.inf
    chart = cliff(frame)
    assert np.isnan(trace(chart, "drift").y).tolist() == [False, True, False]
    assert "infinite nats" in trace(chart, "drift").hovertext[1]
