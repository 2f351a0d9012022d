"""Quality class by class: dense beside pruned, each with the range in which it may lie."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import chart, colours
from pruning_explorer.figures.numbers import capitalised, count, percent, points
from pruning_explorer.figures.short_names import short_names
from pruning_explorer.trace import step

COLUMNS = ("group", "samples", "dense", "dense_low", "dense_high", "pruned", "pruned_low", "pruned_high", "change")
ROW_HEIGHT = 28
# Half the distance between the two markers of a class, in rows
BESIDE = 0.15


@step("chart: quality by class")
def class_quality(frame: pd.DataFrame, quality_name: str = "accuracy", *, limit: int = 40) -> chart.Chart:
    """One row per class, in the order given: dense and pruned quality with 95 % intervals.

    Args:
        frame: one row per class with the columns ``COLUMNS``, fractions in [0, 1], as ``quality_table`` makes it.
        quality_name: ``"accuracy"``.
        limit: how many rows are drawn; the axis says how many are left out.

    Raises:
        ValueError: a column is missing.
    """
    chart.need_columns(frame, COLUMNS, "Quality by class")
    title = escape(f"{capitalised(quality_name)} by class", quote=False)
    if frame.empty:
        return chart.word_chart(title, "There are no labels, so no quality can be told.", 160)
    shown = frame.head(limit)
    rows = np.arange(len(shown), dtype=np.float64)
    texts = [_hover(row, quality_name) for row in shown.to_dict("records")]
    traces = [
        _marks(shown, column, rows + offset, colour, symbol, texts)
        for column, offset, colour, symbol in (
            ("dense", -BESIDE, colours.DENSE_LINE, "square-open"),
            ("pruned", BESIDE, colours.KEPT_LINE, "circle"),
        )
    ]
    left_out = len(frame) - len(shown)
    more = f"; {left_out} more classes left out" if left_out else ""
    names = [str(group) for group in shown["group"]]
    axes = {
        "xaxis": {
            "title": chart.axis_title(f"{escape(quality_name, quote=False)} (%), with 95 % intervals{more}"),
            **chart.PERCENT_AXIS,
            "showgrid": True,
        },
        "yaxis": {
            "title": {"text": "class"},
            **class_axis(short_names(names)),
        },
    }
    figure = chart.draw(title, 120 + ROW_HEIGHT * len(shown), traces, axes, legend_rows=1)
    return chart.Chart(figure, _finding(frame, quality_name))


def class_axis(labels: Sequence[str]) -> dict[str, Any]:
    """An upright axis of classes; that of all samples together stands out."""
    return chart.row_axis([f"<b>{label}</b>" if label == "all" else label for label in chart.escaped(labels)])


def _marks(
    frame: pd.DataFrame,
    column: str,
    heights: npt.NDArray[np.float64],
    colour: str,
    symbol: str,
    texts: list[str],
) -> dict[str, Any]:
    middle, low, high = (
        frame[name].to_numpy(dtype=np.float64) * 100 for name in (column, f"{column}_low", f"{column}_high")
    )
    return {
        "type": "scatter",
        "x": middle,
        "y": heights,
        "mode": "markers",
        "marker": {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": high - middle,
            "arrayminus": middle - low,
            "color": colour,
            "thickness": 2,
            "width": 3,
        },
        "name": column,
        **chart.hover(texts),
    }


def _hover(row: dict[Any, Any], quality_name: str) -> str:
    return chart.spoken(
        str(row["group"]),
        f"The {quality_name} on {count(row['samples'])} samples is {percent(row['pruned'])} pruned "
        f"({percent(row['pruned_low'])} to {percent(row['pruned_high'])}) and {percent(row['dense'])} dense "
        f"({percent(row['dense_low'])} to {percent(row['dense_high'])}): {points(row['change'])}.",
    )


def _finding(frame: pd.DataFrame, quality_name: str) -> str:
    overall = frame[frame["group"] == "all"]
    classes = frame[(frame["group"] != "all") & frame["change"].notna()]
    parts = []
    if not overall.empty:
        row = overall.iloc[0]
        parts.append(
            f"{capitalised(quality_name)} over all classes is {percent(row['pruned'])} pruned and "
            f"{percent(row['dense'])} dense."
        )
    if not classes.empty:
        worst = classes.iloc[int(classes["change"].argmin())]
        if worst["change"] < 0:
            parts.append(
                f"The class that loses most is {worst['group']}: {points(worst['change'])}, "
                f"from {percent(worst['dense'])} to {percent(worst['pruned'])}."
            )
        else:
            parts.append("No class loses any.")
    return " ".join(parts) or f"No {quality_name} is known for any class."
