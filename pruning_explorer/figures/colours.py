"""Every colour of the figures, once. Safe for the colour-blind; and no meaning hangs on colour alone."""

from dataclasses import dataclass
from typing import Final

from plotly.colors import hex_to_rgb, sequential

KEPT: Final = "#0b6e75"
REMOVED: Final = "#d9822b"
ACCENT: Final = "#7b3f98"

# For thin lines, which stand at least 3:1 off a light and a dark page
DENSE_LINE: Final = "#8a8a8a"
ACCENT_LINE: Final = "#a06cbe"
KEPT_LINE: Final = "#0f8a93"

# Okabe and Ito's palette, without its black and yellow: one of them is lost on each background
CLASSES: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
SYMBOLS: Final = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "x",
    "triangle-down",
    "pentagon",
    "star",
    "bowtie",
)

SEQUENTIAL: Final = "Cividis"


@dataclass(frozen=True)
class PageColours:
    """Colours of what the browser draws itself, on a light or on a dark page.

    Attributes:
        kept, kept_pale, kept_text: the fill, the ground of a text, and the text on it.
        removed, removed_pale, removed_text: likewise.
        mark: strikes through what is removed, on ``removed``.
        gone, hatch: a removed weight where kept ones show their values, and the stroke through it.
        never: a weight that stays at every amount.
        positive, negative: the sign of a weight, on the page's background.
        baseline: of a small chart.
        weights: from the most negative over zero to the most positive.
        magnitudes: from zero up.
        exits: exit amounts from 0 to 1.
    """

    kept: str
    kept_pale: str
    kept_text: str
    removed: str
    removed_pale: str
    removed_text: str
    mark: str
    gone: str
    hatch: str
    never: str
    positive: str
    negative: str
    baseline: str
    weights: tuple[str, ...]
    magnitudes: tuple[str, ...]
    exits: tuple[str, ...] = tuple(sequential.Cividis)


ON_LIGHT: Final = PageColours(
    kept=KEPT,
    kept_pale="#e0f0f0",
    kept_text="#074f54",
    removed=REMOVED,
    removed_pale="#fbead6",
    removed_text="#7a3d00",
    mark="#4d2a05",
    gone="#cfd2d6",
    hatch="#a4a9b0",
    never=ACCENT,
    positive="#b35806",
    negative="#2166a8",
    baseline="#a9adb5",
    weights=("#08427f", "#3b86c0", "#a8cbe4", "#f7f7f7", "#eebb8c", "#c56a1c", "#7a3a05"),
    magnitudes=("#f7f7f7", "#3b86c0", "#08305f"),
)
ON_DARK: Final = PageColours(
    kept="#2a9aa3",
    kept_pale="#143639",
    kept_text="#9fe3e8",
    removed="#c9741f",
    removed_pale="#40260c",
    removed_text="#ffbf85",
    mark="#2b1700",
    gone="#4a4f58",
    hatch="#6d737e",
    never="#c58be0",
    positive="#ffab5e",
    negative="#6db3f2",
    baseline="#5a5f69",
    weights=("#9bd0ff", "#4f9ce2", "#2c6093", "#1b1f26", "#8f5823", "#df9044", "#ffcf96"),
    magnitudes=("#1d2127", "#4b97dc", "#d8ecff"),
)


@dataclass(frozen=True)
class RecipeLook:
    """How one recipe of a comparison looks in every chart and table.

    Attributes:
        letter: ``"A"`` to ``"D"``, what it is called beside its name.
        colour: ``#rrggbb``, with a contrast of at least 3:1 to white and to dark pages.
        dash: of its line, as plotly calls it.
        symbol: of its marker; there is an open kind of it with a dot.
    """

    letter: str
    colour: str
    dash: str
    symbol: str


RECIPE_LOOKS: Final = (
    RecipeLook("A", "#0072b2", "solid", "circle"),
    RecipeLook("B", "#d55e00", "dash", "square"),
    RecipeLook("C", "#009e73", "dot", "triangle-up"),
    RecipeLook("D", "#cc79a7", "dashdot", "diamond"),
)
"""Colour, dash and marker of a recipe's line, by its position. The colours are those of Okabe and Ito's palette that
show on light and dark backgrounds."""


def recipe_look(position: int) -> RecipeLook:
    """The look of the recipe at a position, the same in every chart.

    Raises:
        ValueError: ``position`` is not one of the four.
    """
    if not 0 <= position < len(RECIPE_LOOKS):
        raise ValueError(f"recipe {position} has no look: a comparison has at most {len(RECIPE_LOOKS)}, from 0")
    return RECIPE_LOOKS[position]


def class_colour(index: int) -> str:
    """The colour of a class; beyond six they repeat, and the symbol tells them apart."""
    return CLASSES[index % len(CLASSES)]


def class_symbol(index: int) -> str:
    """The marker of a class; with :func:`class_colour` the first 30 classes are told apart."""
    return SYMBOLS[index % len(SYMBOLS)]


def translucent(colour: str, opacity: float) -> str:
    """A ``#rrggbb`` colour as ``rgba(...)``.

    >>> translucent("#0b6e75", 0.2)
    'rgba(11, 110, 117, 0.2)'
    """
    red, green, blue = hex_to_rgb(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
