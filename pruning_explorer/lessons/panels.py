"""What a stage shows: plain values, one for every stop of its slider, ready to be drawn and played in a browser.

A *stop* is one place of the slider, counted from 0. What comes and goes says at which stop it *leaves*: from that stop
on it is removed; a number as large as there are stops means never. Because every recipe here is nested, one number per
weight tells the whole future of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Stops = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix written out as numbers.

    Attributes:
        title: what it is, ``"fc1.weight"``.
        values: ``[R, C]``; what does not change is drawn once.
        leaves: ``[R, C]``, the stop from which each is removed; None where nothing is.
        look: how the removed ones look: ``"struck"`` leaves the number, struck out; ``"zeroed"`` writes 0 in its place;
            ``"mask"`` writes 1 for kept and 0 for removed, and never the value.
        digits: after the point.
        group: a gap after every so many columns; 0 for none.
        row_names, column_names: what stands beside and above; empty for none.
        note: one line below.
    """

    title: str
    values: Floats
    leaves: Stops | None = None
    look: Literal["struck", "zeroed", "mask"] = "struck"
    digits: int = 2
    group: int = 0
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, eq=False)
class Edges:
    """The connections between two columns of nodes: one layer.

    Attributes:
        name: of the layer, ``"fc1"``.
        values: weights ``[out, in]``.
        leaves: ``[out, in]``, the stop from which each is removed.
    """

    name: str
    values: Floats
    leaves: Stops


@dataclass(frozen=True, eq=False)
class Network:
    """A network as nodes and edges, drawn whole.

    Attributes:
        columns: names of the nodes, from inputs to outputs; ``len(layers) + 1`` columns.
        layers: the edges between each column and the next.
    """

    title: str
    columns: tuple[tuple[str, ...], ...]
    layers: tuple[Edges, ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Regions:
    """What a network of two inputs answers all over the plane, at every stop.

    Attributes:
        answers: class index, uint8 ``[stops, H, W]``, the first row at the lowest y.
        extent: x from, x to, y from, y to.
        points: samples ``[N, 2]``.
        labels: the true class of each, int ``[N]``.
        class_names: by class index.
    """

    title: str
    answers: NDArray[np.uint8]
    extent: tuple[float, float, float, float]
    points: Floats
    labels: NDArray[np.integer]
    class_names: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        values: a number per stop, or per place in ``Curves.x``; None where there is none (yet).
        low, high: of a band around it, as many; empty for none.
    """

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Curves:
    """Lines over the slider, or over an axis of their own.

    Attributes:
        y_title: with its unit, ``"accuracy (%)"``; values are written as they are.
        y_range: from, to; None fits it to the values.
        x_title: of an axis of its own; empty where x is the slider.
        x: places on an axis of its own; empty where x is the slider.
        growing: whether a line is drawn only as far as the slider has been, so that it appears as one drags.
        lines: horizontal lines: a name and a height, such as guessing alone.
        better: ``"higher"`` or ``"lower"`` is better; empty where neither is.
        log: whether each step up is a factor of ten. 0 and less have no place there and leave a gap; what is beyond
            ``y_range`` is drawn at its edge. Let the note say so.
    """

    title: str
    series: tuple[Series, ...]
    y_title: str
    y_range: tuple[float, float] | None = None
    x_title: str = ""
    x: tuple[float, ...] = ()
    growing: bool = False
    lines: Mapping[str, float] | None = None
    better: Literal["higher", "lower", ""] = ""
    note: str = ""
    log: bool = False


@dataclass(frozen=True, eq=False)
class Bars:
    """One bar per layer: how much of it is left.

    Attributes:
        names: of the L layers.
        kept: fraction in [0, 1], ``[stops, L]``. One that reaches 0 is marked as collapsed.
        weights: how many each has, ``[L]``.
        cap: the largest fraction that any may lose, drawn as a line; None for none.
    """

    title: str
    names: tuple[str, ...]
    kept: Floats
    weights: tuple[int, ...]
    cap: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """One number of a row of key figures.

    Attributes:
        values: as they are written, at each stop; or one for all.
        help: what is measured, its unit and direction.
    """

    label: str
    values: tuple[str, ...]
    help: str = ""


@dataclass(frozen=True)
class Figures:
    """A row of key figures that follow the slider."""

    figures: tuple[Figure, ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Code:
    """A few lines of Python, at each stop; or the same at all."""

    title: str
    texts: tuple[str, ...]
    note: str = ""


def attribute_in_code(owner: str, path: str) -> str:
    """Python for what lies at a path below ``owner``, whatever the names in a network are.

    >>> attribute_in_code("model", "body.fc1"), attribute_in_code("model", "0.fc"), attribute_in_code("model", "")
    ('model.body.fc1', "getattr(model, '0').fc", 'model')
    """
    for part in path.split(".") if path else []:
        plain = part.isascii() and part.isidentifier() and not iskeyword(part)
        owner = f"{owner}.{part}" if plain else f"getattr({owner}, {part!r})"
    return owner


@dataclass(frozen=True)
class Table:
    """A small table.

    Attributes:
        rows: as they are written, ``[stops][rows][columns]``, or ``[1][rows][columns]`` for all stops.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Small grey images side by side, such as feature maps or samples.

    Attributes:
        values: ``[stops or 1, N, H, W]``, or with stops of 1 for all.
        captions: below each, ``[stops or 1][N]``.
        low, high: the values that are black and white.
        marked: ``[stops or 1][N]``, which ones are framed, such as flipped answers; empty for none.
    """

    title: str
    values: Floats
    captions: tuple[tuple[str, ...], ...]
    low: float
    high: float
    marked: tuple[tuple[bool, ...], ...] = ()
    note: str = ""


Panel = Matrix | Network | Regions | Curves | Bars | Figures | Code | Table | Pictures


def leaves_of(exit_counts: Sequence[int], ranks: NDArray[np.integer]) -> Stops:
    """From how many have gone at each stop to the stop at which each one leaves.

    Args:
        exit_counts: how many have left at each stop, not decreasing.
        ranks: each one's place in the order of leaving, from 0, any shape.

    Returns:
        Int64 shaped as ``ranks``; ``len(exit_counts)`` for what never leaves.

    >>> leaves_of([0, 1, 3], np.array([[0, 2], [1, 3]])).tolist()
    [[1, 2], [2, 3]]
    """
    stops: NDArray[np.int64] = np.searchsorted(np.asarray(exit_counts), ranks, side="right").astype(np.int64)
    return stops
