"""What all figures share: a chart with its alt text, one style, and a message where there is nothing to draw."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
import plotly.io

# the tool bar hides the title on a phone, and none of the figures is there to be zoomed
CONFIG: Final[dict[str, Any]] = {"displayModeBar": False}

TITLE_HEIGHT: Final = 30
LEGEND_HEIGHT: Final = 26
LEGEND_ROW: Final = 19

# a click chooses a point; the others must not fade, they mean what they meant
STEADY: Final = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
PERCENT_AXIS: Final = {"range": [-3, 103], "tickvals": [0, 25, 50, 75, 100]}


@dataclass(frozen=True)
class Chart:
    """A figure, and what it shows in a sentence for those who cannot see it."""

    figure: go.Figure
    alt: str


def need_columns(frame: pd.DataFrame, columns: Iterable[str], figure: str) -> None:
    """Refuse a table that a figure cannot read.

    Raises:
        ValueError: a column is missing; all that are missing are named.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        has = ", ".join(map(str, frame.columns)) or "none"
        raise ValueError(f"{figure} needs the columns {', '.join(missing)}; the table has {has}")


def word_chart(title: str, sentence: str, height: int) -> Chart:
    """A chart that says why there is nothing to draw; ``height`` in pixels, that of the chart it replaces."""
    words = {"text": wrapped(sentence, 40), "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    hidden = {"visible": False}
    return Chart(draw(title, height, [], {"xaxis": hidden, "yaxis": hidden}, annotations=[words]), sentence)


def draw(
    title: str,
    height: int,
    traces: list[dict[str, Any]],
    axes: Mapping[str, dict[str, Any]],
    *,
    legend_rows: int = 0,
    legend_width: int | None = None,
    margin: Mapping[str, int] | None = None,
    **layout: Any,
) -> go.Figure:
    """Make a figure in the look of all: title, legend below it, no zoom, the page's own background.

    All in one go: plotly checks a whole figure in a tenth of the time that it takes to add to one piece by piece.

    Args:
        title: short.
        height: in pixels, fixed, so that the page does not jump when the chart arrives.
        traces: as plotly writes them in JSON.
        axes: ``"xaxis"``, ``"yaxis"``, ``"yaxis2"``: their settings.
        legend_rows: how many rows the legend takes on a phone, 0 for none.
        legend_width: of each name in the legend, in pixels; None makes all as wide as the longest, with some to spare.
        margin: pixels left (``l``), right (``r``) and below (``b``) for the axes' words; None lets plotly find out,
            which it does by drawing the axes several times over.
        layout: what else the layout says.
    """
    top = head_room(legend_rows)
    # a finger that scrolls the page over a chart must not zoom into it
    still = {"fixedrange": True, "automargin": margin is None, "zeroline": False}
    look = {
        # In its page Streamlit fills this in; its own is colours that nothing here uses, copied and sent each time
        **({"template": {"data": {}, "layout": {}}} if plotly.io.templates.default == "streamlit" else {}),
        "title": {
            "text": title,
            "font": {"size": 16},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6, "l": 4},
        },
        "height": height,
        "margin": {"l": 8, "r": 12, "b": 8, "t": top, "autoexpand": margin is None, **(margin or {})},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend_rows > 0,
        "legend": {
            "orientation": "h",
            "title": {"text": ""},
            "traceorder": "normal",
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1 - TITLE_HEIGHT / height,
            "yref": "container",
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"size": 12},
            **({} if legend_width is None else {"entrywidth": legend_width}),
        },
        "hoverlabel": {"align": "left", "namelength": -1},
        "hovermode": "closest",
        "dragmode": False,
        **{name: {**still, **axis} for name, axis in axes.items()},
    }
    # plotly's own check of every value costs more than all the rest of a release; the tests do it
    return go.Figure(data=traces, layout={**look, **layout}, _validate=False)


def hover(texts: Sequence[str | list[str]] | npt.NDArray[np.object_]) -> dict[str, Any]:
    """What of a trace has each point say a text of its own, and nothing beside it."""
    return {"hovertext": texts, "hovertemplate": "%{hovertext}<extra></extra>"}


def legend_entry(name: str, marker: dict[str, Any]) -> dict[str, Any]:
    """A trace without points, which explains a marker in the legend."""
    return {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker, "name": name}


def words_at(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """Words that begin at a point of the plot, ``x`` and ``y`` in shares of it; ``more`` as plotly says it."""
    place = {"xref": "paper", "x": x, "xanchor": "left", "yref": "paper", "y": y}
    return {"text": text, "showarrow": False, **place, "font": {"size": 12}, **more}


def row_axis(labels: Sequence[str]) -> dict[str, Any]:
    """The upright axis of a chart of rows, the first row on top."""
    rows = len(labels)
    return {"tickvals": list(range(rows)), "ticktext": labels, "range": [rows - 0.5, -0.5], "showgrid": False}


def stripe(place: int) -> dict[str, Any]:
    """A pale band behind one row of a chart of rows, so that its marks are read together."""
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": place - 0.5,
        "y1": place + 0.5,
        "line": {"width": 0},
        "fillcolor": "rgba(128, 128, 128, 0.1)",
        "layer": "below",
    }


def head_room(legend_rows: int) -> int:
    """Pixels above the plot, for title and legend."""
    return TITLE_HEIGHT + (LEGEND_HEIGHT if legend_rows else 6) + LEGEND_ROW * max(0, legend_rows - 1)


def axis_title(text: str) -> dict[str, Any]:
    """The title of an axis, close to its numbers."""
    return {"text": text, "standoff": 6}


@lru_cache(maxsize=4096)  # on a release of the slider most points of a curve say what they said before
def wrapped(sentence: str, width: int = 34) -> str:
    """A sentence as escaped lines, for a hover label that fits a phone.

    >>> wrapped("a < b", 80)
    'a &lt; b'
    """
    return "<br>".join(escape(line, quote=False) for line in textwrap.wrap(sentence, width, break_on_hyphens=False))


def spoken(title: str, sentence: str) -> str:
    """The text of a hover label: a name in bold, and a sentence on it."""
    return f"<b>{wrapped(title)}</b><br>{wrapped(sentence)}"


def escaped(texts: Iterable[str]) -> list[str]:
    """Texts as plotly shows them letter by letter."""
    return [escape(text, quote=False) for text in texts]


def labelled(places: int, most: int) -> list[int]:
    """Which of so many places in a row get one of about ``most`` labels: both ends, and others between them."""
    order = [0, places - 1, *range(1, places - 1)] if places > 1 else [0]
    return apart([float(place) for place in range(places)], order, gap=max(1.0, places / most))


def apart(positions: Sequence[float], order: Sequence[int], gap: float) -> list[int]:
    """Choose labels that do not overlap: the first in ``order`` is taken, each further one must be ``gap`` away.

    Returns:
        Indices into ``positions``, ascending.

    >>> apart([0.0, 0.1, 1.0], order=[1, 0, 2], gap=0.5)
    [1, 2]
    """
    chosen: list[int] = []
    for index in order:
        if all(abs(positions[index] - positions[other]) >= gap for other in chosen):
            chosen.append(index)
    return sorted(chosen)
