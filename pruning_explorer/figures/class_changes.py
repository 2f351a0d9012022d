"""The change of quality of each class under each recipe: the average can hide a class that loses much."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.figures import chart, colours
from pruning_explorer.figures.class_quality import class_axis
from pruning_explorer.figures.numbers import count, percent, points
from pruning_explorer.figures.recipe_names import recipe_label, short_label
from pruning_explorer.figures.short_names import short_names
from pruning_explorer.trace import step

COLUMNS = ("recipe", "group", "samples", "dense", "pruned", "change")
ROW_HEIGHT = 34
LONGEST_NAME = 12
LEGEND_WIDTH = 95
LEGEND_ROWS = 2
# the legend needs the width: a class is named in few letters beside its row, and in full in its hover label
LONGEST_CLASS = 10
MARGIN = {"l": 64, "r": 14, "b": 48}
# Distance of the outermost recipes of a class from the line of that class, in rows
SPREAD = 0.3


@step("chart: changes by class")
def class_changes(
    frame: pd.DataFrame, names: Sequence[str], quality_name: str = "accuracy", *, limit: int = 30
) -> chart.Chart:
    """One row per class, one mark per recipe: the change of quality from dense, in percentage points.

    Args:
        frame: one row per recipe and class with the columns ``COLUMNS``; ``recipe`` is a position in ``names``, the
            fractions are in [0, 1].
        names: of the recipes.
        quality_name: ``"accuracy"``.
        limit: how many classes are drawn; the axis says how many are left out.

    Raises:
        ValueError: a column is missing.
    """
    chart.need_columns(frame, COLUMNS, "Change by class")
    title = f"Change of {escape(quality_name, quote=False)} by class"
    if frame.empty:
        return chart.word_chart(title, "There are no labels, so no quality can be told.", 160)
    groups = list(dict.fromkeys(frame["group"].astype(str)))
    shown = groups[:limit]
    places = {group: row for row, group in enumerate(shown)}
    recipes = sorted({int(recipe) for recipe in frame["recipe"]})
    offsets = np.linspace(-SPREAD, SPREAD, len(recipes)) if len(recipes) > 1 else np.zeros(1)
    rows = frame[frame["group"].astype(str).isin(shown)]
    traces = [
        _marks(rows[rows["recipe"] == recipe], recipe, names, places, float(offset), quality_name)
        for recipe, offset in zip(recipes, offsets, strict=True)
    ]
    left_out = f"; {len(groups) - len(shown)} more classes left out" if len(groups) > len(shown) else ""
    worst = min(0.0, float(rows["change"].min()) * 100)
    best = max(0.0, float(rows["change"].max()) * 100)
    room = 0.06 * (best - worst) + 1
    axes = {
        "xaxis": {
            "title": chart.axis_title(f"change from dense (percentage points){left_out}"),
            "range": [worst - room, best + room],
            "zeroline": True,
            "zerolinecolor": colours.DENSE_LINE,
            "zerolinewidth": 2,
            "showgrid": True,
        },
        "yaxis": class_axis(short_names(shown, LONGEST_CLASS)),
    }
    figure = chart.draw(
        title,
        130 + ROW_HEIGHT * len(shown),
        traces,
        axes,
        legend_rows=LEGEND_ROWS,
        legend_width=LEGEND_WIDTH,
        margin=MARGIN,
        shapes=[chart.stripe(row) for row in range(0, len(shown), 2)],
    )
    return chart.Chart(figure, _finding(frame, names, quality_name))


def _marks(
    rows: pd.DataFrame, recipe: int, names: Sequence[str], places: dict[str, int], offset: float, quality_name: str
) -> dict[str, Any]:
    look, label = colours.recipe_look(recipe), recipe_label(recipe, names[recipe])
    return {
        "type": "scatter",
        "x": rows["change"].to_numpy(dtype=np.float64) * 100,
        "y": np.array([places[str(group)] + offset for group in rows["group"]]),
        "mode": "markers",
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 10},
        "name": escape(short_label(recipe, names, LONGEST_NAME), quote=False),
        **chart.hover([_hover(row, label, quality_name) for row in rows.to_dict("records")]),
    }


def _hover(row: dict[Any, Any], name: str, quality_name: str) -> str:
    return chart.spoken(
        f"{row['group']}: {points(row['change'])}",
        f"Under {name} the {quality_name} on {count(row['samples'])} samples is {percent(row['pruned'])}; "
        f"dense it is {percent(row['dense'])}.",
    )


def _finding(frame: pd.DataFrame, names: Sequence[str], quality_name: str) -> str:
    classes = frame[(frame["group"] != "all") & frame["change"].notna()]
    parts = []
    for recipe, rows in classes.groupby("recipe"):
        worst = rows.iloc[int(rows["change"].argmin())]
        name = recipe_label(int(str(recipe)), names[int(str(recipe))])
        parts.append(f"{name} costs class {worst['group']} most: {points(worst['change'])}.")
    return " ".join(parts) or f"No {quality_name} is known for any class."
