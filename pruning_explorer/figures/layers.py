"""The layers: one bar each, as wide as its number of weights, divided into kept and removed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import STEADY, Chart, apart, draw, escaped, hover, need_columns, spoken, word_chart
from pruning_explorer.figures.numbers import count, percent, short_count
from pruning_explorer.figures.short_names import short_layers
from pruning_explorer.trace import step

HEIGHT = 300
TITLE = "Layers"
# Plotly sets the bottom margin to the height of the layers' names, and slants names that do not fit side by side
MARGIN = {"l": 62, "r": 14, "b": 28, "autoexpand": True}
COLUMNS = (
    "target",
    "layer_type",
    "shape",
    "weights",
    "kept",
    "removed",
    "requested",
    "achieved",
    "channels",
    "dead_channels",
)

# Width of the narrowest bar, as a share of the plot: 3 % of a phone is 8 pixels, enough to be hit by a finger
NARROWEST = 0.03
LABEL_GAP = 0.055


@step("chart: layers")
def layer_bars(layers: pd.DataFrame, open_target: str | None = None) -> Chart:
    """One bar per layer, its width by number of weights, kept below and removed above, in % of the layer.

    A click on either part of a bar carries the target's name as ``customdata``.

    Args:
        layers: one row per target with the columns ``COLUMNS``, as ``layer_sparsity`` makes it.
        open_target: the layer that is open on the page; it is outlined and its name is always written.

    Raises:
        ValueError: a column is missing, or ``open_target`` is not in the table.
    """
    need_columns(layers, COLUMNS, "The bars of the layers")
    names = [str(name) for name in layers["target"]]
    if open_target is not None and names and open_target not in names:
        raise ValueError(f"{open_target!r} is not among the {len(names)} layers of the table")
    if not names:
        return word_chart(TITLE, "No layer is chosen. Choose at least one to see what goes from it.", HEIGHT)

    shares, widened = bar_shares(layers["weights"].to_numpy(dtype=np.float64))
    ends = np.cumsum(shares)
    centres = ends - shares / 2
    widths = shares - np.minimum(0.004, shares * 0.15)
    achieved = layers["achieved"].to_numpy(dtype=np.float64)
    rows = layers.to_dict("records")
    texts = [_hover(row) for row in rows]
    traces = [
        {
            "type": "bar",
            "x": centres,
            "y": heights,
            "width": widths,
            "name": label,
            "customdata": names,
            "marker": {
                "color": colour,
                "line": {"width": 0},
                "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": "#ffffff", "size": 7, "solidity": 0.15},
            },
            **STEADY,
            **hover(texts),
        }
        for label, heights, colour, pattern in (
            ("kept", (1 - achieved) * 100, colours.KEPT, ""),
            ("removed", achieved * 100, colours.REMOVED, "/"),
        )
    ]
    axes = {
        "xaxis": {
            "range": [-0.004, 1.004],
            "showgrid": False,
            "automargin": "height",
            **_labels(names, centres.tolist(), shares.tolist(), open_target),
        },
        "yaxis": {
            "title": {"text": "weights (% of the layer)"},
            "range": [-1, 101],
            "tickvals": [0, 25, 50, 75, 100],
        },
    }
    place = None if open_target is None else names.index(open_target)
    shapes = [] if place is None else _outline(float(centres[place]), float(widths[place]))
    title = f"{TITLE} <span style='font-size:12px'>width: weights{' (small layers widened)' if widened else ''}</span>"
    figure = draw(title, HEIGHT, traces, axes, legend_rows=1, margin=MARGIN, shapes=shapes, barmode="stack", bargap=0)
    return Chart(figure, _finding(rows, open_target))


def bar_shares(
    weights: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], bool]:
    """Share of the width that each bar gets: by number of weights, none narrower than a finger needs.

    Returns:
        Shares that sum to 1, and whether any was widened.

    >>> bar_shares(np.array([1.0, 99.0]))[0].round(3).tolist()
    [0.029, 0.971]
    """
    shares = weights / weights.sum()
    narrowest = min(NARROWEST, 0.6 / len(shares))
    wide_enough = np.maximum(shares, narrowest)
    return wide_enough / wide_enough.sum(), bool((shares < narrowest).any())


def _outline(centre: float, width: float) -> list[dict[str, Any]]:
    # two strokes, light under dark: one of them stands off the bar on any background
    return [
        {
            "type": "rect",
            "x0": centre - width / 2,
            "x1": centre + width / 2,
            "y0": 0,
            "y1": 100,
            "line": {"color": colour, "width": thickness},
        }
        for colour, thickness in (("#ffffff", 4), (colours.ACCENT, 2.5))
    ]


def _labels(names: Sequence[str], centres: list[float], shares: list[float], open_target: str | None) -> dict[str, Any]:
    order = sorted(range(len(names)), key=lambda index: (names[index] != open_target, -shares[index]))
    shown = apart(centres, order, LABEL_GAP)
    labels = escaped(short_layers(names))
    texts = {index: labels[index] for index in shown}
    return {
        "tickvals": [centres[index] for index in shown],
        "ticktext": [f"<b>{text}</b>" if names[index] == open_target else text for index, text in texts.items()],
        "autotickangles": [0, -40, -90],
        "tickfont": {"size": 11},
        "ticks": "outside",
        "ticklen": 3,
    }


def _hover(row: dict[Any, Any]) -> str:
    asked = "" if pd.isna(row["requested"]) else f" ({percent(row['requested'])} asked for)"
    sentence = (
        f"{row['layer_type']} {row['shape']}: {count(row['removed'])} of {count(row['weights'])} weights removed, "
        f"{percent(row['achieved'])}{asked}; {count(row['kept'])} kept."
    )
    if pd.notna(row["dead_channels"]) and pd.notna(row["channels"]):
        dead, channels = int(row["dead_channels"]), int(row["channels"])
        verb = "is" if dead in (0, 1) else "are"
        sentence += f" {count(dead) if dead else 'None'} of its {count(channels)} channels {verb} dead."
    return spoken(str(row["target"]), sentence)


def _finding(rows: Sequence[dict[Any, Any]], open_target: str | None) -> str:
    weights, removed = sum(row["weights"] for row in rows), sum(row["removed"] for row in rows)
    most, least = (which(rows, key=lambda row: float(row["achieved"])) for which in (max, min))
    plural = "" if len(rows) == 1 else "s"
    finding = f"{percent(removed / weights)} of {short_count(weights)} weights removed from {len(rows)} layer{plural}"
    if len(rows) == 1 or most["achieved"] == least["achieved"]:
        finding += "."
    else:
        finding += (
            f": most from {most['target']} ({percent(most['achieved'])}), "
            f"least from {least['target']} ({percent(least['achieved'])})."
        )
    emptied = [str(row["target"]) for row in rows if row["kept"] == 0]
    if emptied:
        finding += f" Emptied altogether: {', '.join(emptied[:5])}{' and others' if len(emptied) > 5 else ''}."
    return finding + (f" Open: {open_target}." if open_target is not None else "")
