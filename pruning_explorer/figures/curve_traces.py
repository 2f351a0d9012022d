"""The traces of a comparison's curves: one line per recipe in each panel, bands of seeds, rings."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import STEADY, hover, legend_entry, spoken
from pruning_explorer.figures.drift_axis import drift_height
from pruning_explorer.figures.numbers import nats, percent, times
from pruning_explorer.figures.recipe_names import recipe_label, short_label

LONGEST_NAME: Final = 12
COMPRESSION_TICKS: Final = (1, 2, 4, 8, 16, 32, 64, 128)

Axis = Literal["sparsity", "compression"]


def places(points: pd.DataFrame, axis: Axis) -> npt.NDArray[np.float64]:
    """Positions of points along the axis; NaN for values that the axis cannot show."""
    if axis == "sparsity":
        return points["sparsity"].to_numpy(dtype=np.float64) * 100
    times = points["compression"].to_numpy(dtype=np.float64)
    # with every weight gone there is nothing left to divide by, and a logarithmic axis has no end
    return np.where(np.isfinite(times) & (times <= COMPRESSION_TICKS[-1]), times, np.nan)


def heights(rows: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """Heights of points in their panel, from the column that the panel shows."""
    values = rows[column].to_numpy(dtype=np.float64)
    return drift_height(values) if column.startswith("kl_nats") else values * 100


def band(group: pd.DataFrame, column: str, axis: str) -> list[dict[str, Any]]:
    """The band from the lowest to the highest value of all seeds, where there are several."""
    known = group[(group["seeds"] > 1) & np.isfinite(group[f"{column}_min"]) & np.isfinite(group[f"{column}_max"])]
    if known.empty:
        return []
    places = known["x"].to_numpy()
    look = colours.recipe_look(int(known["recipe"].iloc[0]))
    around = {
        "type": "scatter",
        "x": np.concatenate([places, places[::-1]]),
        "y": np.concatenate([heights(known, f"{column}_max"), heights(known, f"{column}_min")[::-1]]),
        "yaxis": axis,
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": colours.translucent(look.colour, 0.22),
        "hoverinfo": "skip",
        "showlegend": False,
        "name": f"{look.letter}, all seeds",
    }
    return [around]


def lines(group: pd.DataFrame, position: int, names: Sequence[str], column: str, name: str) -> list[dict[str, Any]]:
    """A recipe's line in the upper and in the lower panel, every point of it clickable."""
    look = colours.recipe_look(position)
    texts = [_text(row, names, column, name) for row in group.to_dict("records")]
    common = {
        "type": "scatter",
        "x": group["x"].to_numpy(),
        "mode": "lines+markers",
        "cliponaxis": False,
        "line": {"color": look.colour, "width": 2, "dash": look.dash},
        "marker": {"size": 7, "symbol": look.symbol, "color": look.colour},
        **STEADY,
        "customdata": _links(group),
        "name": escape(short_label(position, names, LONGEST_NAME), quote=False),
        **hover(texts),
    }
    return [
        {**common, "y": heights(group, column), "yaxis": "y"},
        {**common, "y": heights(group, "kl_nats"), "yaxis": "y2", "showlegend": False},
    ]


def _links(rows: pd.DataFrame) -> list[str]:
    return [f"{int(row['recipe'])}|{int(row['seed'])}|{float(row['amount'])!r}" for row in rows.to_dict("records")]


def _text(row: dict[Any, Any], names: Sequence[str], column: str, name: str) -> str:
    seeds = int(row.get("seeds", 1))
    sentence = (
        f"{percent(row['sparsity'])} of all weights gone ({times(row['compression'])} compression): "
        f"{name} {percent(row[column])}"
    )
    low, high = row.get("quality_low", math.nan), row.get("quality_high", math.nan)
    if column == "quality" and pd.notna(low) and pd.notna(high):
        sentence += f", 95 % interval {percent(low)} to {percent(high)}"
    sentence += f"; drift {nats(row['kl_nats'])}."
    if seeds > 1:
        sentence += (
            f" {seeds} seeds, median; {name} from {percent(row[f'{column}_min'])} to {percent(row[f'{column}_max'])}, "
            f"drift from {nats(row['kl_nats_min'])} to {nats(row['kl_nats_max'])}."
        )
    return spoken(recipe_label(int(row["recipe"]), names[int(row["recipe"])]), sentence)


def dense(dense_quality: float, axis: Axis) -> dict[str, Any]:
    """A horizontal line at the dense network's quality."""
    return {
        "type": "scatter",
        "x": [0, 100] if axis == "sparsity" else [COMPRESSION_TICKS[0], COMPRESSION_TICKS[-1]],
        "y": [dense_quality * 100] * 2,
        "mode": "lines",
        "line": {"color": colours.DENSE_LINE, "width": 2, "dash": "longdash"},
        "name": f"dense {percent(dense_quality)}",
        "legendrank": 1001,
        "hoverinfo": "skip",
    }


def rings(stands: pd.DataFrame, names: Sequence[str], column: str, name: str) -> list[dict[str, Any]]:
    """A large ring with a dot at each recipe's own amount, in both panels, with one legend entry for all."""
    looks = [colours.recipe_look(int(position)) for position in stands["recipe"]]
    rows = stands.to_dict("records")
    ring = {"size": 18, "line": {"width": 2.5}}
    common = {
        "type": "scatter",
        "x": stands["x"].to_numpy(dtype=np.float64),
        "mode": "markers",
        "cliponaxis": False,
        "marker": {
            **ring,
            "symbol": [f"{look.symbol}-open-dot" for look in looks],
            "color": [look.colour for look in looks],
        },
        **STEADY,
        "name": "stands here now",
        "showlegend": False,
        "hovertext": [_text(row, names, column, name) for row in rows],
        "hovertemplate": "Stands here now: %{hovertext}<extra></extra>",
    }
    if {"seed", "amount"} <= set(stands.columns):
        common["customdata"] = _links(stands)
    open_dot = {"symbol": "circle-open-dot", "size": 14, "color": colours.DENSE_LINE, "line": {"width": 2.5}}
    return [
        {**common, "y": heights(stands, column), "yaxis": "y"},
        {**common, "y": heights(stands, "kl_nats"), "yaxis": "y2"},
        legend_entry("stands here now", open_dot),
    ]


def front_rings(ringed: pd.DataFrame, column: str) -> dict[str, Any]:
    """A ring around each point of the Pareto front."""
    return {
        "type": "scatter",
        "x": ringed["x"].to_numpy(),
        "y": heights(ringed, column),
        "mode": "markers",
        "cliponaxis": False,
        "marker": {"symbol": "circle-open", "size": 14, "color": colours.DENSE_LINE, "line": {"width": 1.25}},
        "name": "Pareto front",
        "hoverinfo": "skip",
    }
