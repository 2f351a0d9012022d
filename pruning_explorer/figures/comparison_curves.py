"""Quality and drift of each recipe of a comparison at every sparsity, on shared axes."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.figures.chart import Chart, axis_title, draw, need_columns, word_chart
from pruning_explorer.figures.curve_traces import (
    COMPRESSION_TICKS,
    Axis,
    band,
    dense,
    front_rings,
    lines,
    places,
    rings,
)
from pruning_explorer.figures.drift_axis import drift_axis, quality_axis
from pruning_explorer.figures.numbers import capitalised, percent
from pruning_explorer.figures.recipe_names import recipe_label
from pruning_explorer.figures.seed_medians import MEASURED, seed_medians
from pruning_explorer.trace import step

HEIGHT = 540
COLUMNS = ("recipe", "seed", "amount", *MEASURED)
CURRENT_POINTS = ("recipe", "sparsity", "compression", "quality", "kl_nats", "agreement")

LOWER_TOP, GAP = 0.36, 0.07
# Rows of the legend on a phone: four long names, the dense network and the Pareto front's rings
LEGEND_ROWS = 4
# Width of a legend entry in pixels: two fit side by side on a phone
LEGEND_WIDTH = 95
MARGIN = {"l": 56, "r": 14, "b": 48}


@step("chart: curves")
def comparison_curves(
    frame: pd.DataFrame,
    names: Sequence[str],
    *,
    dense_quality: float | None = None,
    quality_name: str = "accuracy",
    axis: Axis = "sparsity",
    current_points: pd.DataFrame | None = None,
    front: pd.DataFrame | None = None,
    planned: int | None = None,
) -> Chart:
    """Quality above, drift below, one line per recipe; several seeds are a median in a band from least to most.

    Every point carries the string ``"recipe|seed|amount"`` as ``customdata``, so that a click can open it. Where no
    quality is known (no labels) the upper panel shows how often the pruned network's first answer is the dense one's.
    Rows may come in any order and while more are being computed.

    Args:
        frame: one row per recipe, seed and amount with the columns ``COLUMNS``: ``recipe`` is a position in ``names``,
            fractions in [0, 1], ``kl_nats`` in nats, the quality columns NaN where there are no labels.
        names: of the recipes, by position, at most four.
        dense_quality: fraction in [0, 1] of the dense network.
        quality_name: ``"accuracy"``.
        axis: sparsity of all weights in %, or how many times fewer weights are left, on a logarithmic axis.
        current_points: where each recipe stands now, a row each with the columns ``CURRENT_POINTS`` and,
            where it may be clicked, ``seed`` and ``amount``.
        front: ``recipe`` and ``amount`` of the points on the Pareto front, which are ringed, as ``pareto_front`` finds
            them.
        planned: how many rows will be measured in all, to say how far it is.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(frame, COLUMNS, "The curves of a comparison")
    title = escape(f"{capitalised(quality_name)} and drift over {axis}", quote=False)
    if frame.empty:
        return word_chart(title, "No amount has been measured yet.", HEIGHT)
    labelled = bool(frame["quality"].notna().any())
    column = "quality" if labelled else "agreement"
    name = quality_name if labelled else "top-1 agreement"
    if not labelled:
        title = f"Agreement and drift over {axis}"
    points = seed_medians(frame, column, front)
    points = points.assign(x=places(points, axis))
    stands = _current_points(current_points, axis)

    bands, curves, marks = [], [], []
    for position in sorted({int(recipe) for recipe in points["recipe"]}):
        group = points[(points["recipe"] == position) & points["x"].notna()]
        bands += [*band(group, column, "y"), *band(group, "kl_nats", "y2")]
        curves += lines(group, position, names, column, name)
    if labelled and dense_quality is not None:
        bands.append(dense(dense_quality, axis))
    if not stands.empty:
        marks += rings(stands, names, column, name)
    ringed = points[points["pareto"] & points["x"].notna()]
    if not ringed.empty:
        marks.append(front_rings(ringed, column))
    drifts = np.concatenate([points["kl_nats_max"].to_numpy(), stands["kl_nats"].to_numpy(dtype=np.float64)])
    axes = {
        "xaxis": _x_axis(points, axis),
        "yaxis": quality_axis(name, [LOWER_TOP + GAP, 1]),
        "yaxis2": drift_axis(drifts, [0, LOWER_TOP]),
    }
    if planned is not None and len(frame) < planned:
        title += f" <span style='font-size:12px'>({len(frame)} of {planned} measured)</span>"
    figure = draw(
        title,
        HEIGHT,
        [*bands, *curves, *marks],
        axes,
        legend_rows=LEGEND_ROWS,
        legend_width=LEGEND_WIDTH,
        margin=MARGIN,
        # anywhere in a panel, also under a finger, the nearest point answers
        hoverdistance=-1,
    )
    return Chart(figure, _finding(frame, points, names, column, name, dense_quality if labelled else None, planned))


def _x_axis(points: pd.DataFrame, axis: Axis) -> dict[str, Any]:
    if axis == "sparsity":
        return {
            "title": axis_title("sparsity of all weights (%)"),
            "anchor": "y2",
            "range": [-1, 101],
            "tickvals": [0, 20, 40, 60, 80, 100],
        }
    left_out = int(points["x"].isna().sum())
    beyond = (
        f"; {left_out} point{'' if left_out == 1 else 's'} beyond {COMPRESSION_TICKS[-1]}× left out" if left_out else ""
    )
    return {
        "title": axis_title(f"compression (×){beyond}"),
        "anchor": "y2",
        "type": "log",
        "range": [-0.03, math.log10(COMPRESSION_TICKS[-1]) + 0.03],
        "tickvals": list(COMPRESSION_TICKS),
        "ticktext": [f"{tick}×" for tick in COMPRESSION_TICKS],
    }


def _current_points(current_points: pd.DataFrame | None, axis: Axis) -> pd.DataFrame:
    if current_points is None:
        return pd.DataFrame(columns=[*CURRENT_POINTS, "x"], dtype=np.float64)
    need_columns(current_points, CURRENT_POINTS, "Where the recipes stand")
    rows = current_points.assign(x=places(current_points, axis))
    return rows[rows["x"].notna()]


def _finding(
    frame: pd.DataFrame,
    points: pd.DataFrame,
    names: Sequence[str],
    column: str,
    name: str,
    dense_quality: float | None,
    planned: int | None,
) -> str:
    level = 0.9 * (1.0 if dense_quality is None else dense_quality)
    parts = [f"The sparsity up to which {name} stays at or above {percent(level)}:"]
    told = []
    for position in sorted({int(recipe) for recipe in points["recipe"]}):
        group = points[(points["recipe"] == position) & points[column].notna()]
        below = np.flatnonzero((group[column] < level).to_numpy())
        upto = group.iloc[: below[0]] if len(below) else group
        label = recipe_label(position, names[position])
        told.append(f"{label}: {percent(upto['sparsity'].iloc[-1]) if len(upto) else 'none'}")
    parts.append(f"{'; '.join(told) or 'not known'}.")
    if planned is not None and len(frame) < planned:
        parts.append(f"{len(frame)} of {planned} measured so far.")
    return " ".join(parts)
