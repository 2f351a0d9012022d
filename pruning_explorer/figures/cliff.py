"""The cliff: quality and drift over the amount, and a line at the present amount laid over it."""

from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import Chart, axis_title, draw, head_room, hover, need_columns, spoken, word_chart
from pruning_explorer.figures.drift_axis import drift_axis, drift_height, quality_axis
from pruning_explorer.figures.numbers import capitalised, nats, percent
from pruning_explorer.trace import step

HEIGHT = 400
TITLE = "The cliff"
COLUMNS = ("amount", "achieved", "quality", "quality_low", "quality_high", "kl_nats", "agreement")

# shares of the plot's height: the drift panel, and the gap that holds the marker's label
LOWER_TOP, GAP = 0.36, 0.14
LEGEND_ROWS = 2
MARGIN = {"l": 62, "r": 14, "b": 48}
FROM, TO = -1, 101
"""Ends of the amount axis, in %; a little beyond 0 and 100, so that markers there are drawn whole."""


@step("chart: the cliff")
def cliff(
    frame: pd.DataFrame,
    *,
    dense_quality: float | None = None,
    quality_name: str = "accuracy",
    planned: int | None = None,
) -> Chart:
    """Quality with its 95 % interval above, drift below, over the amount.

    The line at the present amount is not part of the chart but laid over it (:func:`amount_marker`), so that the
    chart need not be drawn again when the amount changes.

    Where no quality is known (no labels) the upper panel shows how often the pruned network's first answer is the
    dense one's. Rows may come in any order and while more are being computed.

    Args:
        frame: one row per measured amount with the columns ``COLUMNS``; fractions in [0, 1], ``kl_nats`` in nats,
            the quality columns NaN where there are no labels.
        dense_quality: fraction in [0, 1] of the dense network.
        quality_name: ``"accuracy"``.
        planned: how many amounts will be measured in all, to say how far it is.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(frame, COLUMNS, "The cliff")
    if frame.empty:
        return word_chart(TITLE, "No amount has been measured yet.", HEIGHT)
    frame = frame.sort_values("amount", kind="stable")
    labelled = bool(frame["quality"].notna().any())
    name = quality_name if labelled else "top-1 agreement"
    column = "quality" if labelled else "agreement"

    traces = [_upper(frame, column, name), _drift(frame)]
    if labelled:
        traces = [*_interval(frame), *traces]
        if dense_quality is not None:
            traces.append(_dense(dense_quality))
    axes = {
        "xaxis": {
            "title": axis_title("amount to remove (%)"),
            "anchor": "y2",
            "range": [FROM, TO],
            "tickvals": [0, 20, 40, 60, 80, 100],
        },
        "yaxis": quality_axis(name, [LOWER_TOP + GAP, 1]),
        "yaxis2": drift_axis(frame["kl_nats"].to_numpy(dtype=np.float64), [0, LOWER_TOP]),
    }
    figure = draw(
        _title(len(frame), planned),
        HEIGHT,
        traces,
        axes,
        legend_rows=LEGEND_ROWS,
        margin=MARGIN,
        # anywhere in a panel, also under a finger, the nearest amount answers
        hoverdistance=-1,
    )
    return Chart(figure, _finding(frame, column, name, dense_quality if labelled else None, planned))


def _title(measured: int, planned: int | None) -> str:
    if planned is None or measured >= planned:
        return TITLE
    return f"{TITLE} <span style='font-size:12px'>({measured} of {planned} amounts measured)</span>"


def _points(frame: pd.DataFrame, **marker: Any) -> dict[str, Any]:
    # few points: show which of them were measured; many: dots would hide the line, but only points can be clicked
    opacity = 1 if len(frame) <= 30 else 0
    kept = {"marker": {"opacity": opacity}}
    return {
        "mode": "lines+markers",
        "marker": {"size": 6, "opacity": opacity, **marker},
        "selected": kept,
        "unselected": kept,
    }


def _place(row: dict[Any, Any]) -> str:
    return f"At an amount of {percent(row['amount'])} ({percent(row['achieved'])} achieved)"


def _interval(frame: pd.DataFrame) -> list[dict[str, Any]]:
    known = frame[frame["quality_low"].notna() & frame["quality_high"].notna()]
    if known.empty:
        return []
    amounts = known["amount"].to_numpy() * 100
    around = {
        "type": "scatter",
        "x": np.concatenate([amounts, amounts[::-1]]),
        "y": np.concatenate([known["quality_high"].to_numpy(), known["quality_low"].to_numpy()[::-1]]) * 100,
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": colours.translucent(colours.KEPT_LINE, 0.25),
        "hoverinfo": "skip",
        "name": "95 % interval",
    }
    return [around]


def _upper(frame: pd.DataFrame, column: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": frame["amount"].to_numpy() * 100,
        "y": frame[column].to_numpy(dtype=np.float64) * 100,
        **_points(frame),
        "cliponaxis": False,
        "line": {"color": colours.KEPT_LINE, "width": 2.5},
        "name": "pruned",
        **hover([_upper_text(row, column, name) for row in frame.to_dict("records")]),
    }


def _upper_text(row: dict[Any, Any], column: str, name: str) -> str:
    sentence = f"{_place(row)} the {name} is {percent(row[column])}"
    if column == "quality" and pd.notna(row["quality_low"]) and pd.notna(row["quality_high"]):
        sentence += f", 95 % interval {percent(row['quality_low'])} to {percent(row['quality_high'])}"
    return spoken(percent(row[column]), f"{sentence}.")


def _dense(dense_quality: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [0, 100],
        "y": [dense_quality * 100] * 2,
        "mode": "lines",
        "line": {"color": colours.DENSE_LINE, "width": 2, "dash": "dash"},
        "name": f"dense {percent(dense_quality)}",
        "hoverinfo": "skip",
    }


def _drift(frame: pd.DataFrame) -> dict[str, Any]:
    drift = frame["kl_nats"].to_numpy(dtype=np.float64)
    texts = [
        spoken(nats(row["kl_nats"]), f"{_place(row)} the drift from the dense answers is {nats(row['kl_nats'])}.")
        for row in frame.to_dict("records")
    ]
    return {
        "type": "scatter",
        "x": frame["amount"].to_numpy() * 100,
        "y": drift_height(drift),
        "yaxis": "y2",
        "customdata": drift,
        **_points(frame, symbol="square"),
        "cliponaxis": False,
        "line": {"color": colours.REMOVED, "width": 2.5, "dash": "dot"},
        "name": "drift",
        "showlegend": False,
        **hover(texts),
    }


def amount_marker(amount: float, variable: str) -> str:
    """A line over the cliff at the present amount, as HTML that fills a box of the chart's size.

    Args:
        amount: the present amount, in [0, 1].
        variable: name of a CSS variable. Where the page sets it to an amount, the line follows that instead: so it
            moves with a slider before anything is computed.

    Raises:
        ValueError: ``amount`` is outside [0, 1].
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount {amount} is outside [0, 1]")
    top, bottom = head_room(LEGEND_ROWS), MARGIN["b"]
    side = "left: 6px" if amount < 0.5 else "right: calc(100% + 8px)"
    # The line is the left edge of a sheet as wide as the plot, shifted by a transform: that shifts no layout
    shift = f"calc((100% * 100 * var({variable}, {amount!r}) - 100% * {FROM}) / {TO - FROM})"
    return (
        f'<div class="px-stand" data-percent="{amount * 100:.1f}" style="position: absolute; overflow: clip; '
        f'left: {MARGIN["l"]}px; right: {MARGIN["r"]}px; top: {top}px; height: {HEIGHT - top - bottom}px;">'
        f'<div style="position: absolute; inset: 0; border-left: 2px solid {colours.ACCENT_LINE}; '
        f'transform: translateX({shift});">'
        f'<span style="position: absolute; {side}; top: {100 * (1 - LOWER_TOP - GAP * 0.85):.0f}%; font-size: 13px; '
        f'font-weight: 600; white-space: nowrap;">you are here</span></div></div>'
    )


def _finding(frame: pd.DataFrame, column: str, name: str, dense: float | None, planned: int | None) -> str:
    known = frame[frame[column].notna()]
    if known.empty:
        return f"{len(frame)} amounts measured; {name} is known for none of them."
    start = dense if dense is not None else 1.0 if column == "agreement" else float(known[column].iloc[0])
    level = 0.9 * start
    named = f"{percent(level)}, nine tenths of {'dense' if dense is not None else 'where it starts'},"
    if column == "agreement":
        named = percent(level)
    below = known[known[column] < level]
    subject = capitalised(name)
    if below.empty:
        finding = f"{subject} stays at or above {named} up to an amount of {percent(known['amount'].iloc[-1])}."
    else:
        finding = f"{subject} falls below {named} at an amount of {percent(below['amount'].iloc[0])}."
    if planned is not None and len(frame) < planned:
        finding += f" {len(frame)} of {planned} amounts measured so far."
    return finding
