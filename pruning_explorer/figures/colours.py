"""Every colour of the figures, once. Safe for the colour-blind; and no meaning hangs on colour alone."""

from dataclasses import dataclass
from typing import Final

KEPT: Final = "#0b6e75"
REMOVED: Final = "#d9822b"
DENSE: Final = "#5b5b5b"
ACCENT: Final = "#7b3f98"

# DENSE and ACCENT are too dark for a thin line on a dark page: these stand at least 3:1 off both backgrounds
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

DIVERGING: Final = "PuOr"
SEQUENTIAL: Final = "Cividis"


@dataclass(frozen=True)
class RecipeLook:
    """How one recipe of a comparison looks in every chart and table.

    Attributes:
        letter: ``"A"`` to ``"D"``, what it is called beside its name.
        colour: stands at least 3:1 off a white and off a dark page.
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
"""By a recipe's position. Okabe and Ito's palette again, those of it that show on both backgrounds."""


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
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
