"""One layer's mask under every recipe, side by side, and how many of them keep each weight."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import Chart, draw, head_room, legend_entry, word_chart, words_at
from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.figures.pictures import data_address, palette_png
from pruning_explorer.figures.recipe_names import recipe_label, short_label
from pruning_explorer.figures.short_names import short_layer
from pruning_explorer.trace import step

Matrix = npt.NDArray[np.uint8]

TITLE: Final = "Masks"
PANEL_HEIGHT: Final = 200
# Pixels between two panels one below the other: for the axis numbers of the upper and a two-line title of the lower
GAP_HEIGHT: Final = 70
HEADING_HEIGHT: Final = 40
MARGIN: Final = {"l": 40, "r": 12, "b": 72}
COLUMN_GAP: Final = 0.05
LONGEST_NAME: Final = 18
LEGEND_WIDTH: Final = 100

# Rows or columns of the largest layer that is drawn weight by weight; a larger one is drawn in blocks, since its
# weights are smaller than pixels
MOST_CELLS: Final = 1024
MOST_BLOCKS: Final = 256
# Most weights of a layer whose hover labels say in words whether each is kept; of a larger layer the colour says it
MOST_WORDS: Final = 1 << 14

# Colour of a block of which half is kept: between those of kept and removed
HALF: Final = "#f3ecdf"
# Colours of a weight that some recipes keep and others remove: the darker, the more of them keep it
SOME: Final = ("#f0e4f6", "#cfa9e3", "#a06cbe")
CAPTION: Final = "across: the weights of an output channel<br>drag to zoom into all, double-click for the whole"


@step("chart: masks side by side")
def mask_panels(
    masks: Sequence[npt.NDArray[Any] | None], names: Sequence[str], target: str, among: Sequence[str] = ()
) -> Chart:
    """A panel for each recipe and one for all together; a zoom into one is a zoom into all.

    A layer of more than 1,024 rows or columns is drawn as the density of blocks, at most 256 a side; the last panel
    is then the share of weights that all recipes keep. Draw it with Plotly's ``displayModeBar`` off: dragging zooms.

    Args:
        masks: of one layer, one for each recipe, [O, ...] with the output channels first; true is kept. A recipe that
            leaves the layer alone has all true; None for one that could not be measured: it has no panel.
        names: of the recipes, by position, at most four.
        target: the name of the layer.
        among: the names of all layers; from these its own is told apart where it is shortened.

    Raises:
        ValueError: there is not one name for each mask, or two masks differ in shape.
    """
    if len(masks) != len(names):
        raise ValueError(f"{len(masks)} masks need as many names; there are {len(names)}")
    places = [place for place, mask in enumerate(masks) if mask is not None and np.size(mask)]
    if not places:
        return word_chart(TITLE, "There is no mask to show.", PANEL_HEIGHT)
    there = [mask for mask in masks if mask is not None]
    shapes = {np.shape(mask) for mask in there}
    if len(shapes) > 1:
        raise ValueError(f"masks of one layer have one shape; these have {sorted(shapes)}")
    rows = [_matrix(mask) for mask in there]
    kept_by: Matrix = np.stack(rows).sum(axis=0, dtype=np.uint8)
    height, width = kept_by.shape
    block = tuple(-(-side // MOST_BLOCKS) for side in (height, width)) if max(height, width) > MOST_CELLS else None
    total = len(rows)
    if block is None:
        shown = [_cells(mask, [colours.REMOVED, colours.KEPT], ["removed", "kept"]) for mask in rows]
        shown.append(_cells(kept_by, _palette(total), [_by(number, total) for number in range(total + 1)]))
        legend = [(colours.KEPT, f"kept (by all {total})"), *_some(total), (colours.REMOVED, "removed (by all)")]
    else:
        shown = [_blocks(mask, block, "kept") for mask in rows]
        shown.append(_blocks((kept_by == total).astype(np.uint8), block, f"kept by all {total}"))
        legend = [(colours.KEPT, "all kept"), (HALF, "half kept"), (colours.REMOVED, "none kept")]

    headings = [
        f"<b>{escape(short_label(place, names, LONGEST_NAME), quote=False)}</b><br>{percent(float(mask.mean()))} kept"
        for place, mask in zip(places, rows, strict=True)
    ]
    by_all, by_none = float((kept_by == total).mean()), float((kept_by == 0).mean())
    headings.append(f"<b>All together</b><br>all keep {percent(by_all)}, none {percent(by_none)}")
    domains, plot_height = _grid(total + 1)
    corners = [(across[0], up[1]) for across, up in domains]
    above = [
        words_at(text, *corner, align="left", yanchor="bottom") for text, corner in zip(headings, corners, strict=True)
    ]
    caption = words_at(CAPTION, 0, 0, align="left", yanchor="top", yshift=-30)
    traces = [{**trace, **_axes_of(place)} for place, trace in enumerate(shown)]
    legend_rows = -(-len(legend) // 2)
    top = head_room(legend_rows) + HEADING_HEIGHT
    axes = _all_axes(domains, height, width)
    figure = draw(
        f"{TITLE} <span style='font-size:12px'>{_about(short_layer(target, among), height, width, block)}</span>",
        top + plot_height + MARGIN["b"],
        [*traces, *(legend_entry(name, _square(colour)) for colour, name in legend)],
        axes,
        legend_rows=legend_rows,
        legend_width=LEGEND_WIDTH,
        margin={**MARGIN, "t": top},
        annotations=[*above, caption],
        dragmode="zoom",
    )
    return Chart(figure, _finding(rows, kept_by, [names[place] for place in places], target))


def _matrix(mask: npt.NDArray[Any]) -> Matrix:
    mask = np.asarray(mask) != 0
    return mask.reshape(len(mask) if mask.ndim else 1, -1).astype(np.uint8)


def _palette(total: int) -> list[str]:
    # of one recipe there is none between all and nobody
    between = SOME[len(SOME) - total + 1 :] if total > 1 else ()
    return [colours.REMOVED, *between, colours.KEPT]


def _by(number: int, total: int) -> str:
    return f"kept by {'none' if number == 0 else number} of {total}"


def _some(total: int) -> list[tuple[str, str]]:
    return [(_palette(total)[number], f"by {number} of {total}") for number in range(total - 1, 0, -1)]


def _cells(codes: Matrix, palette: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    told = "row %{y}, column %{x}"
    picture: dict[str, Any] = {"type": "image", "source": data_address(palette_png(codes, palette))}
    if codes.size <= MOST_WORDS:
        picture["text"] = np.array(words, dtype=object)[codes].tolist()
        told += ": <b>%{text}</b>"
    return {**picture, "hovertemplate": f"{told}<extra></extra>"}


def _blocks(codes: Matrix, block: tuple[int, ...], what: str) -> dict[str, Any]:
    sums, sizes = codes.astype(np.int64), np.ones((1, 1), dtype=np.int64)
    for axis, (stride, side) in enumerate(zip(block, codes.shape, strict=True)):
        starts = np.arange(0, side, stride)
        sums = np.add.reduceat(sums, starts, axis=axis)
        sizes = sizes * np.expand_dims(np.diff([*starts, side]), 1 - axis)
    share = np.rint(sums / sizes * 100)
    # only all is 100 %, only none is 0 %
    share = np.where(sums == sizes, 100, np.where(sums == 0, 0, np.clip(share, 1, 99)))
    return {
        "type": "heatmap",
        "z": share.astype(np.uint8),
        "y0": (block[0] - 1) / 2,
        "dy": block[0],
        "x0": (block[1] - 1) / 2,
        "dx": block[1],
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, colours.REMOVED], [0.5, HALF], [1, colours.KEPT]],
        "showscale": False,
        "hovertemplate": f"around row %{{y:.0f}}, column %{{x:.0f}}: <b>%{{z}} % {what}</b><extra></extra>",
    }


def _grid(panels: int) -> tuple[list[tuple[tuple[float, float], tuple[float, float]]], int]:
    """Where each panel stands, as shares of the plot, and the plot's height in pixels; two in a row.

    A last one that is alone in its row has all of it.
    """
    lines = -(-panels // 2)
    plot_height = lines * PANEL_HEIGHT + (lines - 1) * GAP_HEIGHT
    half = (1 - COLUMN_GAP) / 2
    domains = []
    for place in range(panels):
        line, column = divmod(place, 2)
        top = 1 - line * (PANEL_HEIGHT + GAP_HEIGHT) / plot_height
        across = (0.0, half) if column == 0 else (1 - half, 1.0)
        if place == panels - 1 and column == 0:
            across = (0.0, 1.0)
        domains.append((across, (max(0.0, top - PANEL_HEIGHT / plot_height), top)))
    return domains, plot_height


def _axes_of(place: int) -> dict[str, str]:
    number = "" if place == 0 else str(place + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def _all_axes(
    domains: Sequence[tuple[tuple[float, float], tuple[float, float]]], height: int, width: int
) -> dict[str, dict[str, Any]]:
    axes: dict[str, dict[str, Any]] = {}
    for place, (across, up) in enumerate(domains):
        names = _axes_of(place)
        number = names["xaxis"][1:]
        common = {"fixedrange": False, "showgrid": False, "nticks": 5, "constrain": "range", "tickfont": {"size": 11}}
        # plotly would keep cells of a picture square
        x = {**common, "domain": list(across), "anchor": names["yaxis"], "range": [-0.5, width - 0.5]}
        y = {
            **common,
            "domain": list(up),
            "anchor": names["xaxis"],
            "range": [height - 0.5, -0.5],
            "scaleanchor": False,
            "showticklabels": across[0] == 0,
        }
        if place:
            x["matches"], y["matches"] = "x", "y"
        axes[f"xaxis{number}"], axes[f"yaxis{number}"] = x, y
    return axes


def _square(colour: str) -> dict[str, Any]:
    return {"symbol": "square", "size": 12, "color": colour, "line": {"width": 1, "color": colours.DENSE_LINE}}


def _about(layer: str, height: int, width: int, block: tuple[int, ...] | None) -> str:
    about = f"{escape(layer, quote=False)}, {height:,} × {width:,}"
    return about if block is None else f"{about}, blocks of {block[0]} × {block[1]}"


def _finding(rows: Sequence[Matrix], kept_by: Matrix, names: Sequence[str], target: str) -> str:
    kept = "; ".join(
        f"{recipe_label(place, names[place])}: {count(int(mask.sum()))}, {percent(float(mask.mean()))}"
        for place, mask in enumerate(rows)
    )
    total = len(rows)
    shares = [float((kept_by == number).mean()) for number in range(total + 1)]
    return (
        f"Masks of {target}, {kept_by.shape[0]:,} rows by {kept_by.shape[1]:,}, side by side. Kept of "
        f"{count(kept_by.size)} weights: {kept}. All keep {percent(shares[-1])}, some but not all "
        f"{percent(sum(shares[1:-1]))}, none {percent(shares[0])}. Zooming into one panel zooms into all."
    )
