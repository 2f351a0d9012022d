"""Samples of two numbers as points, on the regions in which the pruned network gives each answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import LEGEND_ROW, Chart, axis_title, draw, hover, need_columns, spoken, word_chart
from pruning_explorer.figures.gallery import class_name
from pruning_explorer.figures.numbers import percent
from pruning_explorer.trace import step

HEIGHT = 420
TITLE = "Samples"
COLUMNS = ("sample", "agrees", "dense_top1", "pruned_top1", "dense_probability", "pruned_probability")


@dataclass(frozen=True, eq=False)
class DecisionRegions:
    """The answers of a network on a grid of points.

    Attributes:
        x: [W], ascending.
        y: [H], ascending.
        answers: [H, W], class index at each crossing.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    answers: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.answers.shape != (len(self.y), len(self.x)):
            raise ValueError(
                f"answers are {self.answers.shape}, but x and y ask for ({len(self.y)}, {len(self.x)}): one row per y"
            )


@step("chart: sample points")
def sample_points(
    samples: pd.DataFrame,
    points: npt.NDArray[np.floating],
    names: Sequence[str],
    labels: npt.NDArray[np.integer] | None = None,
    regions: DecisionRegions | None = None,
) -> Chart:
    """Points by class on the pruned network's decision regions; those whose answer changed are ringed.

    Args:
        samples: one row per sample to draw with the columns ``COLUMNS``, as ``sample_drift`` makes it.
        points: [N, 2], by sample number.
        names: of the classes.
        labels: [N], the true classes; without them a point has the class that the dense network gives it.
        regions: what the pruned network answers on a grid.

    Raises:
        ValueError: a column is missing, or ``points`` is not [N, 2].
    """
    need_columns(samples, COLUMNS, "The chart of samples")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points must be [N, 2], not {list(points.shape)}")
    if samples.empty:
        return word_chart(TITLE, "There are no samples to show.", HEIGHT)
    numbers = samples["sample"].to_numpy(dtype=np.int64)
    places = points[numbers]
    classes = (labels[numbers] if labels is not None else samples["dense_top1"].to_numpy()).astype(np.int64)
    flipped = ~samples["agrees"].to_numpy(dtype=bool)
    truths = [None] * len(numbers) if labels is None else [int(labels[number]) for number in numbers]
    texts = np.array(
        [
            _hover(row, names, place, truth)
            for row, place, truth in zip(samples.to_dict("records"), places, truths, strict=True)
        ],
        dtype=object,
    )
    shown = sorted(set(classes.tolist()))
    traces = [] if regions is None else [_regions(regions, names)]
    for index in shown:
        marker = {
            "color": colours.class_colour(index),
            "symbol": colours.class_symbol(index),
            "size": 7,
            "line": {"width": 0.5, "color": "#ffffff"},
        }
        name = escape(class_name(names, index), quote=False)
        traces.append(_marks(places[classes == index], texts[classes == index], name, marker))
    if flipped.any():
        ring = {"symbol": "circle-open", "size": 15, "color": colours.ACCENT_LINE, "line": {"width": 2}}
        traces.append(_marks(places[flipped], texts[flipped], f"flipped ({int(flipped.sum())})", ring))
    bare = {"nticks": 6, "showgrid": False, "constrain": "domain"}
    axes = {
        "xaxis": {**bare, "title": axis_title("first input")},
        "yaxis": {**bare, "title": {"text": "second input"}, "scaleanchor": "x"},
    }
    # a phone has room for two names in a row
    rows = -(-(len(shown) + int(flipped.any())) // 2)
    finding = (
        f"{len(samples)} samples of {len(shown)} classes on the plane; "
        f"for {int(flipped.sum())} of them the pruned network's answer differs from the dense one's."
    )
    if regions is not None:
        finding += " Behind them, the regions in which the pruned network gives each answer."
    return Chart(draw(TITLE, HEIGHT + LEGEND_ROW * (rows - 1), traces, axes, legend_rows=rows), finding)


def _marks(
    places: npt.NDArray[np.floating], texts: npt.NDArray[np.object_], name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": places[:, 0],
        "y": places[:, 1],
        "mode": "markers",
        "marker": marker,
        "name": name,
        **hover(texts),
    }


def _regions(regions: DecisionRegions, names: Sequence[str]) -> dict[str, Any]:
    steps = int(regions.answers.max()) + 1
    scale = [[edge / steps, colours.class_colour(index)] for index in range(steps) for edge in (index, index + 1)]
    answers = np.array([escape(class_name(names, index), quote=False) for index in range(steps)], dtype=object)
    return {
        "type": "heatmap",
        "x": regions.x,
        "y": regions.y,
        "z": regions.answers.astype(np.uint8 if steps <= 256 else np.uint16),
        "zmin": -0.5,
        "zmax": steps - 0.5,
        "colorscale": scale,
        "showscale": False,
        "opacity": 0.22,
        "text": answers[regions.answers],
        "hovertemplate": "Here the pruned network answers <b>%{text}</b>.<extra></extra>",
        "name": "regions",
    }


def _hover(row: dict[Any, Any], names: Sequence[str], place: npt.NDArray[np.floating], label: int | None) -> str:
    dense, pruned = class_name(names, int(row["dense_top1"])), class_name(names, int(row["pruned_top1"]))
    true = "" if label is None else f", truly {class_name(names, label)}"
    return spoken(
        f"sample {int(row['sample'])}{'' if row['agrees'] else ', flipped'}",
        f"At ({place[0]:.2f}, {place[1]:.2f}){true}: the dense network answers {dense} "
        f"({percent(row['dense_probability'])}), the pruned one {pruned} ({percent(row['pruned_probability'])}).",
    )
