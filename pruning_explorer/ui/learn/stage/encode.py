"""Panels as the browser needs them: plain values for JSON, and what has pixels as one PNG for all stops."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from plotly.colors import hex_to_rgb

from pruning_explorer.figures.colours import ACCENT_LINE, CLASSES, DENSE_LINE, RECIPE_LOOKS, SYMBOLS
from pruning_explorer.figures.pictures import data_address, palette_png, png_address
from pruning_explorer.lessons.panels import (
    Bars,
    Curves,
    Figure,
    Figures,
    Floats,
    Matrix,
    Network,
    Panel,
    Pictures,
    Regions,
)
from pruning_explorer.lessons.scene import Stage

Encoded = dict[str, Any]

DRAWN_DIGITS: Final = 4
"""Significant digits of weights and of curve values: more than a chart or its legend shows."""
PALE: Final = 0.45
"""Share of the class's colour in the fill of its region, from 0 to 1; the rest is white, so that the points stand
out."""
LINE_LOOKS: Final = (
    *((look.colour, look.dash) for look in RECIPE_LOOKS),
    (ACCENT_LINE, "longdash"),
    (DENSE_LINE, "longdashdot"),
)
"""Colour and dash of a chart's lines, by position; from the seventh on they repeat."""


def encode_stage(stage: Stage) -> Encoded:
    """A stage as one value for the browser: what its slider says and its panels.

    Returns:
        ``stops`` and ``shown``, empty where nothing is dragged; ``playable``; ``panels``, see :func:`encode_panel`.
    """
    slider = stage.slider
    return {
        "stops": list(slider.stops) if slider else [],
        "shown": list(slider.shown) if slider else [],
        "playable": slider is not None and slider.playable and len(slider.stops) > 1,
        "panels": [encode_panel(panel) for panel in stage.panels],
    }


def encode_panel(panel: Panel) -> Encoded:
    """A panel as a JSON value.

    Returns:
        ``kind``, the panel's class in small letters, and its fields. Numbers are rounded to what is drawn; one that is
        not finite is None. Answers and pictures are ``sprite``, the address of a PNG of all of them, and ``size``,
        their shape. What is only looked up (colours, shares) is beside them.
    """
    encode = _ENCODERS.get(type(panel), _as_it_is)
    return {"kind": type(panel).__name__.lower(), **encode(panel)}


def _matrix(panel: Matrix) -> Encoded:
    return _as_it_is(panel) | {
        "values": _numbers(panel.values, panel.digits),
        "leaves": None if panel.leaves is None else panel.leaves.astype(int).tolist(),
    }


def _network(panel: Network) -> Encoded:
    layers = [
        {
            "name": edges.name,
            "values": _numbers(edges.values, DRAWN_DIGITS),
            "leaves": edges.leaves.astype(int).tolist(),
        }
        for edges in panel.layers
    ]
    return _as_it_is(panel) | {"layers": layers}


def _regions(panel: Regions) -> Encoded:
    stops, height, width = panel.answers.shape
    classes = max(len(panel.class_names), int(panel.answers.max(initial=0)) + 1)
    looks = [{"colour": CLASSES[i % len(CLASSES)], "symbol": SYMBOLS[i % len(SYMBOLS)]} for i in range(classes)]
    flat = panel.answers.reshape(stops, -1)
    shares = np.stack([(flat == label).mean(axis=1) for label in range(classes)], axis=1)
    sprite = palette_png(panel.answers.reshape(stops * height, width), [_pale(look["colour"]) for look in looks])
    return _as_it_is(panel) | {
        "points": _numbers(panel.points, 3),
        "labels": panel.labels.astype(int).tolist(),
        "sprite": data_address(sprite),
        "size": [stops, height, width],
        "shares": _numbers(shares * 100, 0),
        "looks": looks,
    }


def _curves(panel: Curves) -> Encoded:
    looks = [LINE_LOOKS[place % len(LINE_LOOKS)] for place in range(len(panel.series))]
    return _as_it_is(panel) | {
        "series": [
            {"name": each.name, **{part: _rounded(getattr(each, part)) for part in ("values", "low", "high")}}
            for each in panel.series
        ],
        "lines": [[name, height] for name, height in (panel.lines or {}).items()],
        "looks": [{"colour": colour, "dash": dash} for colour, dash in looks],
    }


def _bars(panel: Bars) -> Encoded:
    return _as_it_is(panel) | {"kept": _numbers(panel.kept, 6)}


def _figures(panel: Figures) -> Encoded:
    return _as_it_is(panel) | {"figures": [_as_it_is(figure) for figure in panel.figures]}


def _pictures(panel: Pictures) -> Encoded:
    stops, number, height, width = panel.values.shape
    span = panel.high - panel.low
    grey = np.nan_to_num((panel.values.astype(np.float64) - panel.low) / (span or 1.0))
    # a stop is a row of the sprite, its pictures side by side
    sprite = grey.transpose(0, 2, 1, 3).reshape(stops * height, number * width)
    return _as_it_is(panel) | {
        "sprite": png_address(sprite),
        "size": [stops, number, height, width],
    }


_ENCODERS: Final[dict[type, Callable[[Any], Encoded]]] = {
    Matrix: _matrix,
    Network: _network,
    Regions: _regions,
    Curves: _curves,
    Bars: _bars,
    Figures: _figures,
    Pictures: _pictures,
}


def _as_it_is(panel: Panel | Figure) -> Encoded:
    """The fields that are plain values; arrays, which need an encoding, are left out."""
    values = {each.name: getattr(panel, each.name) for each in fields(panel)}
    return {name: _listed(value) for name, value in values.items() if not isinstance(value, np.ndarray)}


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _numbers(values: Floats | NDArray[Any], digits: int) -> Any:
    """Nested lists, rounded; None for what is not finite. Adding 0 makes -0.0 a plain zero."""
    rounded = np.round(np.asarray(values, dtype=np.float64), digits) + 0.0
    numbers: NDArray[np.object_] = rounded.astype(object)
    numbers[~np.isfinite(rounded)] = None
    return numbers.tolist()


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [
        None if value is None or not np.isfinite(value) else float(f"{value:.{DRAWN_DIGITS + 1}g}") for value in values
    ]


def _pale(colour: str) -> str:
    return "#" + "".join(f"{round(255 - PALE * (255 - channel)):02x}" for channel in hex_to_rgb(colour))
