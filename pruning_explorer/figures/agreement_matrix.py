"""How far recipes keep the same weights: every pair in a matrix, and pair by pair through the layers."""

from collections.abc import Sequence
from html import escape
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.figures import chart, colours
from pruning_explorer.figures.numbers import MISSING, count
from pruning_explorer.figures.recipe_names import recipe_label
from pruning_explorer.figures.short_names import short_layer, short_layers
from pruning_explorer.trace import step

COLUMNS = ("target", "a", "b", "jaccard", "chance", "weights")
OVERALL = "all"
TITLE = "Agreement of masks"
TITLE_BY_LAYER = "Agreement by layer"
HEIGHT = 380
ROW_HEIGHT = 26
LINE = 17
LONGEST_NAME = 48
BLACK_ABOVE = 0.46


@step("chart: agreement")
def agreement_matrix(frame: pd.DataFrame, names: Sequence[str], target: str = OVERALL) -> chart.Chart:
    """Jaccard index of the kept weights of each two recipes, beside what chance would give.

    Args:
        frame: one row per target and pair with the columns ``COLUMNS``, as ``mask_agreement`` makes it; ``a`` and
            ``b`` are positions in ``names``, a < b.
        names: of the recipes, by position, at most four.
        target: which layer, or ``"all"`` of them.

    Raises:
        ValueError: a column is missing.
    """
    chart.need_columns(frame, COLUMNS, "The agreement of masks")
    where = "all layers" if target == OVERALL else target
    rows = frame[frame["target"] == target]
    if rows.empty:
        return chart.word_chart(TITLE, f"No two recipes prune {where}, so there is nothing to compare.", HEIGHT)
    positions = sorted({int(place) for column in ("a", "b") for place in rows[column]})
    pairs = {(int(row["a"]), int(row["b"])): row for row in rows.to_dict("records")}
    size = len(positions)
    values = np.full((size, size), np.nan, dtype=np.float32)
    words = [[""] * size for _ in positions]
    texts = [[""] * size for _ in positions]
    for y, one in enumerate(positions):
        for x, other in enumerate(positions):
            if one == other:
                values[y, x], words[y][x] = 1, "itself"
                texts[y][x] = chart.spoken(recipe_label(one, names[one]), "A mask agrees with itself altogether.")
                continue
            row = pairs.get((min(one, other), max(one, other)))
            if row is not None:
                values[y, x] = row["jaccard"]
                words[y][x] = f"<b>{_ratio(row['jaccard'])}</b><br>chance {_ratio(row['chance'])}"
                texts[y][x] = _hover(row, names)
    trace = {
        "type": "heatmap",
        "x": np.arange(size),
        "y": np.arange(size),
        "z": values,
        "zmin": 0,
        "zmax": 1,
        "colorscale": colours.SEQUENTIAL,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        **chart.hover(texts),
    }
    letters = [f"<b>{colours.recipe_look(place).letter}</b>" for place in positions]
    still = {
        "tickvals": list(range(size)),
        "ticktext": letters,
        "tickfont": {"size": 14},
        "ticks": "",
        "showgrid": False,
    }
    axes = {
        "xaxis": {**still, "range": [-0.5, size - 0.5], "side": "top"},
        "yaxis": {**still, "range": [size - 0.5, -0.5]},
    }
    cells = [_in_cell(x, y, words[y][x], float(values[y, x])) for y in range(size) for x in range(size)]
    # a phone has no room for names beside the cells
    keys = [_below(line, recipe_label(place, names[place])) for line, place in enumerate(positions)]
    layer = short_layer(where, [str(name) for name in frame["target"].unique()], 30)
    title = f"{TITLE} <span style='font-size:12px'>{escape(layer, quote=False)}</span>"
    margin = {"l": 34, "r": 12, "b": 12 + LINE * len(positions), "t": 62}
    figure = chart.draw(title, HEIGHT, [trace], axes, margin=margin, annotations=[*cells, *keys])
    return chart.Chart(figure, _finding(rows, names, where))


def _in_cell(x: int, y: int, text: str, value: float) -> dict[str, Any]:
    # of black and white the one that stands further off Cividis there; where there is no cell, the page's own
    colour = {} if np.isnan(value) else {"color": "#000000" if value > BLACK_ABOVE else "#ffffff"}
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 12, **colour}}


def _below(line: int, text: str) -> dict[str, Any]:
    short = text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
    return chart.words_at(escape(short, quote=False), 0, 0, yanchor="top", yshift=-6 - LINE * line)


@step("chart: agreement by layer")
def agreement_by_layer(frame: pd.DataFrame, names: Sequence[str], *, limit: int = 60) -> chart.Chart:
    """A row per layer: the Jaccard index of each pair as a dot, what chance would give as an upright tick.

    Args:
        frame: as for :func:`agreement_matrix`; the rows of ``"all"`` are left out.
        names: of the recipes, by position, at most four.
        limit: how many layers are drawn; the axis says how many are left out.

    Raises:
        ValueError: a column is missing.
    """
    chart.need_columns(frame, COLUMNS, "Agreement by layer")
    rows = frame[frame["target"] != OVERALL]
    layers = [str(name) for name in dict.fromkeys(rows["target"])]
    if not layers:
        return chart.word_chart(
            TITLE_BY_LAYER, "No layer is pruned by two recipes, so there is nothing to compare.", 160
        )
    shown = layers[:limit]
    places = {name: place for place, name in enumerate(shown)}
    rows = rows[rows["target"].isin(places)]
    present = {(int(a), int(b)) for a, b in zip(rows["a"], rows["b"], strict=True)}
    pairs = [pair for pair in combinations(range(len(colours.RECIPE_LOOKS)), 2) if pair in present]
    # pairs of a layer stand one above the other, or they would hide each other
    spread = 0.56
    step = spread / max(1, len(pairs) - 1) if len(pairs) > 1 else 0.0
    traces: list[dict[str, Any]] = []
    for index, (a, b) in enumerate(pairs):
        own = rows[(rows["a"] == a) & (rows["b"] == b)]
        offset = index * step - (spread / 2 if len(pairs) > 1 else 0)
        heights = [places[str(name)] + offset for name in own["target"]]
        texts = [_hover(row, names) for row in own.to_dict("records")]
        letters = f"{colours.recipe_look(a).letter}–{colours.recipe_look(b).letter}"
        look = {"color": colours.class_colour(index), "symbol": colours.class_symbol(index)}
        for column, name, marker in (
            ("chance", f"{letters} by chance", {"symbol": "line-ns", "size": 9, "line": {"width": 2}}),
            ("jaccard", letters, {**look, "size": 8, "line": {"width": 1}}),
        ):
            marker["line"] = {**marker["line"], "color": look["color"]}  # type: ignore[dict-item]
            traces.append(
                {
                    "type": "scatter",
                    "x": own[column].to_numpy(dtype=np.float64),
                    "y": heights,
                    "mode": "markers",
                    "cliponaxis": False,
                    "marker": marker,
                    "name": name,
                    "showlegend": column == "jaccard",
                    **chart.hover(texts),
                }
            )
    tick = {"symbol": "line-ns", "size": 11, "line": {"width": 2, "color": colours.DENSE_LINE}}
    traces.append(chart.legend_entry("chance", tick))
    row_height = max(ROW_HEIGHT, 9 * len(pairs) + 10)
    more = f"; {len(layers) - len(shown)} more layers left out" if len(layers) > len(shown) else ""
    axes = {
        "xaxis": {
            "title": chart.axis_title(f"Jaccard index of the kept weights{more}"),
            "range": [-0.02, 1.02],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "showgrid": True,
        },
        "yaxis": chart.row_axis(chart.escaped(short_layers(shown))),
    }
    figure = chart.draw(
        TITLE_BY_LAYER,
        178 + row_height * len(shown),
        traces,
        axes,
        legend_rows=4,
        legend_width=44,
        margin={"l": 100, "r": 14, "b": 48},
        shapes=[chart.stripe(place) for place in range(0, len(shown), 2)],
    )
    return chart.Chart(figure, _finding_by_layer(rows, names))


def _ratio(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:.2f}"


def _hover(row: dict[Any, Any], names: Sequence[str]) -> str:
    a, b = int(row["a"]), int(row["b"])
    where = "all layers" if row["target"] == OVERALL else str(row["target"])
    return chart.spoken(
        f"{colours.recipe_look(a).letter} and {colours.recipe_look(b).letter}, {where}",
        _sentence(row, recipe_label(a, names[a]), recipe_label(b, names[b])),
    )


def _sentence(row: dict[Any, Any], one: str, other: str) -> str:
    if pd.isna(row["jaccard"]):
        return f"{one} and {other} both keep none of {count(row['weights'])} weights."
    return (
        f"Of the weights that {one} or {other} keeps, {row['jaccard']:.0%} are kept by both; chance would give "
        f"{row['chance']:.0%}. {count(row['weights'])} weights compared."
    ).replace("%", " %")


def _finding(rows: pd.DataFrame, names: Sequence[str], where: str) -> str:
    known = rows[rows["jaccard"].notna()]
    if known.empty:
        return f"No two recipes keep a weight of {where}."
    return f"In {where}: " + " ".join(
        f"{recipe_label(int(row['a']), names[int(row['a'])])} and {recipe_label(int(row['b']), names[int(row['b'])])} "
        f"agree by {_ratio(row['jaccard'])}, chance {_ratio(row['chance'])}."
        for row in known.to_dict("records")
    )


def _finding_by_layer(rows: pd.DataFrame, names: Sequence[str]) -> str:
    known = rows[rows["jaccard"].notna()]
    if known.empty:
        return "No two recipes keep a weight of any layer."
    told = []
    for end, place in (("least", known["jaccard"].argmin()), ("most", known["jaccard"].argmax())):
        row = known.iloc[int(place)].to_dict()
        a, b = int(row["a"]), int(row["b"])
        told.append(
            f"{end} in {row['target']} ({recipe_label(a, names[a])} and {recipe_label(b, names[b])}: "
            f"{_ratio(row['jaccard'])}, chance {_ratio(row['chance'])})"
        )
    return f"Pairs of recipes keep the same weights {' and '.join(told)}."
