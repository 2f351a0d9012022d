"""Where the error begins and how it grows: each module's outputs, dense beside pruned, in the order they run."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import chart, colours
from pruning_explorer.figures.numbers import IDENTICAL, decibels, decimal
from pruning_explorer.figures.short_names import short_names
from pruning_explorer.trace import step

HEIGHT = 420
TITLE = "Drift by layer"
COLUMNS = ("module", "layer_type", "cosine", "l2_normalised", "sqnr_db", "order")


@step("chart: drift by layer")
def layer_drift_chart(frame: pd.DataFrame, planned: int | None = None) -> chart.Chart:
    """Normalised L2 error above and signal-to-noise ratio below, per module in execution order.

    An infinite ratio means that the outputs are the same: such modules sit on a row of their own, with a mark
    that the legend names.

    Args:
        frame: one row per module with the columns ``COLUMNS``, as ``layer_drift`` makes it.
        planned: how many modules there may be in all, while they are being measured.

    Raises:
        ValueError: a column is missing.
    """
    chart.need_columns(frame, COLUMNS, "Drift by layer")
    if frame.empty and planned is not None:
        return chart.word_chart(TITLE, "No module has been compared yet.", HEIGHT)
    if frame.empty:
        return chart.word_chart(TITLE, "No layer's outputs were measured: the network has no sample inputs.", HEIGHT)
    frame = frame.sort_values("order", kind="stable").reset_index(drop=True)
    sqnr = frame["sqnr_db"].to_numpy(dtype=np.float64)
    error = frame["l2_normalised"].to_numpy(dtype=np.float64)
    same = np.isposinf(sqnr)
    texts = [_hover(row, position) for position, row in enumerate(frame.to_dict("records"), start=1)]
    if not (np.isfinite(sqnr).any() or np.isfinite(error).any() or same.any()):
        return chart.word_chart(TITLE, "No layer's outputs could be compared with the dense ones.", HEIGHT)

    places = np.arange(len(frame))
    finite_error = np.where(np.isfinite(error), error, np.nan)
    finite_sqnr = np.where(np.isfinite(sqnr), sqnr, np.nan)
    most = float(np.max(error[np.isfinite(error)], initial=0.0)) or 1.0
    low = float(np.min(sqnr[np.isfinite(sqnr)], initial=0.0))
    high = float(np.max(sqnr[np.isfinite(sqnr)], initial=10.0))
    pad = (high - low) * 0.12
    roof = high + 2 * pad
    traces = [
        _line(places, finite_error, texts, "y", colours.REMOVED, "solid", "square", "error"),
        _line(places, finite_sqnr, texts, "y2", colours.KEPT_LINE, "dot", "circle", "signal to noise"),
    ]
    if same.any():
        traces.append(_identical(places[same], roof, [texts[place] for place in places[same]]))
    axes = {
        "xaxis": {
            "title": chart.axis_title("modules, in the order they run"),
            "anchor": "y2",
            "range": [-0.5, max(len(frame), planned or 0) - 0.5],
            "showgrid": False,
            **_labels([str(name) for name in frame["module"]]),
        },
        "yaxis": {
            "title": {"text": "normalised L2"},
            "domain": [0.54, 1],
            "range": [-0.06 * most, 1.1 * most],
            "nticks": 5,
        },
        "yaxis2": {
            "title": {"text": "SQNR (dB)"},
            "domain": [0, 0.46],
            "range": [low - pad / 2, (roof if same.any() else high) + pad],
            "tickvals": _ticks(low, high),
        },
    }
    title, finding = TITLE, _finding(frame)
    if planned is not None:
        title += f" <span style='font-size:12px'>({len(frame)} of {planned} modules)</span>"
        finding += f" {len(frame)} of {planned} modules compared so far."
    return chart.Chart(chart.draw(title, HEIGHT, traces, axes, legend_rows=int(same.any())), finding)


def _line(
    places: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    texts: list[str],
    axis: str,
    colour: str,
    dash: str,
    symbol: str,
    name: str,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": places,
        "y": values,
        "yaxis": axis,
        "mode": "lines+markers",
        "cliponaxis": False,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"size": 7, "symbol": symbol},
        "name": name,
        "showlegend": False,
        **chart.hover(texts),
    }


def _identical(places: npt.NDArray[np.int64], height: float, texts: list[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": places,
        "y": np.full(len(places), height),
        "yaxis": "y2",
        "mode": "markers",
        "marker": {"size": 9, "symbol": "diamond-open", "color": colours.DENSE_LINE, "line": {"width": 2}},
        "name": f"{IDENTICAL} to dense",
        "showlegend": True,
        **chart.hover(texts),
    }


def _ticks(low: float, high: float) -> list[float]:
    """At most five round numbers from ``low`` to ``high``, in dB."""
    step = next((step for step in (5, 10, 20, 25, 50, 100) if (high - low) / step <= 4), 200)
    return [float(tick) for tick in range(math.ceil(low / step) * step, math.floor(high / step) * step + 1, step)]


def _labels(names: list[str]) -> dict[str, Any]:
    # where it begins and what comes out are always named
    shown = chart.labelled(len(names), 14)
    labels = chart.escaped(short_names([name or "whole network" for name in names]))
    return {
        "tickvals": shown,
        "ticktext": [labels[index] for index in shown],
        "autotickangles": [0, -40, -90],
        "tickfont": {"size": 11},
    }


def _hover(row: dict[Any, Any], position: int) -> str:
    name = str(row["module"]) or "whole network"
    if row["sqnr_db"] == math.inf:
        sentence = f"{row['layer_type']}, number {position} to run: its outputs are identical to the dense ones."
    elif pd.isna(row["sqnr_db"]) and pd.isna(row["l2_normalised"]):
        sentence = f"{row['layer_type']}, number {position} to run: its outputs could not be compared."
    else:
        sentence = (
            f"{row['layer_type']}, number {position} to run: the error of its outputs is "
            f"{decimal(row['l2_normalised'])} of their dense norm; "
            f"signal to noise {decibels(row['sqnr_db'])}, cosine {decimal(row['cosine'])}."
        )
    return chart.spoken(name, sentence)


def _finding(frame: pd.DataFrame) -> str:
    differs = frame[(frame["sqnr_db"] != math.inf) & frame["l2_normalised"].notna()]
    if differs.empty:
        return f"The outputs of all {len(frame)} modules are identical to the dense ones."
    first, worst, last = differs.iloc[0], differs.iloc[int(differs["l2_normalised"].argmax())], differs.iloc[-1]
    return (
        f"The error begins at {first['module']} ({decimal(first['l2_normalised'])} of the dense norm), is largest at "
        f"{worst['module']} ({decimal(worst['l2_normalised'])}) and ends at {last['module']} with "
        f"{decimal(last['l2_normalised'])}, {decibels(last['sqnr_db'])}."
    )
