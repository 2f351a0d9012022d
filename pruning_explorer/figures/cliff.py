"""The cliff: what the network still knows at every amount, and where one stands."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import Chart, axis_title, draw, need_columns, spoken, word_chart
from pruning_explorer.figures.numbers import nats, percent

HEIGHT = 380
TITLE = "The cliff"
COLUMNS = ("amount", "achieved", "quality", "quality_low", "quality_high", "kl_nats", "agreement")

# shares of the plot's height: the drift panel, and the gap that holds the label of the present amount
LOWER_TOP, GAP = 0.36, 0.14

# below this many nats the drift axis is linear, above logarithmic: 0 and 10 both have a place on it
LINEAR_BELOW = 1e-3
DRIFT_TICKS = (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)


def cliff(
    frame: pd.DataFrame,
    amount: float,
    *,
    dense_quality: float | None = None,
    quality_name: str = "accuracy",
    planned: int | None = None,
) -> Chart:
    """Quality with its 95 % interval above, drift below, over the amount; a line where one stands.

    Where no quality is known (no labels) the upper panel shows how often the pruned network's first answer is the
    dense one's. Rows may come in any order and while more are being computed.

    Args:
        frame: one row per measured amount with the columns ``COLUMNS``; fractions in [0, 1], ``kl_nats`` in nats,
            the quality columns NaN where there are no labels.
        amount: the present amount, in [0, 1].
        dense_quality: fraction in [0, 1] of the dense network.
        quality_name: ``"accuracy"``.
        planned: how many amounts will be measured in all, to say how far it is.

    Raises:
        ValueError: a column is missing, or ``amount`` is outside [0, 1].
    """
    need_columns(frame, COLUMNS, "The cliff")
    if not 0 <= amount <= 1:
        raise ValueError(f"amount {amount} is outside [0, 1]")
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
    line, label = _present(amount)
    axes = {
        "xaxis": {
            "title": axis_title("amount to remove (%)"),
            "anchor": "y2",
            "range": [-1, 101],
            "tickvals": [0, 20, 40, 60, 80, 100],
        },
        "yaxis": {
            "title": {"text": f"{name} (%)"},
            "domain": [LOWER_TOP + GAP, 1],
            "range": [-3, 103],
            "tickvals": [0, 25, 50, 75, 100],
        },
        "yaxis2": _drift_axis(frame),
    }
    figure = draw(
        _title(len(frame), planned),
        HEIGHT,
        traces,
        axes,
        legend_rows=1,
        shapes=[line],
        annotations=[label],
        # anywhere in a panel, also under a finger, the nearest amount answers
        hoverdistance=-1,
    )
    return Chart(figure, _finding(frame, column, name, amount, dense_quality if labelled else None, planned))


def _symlog(value: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    """Near-linear below ``LINEAR_BELOW``, one unit per factor of ten above."""
    return np.asarray(np.arcsinh(value / LINEAR_BELOW) / math.log(10))


def _drift_axis(frame: pd.DataFrame) -> dict[str, Any]:
    drift = frame["kl_nats"].to_numpy(dtype=np.float64)
    top = np.max(drift[np.isfinite(drift)], initial=1.0)
    return {
        "title": {"text": "drift, KL (nats)"},
        "domain": [0, LOWER_TOP],
        "range": [-0.15, float(_symlog(top)) + 0.25],
        "tickvals": _symlog(np.array(DRIFT_TICKS)),
        "ticktext": [f"{tick:g}" for tick in DRIFT_TICKS],
    }


def _title(measured: int, planned: int | None) -> str:
    if planned is None or measured >= planned:
        return TITLE
    return f"{TITLE} <span style='font-size:12px'>({measured} of {planned} amounts measured)</span>"


def _mode(frame: pd.DataFrame) -> str:
    # few points: show which of them were measured; many: dots would hide the line
    return "lines+markers" if len(frame) <= 30 else "lines"


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
        "mode": _mode(frame),
        "cliponaxis": False,
        "line": {"color": colours.KEPT_LINE, "width": 2.5},
        "marker": {"size": 6},
        "name": "pruned",
        "hovertext": [_upper_text(row, column, name) for row in frame.to_dict("records")],
        "hovertemplate": "%{hovertext}<extra></extra>",
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
    return {
        "type": "scatter",
        "x": frame["amount"].to_numpy() * 100,
        "y": _symlog(np.where(np.isfinite(drift), np.maximum(drift, 0), np.nan)),
        "yaxis": "y2",
        "customdata": drift,
        "mode": _mode(frame),
        "cliponaxis": False,
        "line": {"color": colours.REMOVED, "width": 2.5, "dash": "dot"},
        "marker": {"size": 6, "symbol": "square"},
        "name": "drift",
        "showlegend": False,
        "hovertext": [
            spoken(nats(row["kl_nats"]), f"{_place(row)} the drift from the dense answers is {nats(row['kl_nats'])}.")
            for row in frame.to_dict("records")
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _present(amount: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The line where one stands, and its label in the gap between the panels, where no curve can run through it."""
    here = amount * 100
    line = {
        "type": "line",
        "x0": here,
        "x1": here,
        "y0": 0,
        "y1": 1,
        "xref": "x",
        "yref": "paper",
        "line": {"color": colours.ACCENT_LINE, "width": 2},
        "layer": "between",
    }
    left = amount < 0.5
    label = {
        "text": f"<b>now {percent(amount)}</b>",
        "x": here,
        "xref": "x",
        "y": LOWER_TOP + GAP / 2,
        "yref": "paper",
        "yanchor": "middle",
        "xanchor": "left" if left else "right",
        "xshift": 4 if left else -4,
        "showarrow": False,
    }
    return line, label


def _finding(
    frame: pd.DataFrame, column: str, name: str, amount: float, dense: float | None, planned: int | None
) -> str:
    known = frame[frame[column].notna()]
    if known.empty:
        return f"{len(frame)} amounts measured; {name} is known for none of them."
    start = dense if dense is not None else 1.0 if column == "agreement" else float(known[column].iloc[0])
    level = 0.9 * start
    named = f"{percent(level)}, nine tenths of {'dense' if dense is not None else 'where it starts'},"
    if column == "agreement":
        named = percent(level)
    below = known[known[column] < level]
    subject = name[0].upper() + name[1:]
    if below.empty:
        finding = f"{subject} stays at or above {named} up to an amount of {percent(known['amount'].iloc[-1])}."
    else:
        finding = f"{subject} falls below {named} at an amount of {percent(below['amount'].iloc[0])}."
    nearest = known.iloc[int((known["amount"] - amount).abs().argmin())]
    place = f"At the present amount of {percent(amount)}"
    if nearest["amount"] != amount:
        place = f"At {percent(nearest['amount'])}, the measured amount nearest to the present {percent(amount)},"
    finding += f" {place} it is {percent(nearest[column])}, with a drift of {nats(nearest['kl_nats'])}."
    if planned is not None and len(frame) < planned:
        finding += f" {len(frame)} of {planned} amounts measured so far."
    return finding
