"""How much of every layer each recipe removes."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.figures import chart, colours
from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.figures.recipe_names import recipe_label, short_label
from pruning_explorer.figures.short_names import short_layers
from pruning_explorer.trace import step

HEIGHT = 400
TITLE = "Sparsity by layer"
COLUMNS = ("recipe", "target", "layer_type", "shape", "weights", "kept", "removed", "requested", "achieved")
# Plotly sets the bottom margin to the height of the slanted layer names
MARGIN = {"l": 56, "r": 14, "b": 48, "autoexpand": True}
LONGEST_NAME = 12
LEGEND_WIDTH = 95
LEGEND_ROWS = 2
# Most layers whose names fit below the axis on a phone, written at a slant
MOST_LABELS = 14
# Number of layers above which lines have no markers, since they would overlap
MANY_LAYERS = 40


@step("chart: sparsity by layer")
def sparsity_lines(frame: pd.DataFrame, names: Sequence[str]) -> chart.Chart:
    """One line per recipe over the layers in network order: how many % of each layer's weights it removes.

    A click on a point carries the target's name as ``customdata``.

    Args:
        frame: one row per recipe and target with the columns ``COLUMNS``, each recipe's in network order; ``recipe`` is
            a position in ``names``. A layer that a recipe leaves alone may lack its row: the line is broken there.
        names: of the recipes, by position, at most four.

    Raises:
        ValueError: a column is missing.
    """
    if len(frame) == 0:
        return chart.word_chart(TITLE, "No recipe prunes any layer.", HEIGHT)
    chart.need_columns(frame, COLUMNS, "Sparsity by layer")
    layers = _in_order(frame)
    places = {name: place for place, name in enumerate(layers)}
    together = _together(frame)
    traces = [
        _line(frame[frame["recipe"] == position], position, names, places, together)
        for position in sorted({int(recipe) for recipe in frame["recipe"]})
    ]
    # where the network begins and what comes out are always named
    shown, labels = chart.labelled(len(layers), MOST_LABELS), chart.escaped(short_layers(layers))
    axes: dict[str, dict[str, Any]] = {
        "xaxis": {
            "title": chart.axis_title("layers, in network order"),
            "range": [-0.4, len(layers) - 0.6],
            "tickvals": shown,
            "ticktext": [labels[place] for place in shown],
            "tickangle": -40,
            "automargin": "height",
            "tickfont": {"size": 11},
            "showgrid": False,
        },
        "yaxis": {"title": {"text": "removed (% of the layer)"}, **chart.PERCENT_AXIS},
    }
    figure = chart.draw(
        TITLE,
        HEIGHT,
        traces,
        axes,
        legend_rows=LEGEND_ROWS,
        legend_width=LEGEND_WIDTH,
        margin=MARGIN,
        hoverdistance=-1,
    )
    return chart.Chart(figure, _finding(frame, names))


def _in_order(frame: pd.DataFrame) -> list[str]:
    """All layers in network order, also those that the first recipe leaves alone."""
    order: list[str] = []
    for _, rows in frame.groupby("recipe", sort=True):
        last = -1
        for name in (str(target) for target in rows["target"]):
            if name in order:
                last = order.index(name)
            else:
                last += 1
                order.insert(last, name)
    return order


def _together(frame: pd.DataFrame) -> dict[str, str]:
    """Per layer, by name, the shares that all recipes remove: points that overlap share one hover label."""
    letters = [colours.recipe_look(int(recipe)).letter for recipe in frame["recipe"]]
    told = pd.Series([f"{letter} {percent(share)}" for letter, share in zip(letters, frame["achieved"], strict=True)])
    return {str(name): ", ".join(told[rows]) for name, rows in frame.groupby("target", sort=False).indices.items()}


def _line(
    rows: pd.DataFrame, position: int, names: Sequence[str], places: dict[str, int], together: dict[str, str]
) -> dict[str, Any]:
    look = colours.recipe_look(position)
    heights = np.full(len(places), np.nan)
    texts = [""] * len(places)
    for row in rows.to_dict("records"):
        place = places[str(row["target"])]
        heights[place] = row["achieved"] * 100
        texts[place] = _hover(row, position, names, together[str(row["target"])])
    return {
        "type": "scatter",
        "x": np.arange(len(places)),
        "y": heights,
        "mode": "lines+markers",
        "cliponaxis": False,
        "line": {"color": look.colour, "width": 2, "dash": look.dash},
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 5 if len(places) > MANY_LAYERS else 8},
        **chart.STEADY,
        "customdata": list(places),
        "name": escape(short_label(position, names, LONGEST_NAME), quote=False),
        **chart.hover(texts),
    }


def _hover(row: dict[Any, Any], position: int, names: Sequence[str], together: str) -> str:
    asked = "" if pd.isna(row["requested"]) else f" ({percent(row['requested'])} asked for)"
    return chart.spoken(
        f"{row['target']}: {percent(row['achieved'])}",
        f"{recipe_label(position, names[position])} removes {count(row['removed'])} of {count(row['weights'])} weights "
        f"of this {row['layer_type']} {row['shape']}{asked}; {count(row['kept'])} kept. "
        f"All here: {together}.",
    )


def _finding(frame: pd.DataFrame, names: Sequence[str]) -> str:
    told = []
    for position in sorted({int(recipe) for recipe in frame["recipe"]}):
        rows = frame[frame["recipe"] == position]
        overall = percent(rows["removed"].sum() / rows["weights"].sum())
        most, least = (rows.iloc[int(place)] for place in (rows["achieved"].argmax(), rows["achieved"].argmin()))
        sentence = f"{recipe_label(position, names[position])} removes {overall} in all"
        if most["achieved"] - least["achieved"] < 0.01:
            told.append(f"{sentence}, of every layer nearly the same.")
        else:
            told.append(
                f"{sentence}: most from {most['target']} ({percent(most['achieved'])}), least from {least['target']} "
                f"({percent(least['achieved'])})."
            )
    return " ".join(told)
