"""The recipes that are compared, in the browser session: up to four columns, one of which the sidebar edits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.titles import title_of
from pruning_explorer.ui import session
from pruning_explorer.ui.shared_controls import fitting

FEWEST, MOST = 2, 4
LETTERS = "ABCD"


@dataclass(frozen=True)
class Column:
    """One recipe of a comparison.

    Attributes:
        number: tells columns of one session apart, wherever they stand.
        own_name: as the person calls it; empty for the name that follows from the recipe.
        problem: why the controls, as they stand, make no recipe; then ``recipe`` is the last that they made.
    """

    number: int
    recipe: Recipe
    own_name: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        return self.own_name or title_of(self.recipe)


COLUMNS = session.Key[tuple[Column, ...]]("columns", ())
_EDITED = session.Key[int | None]("edited_column", None)
_MADE = session.Key[int]("columns_made", 0)


def columns() -> tuple[Column, ...]:
    """The columns from left to right."""
    return COLUMNS.get()


def names() -> list[str]:
    """Of the columns; one that stands there already is numbered, or charts and tables could not tell them apart."""
    taken: list[str] = []
    for column in columns():
        numbered = (f"{column.name} ({number})" for number in range(2, MOST + 1))
        taken.append(next(name for name in (column.name, *numbered) if name not in taken))
    return taken


def set_columns(wanted: Sequence[tuple[str, Recipe]]) -> None:
    """Start a comparison anew: names (empty: from the recipe) and recipes; the first one is edited."""
    _keep(tuple(Column(_next_number(), recipe, name) for name, recipe in wanted[:MOST]))
    edit(columns()[0].number)


def set_back(wanted: Sequence[tuple[str, Recipe]]) -> None:
    """Set the columns to what they were: the one that is edited still is, if there are as many as now."""
    now = columns()
    if len(now) != len(wanted):
        set_columns(wanted)
        return
    _keep(tuple(Column(column.number, recipe, name) for column, (name, recipe) in zip(now, wanted, strict=True)))
    edit(edited().number)


def edited() -> Column:
    """The column that the sidebar edits."""
    return next((column for column in columns() if column.number == _EDITED.get()), columns()[0])


def edit(number: int) -> None:
    """Let the sidebar edit a column; its controls take over the recipe before they are drawn again."""
    _EDITED.set(number)
    session.CONTROLS_SHOW.set(None)


def update(column: Column) -> None:
    """Put a changed column in the place of the one with its number."""
    _keep(tuple(column if each.number == column.number else each for each in columns()))


def rename(number: int, name: str) -> None:
    """Call a column something; an empty name, or its recipe's, goes back to the recipe's."""
    place = _place(number)
    if place is None:
        return
    stripped = " ".join(name.split())
    own = "" if stripped in (names()[place], title_of(columns()[place].recipe)) else stripped
    update(replace(columns()[place], own_name=own))


def add(recipe: Recipe, name: str = "") -> None:
    """One more column at the right, and edit it."""
    if len(columns()) < MOST:
        column = Column(_next_number(), recipe, name)
        _keep((*columns(), column))
        edit(column.number)


def duplicate(number: int) -> None:
    """The same recipe once more, right beside it, to change one thing."""
    place = _place(number)
    if place is not None and len(columns()) < MOST:
        # Two columns of one name could not be told apart in a legend
        twin = replace(columns()[place], number=_next_number(), own_name="")
        _keep((*columns()[: place + 1], twin, *columns()[place + 1 :]))
        edit(twin.number)


def remove(number: int) -> None:
    """Take a column out; the last two stay."""
    if len(columns()) > FEWEST:
        _keep(tuple(each for each in columns() if each.number != number))
        edit(edited().number)


def move(number: int, by: int) -> None:
    """Change places with the neighbour at the left (-1) or right (1)."""
    place = _place(number)
    if place is not None and 0 <= (other := place + by) < len(columns()):
        order = list(columns())
        order[place], order[other] = order[other], order[place]
        _keep(tuple(order))


def set_amount_of_all(amount: float) -> None:
    """Give every recipe one amount, in [0, 1]."""
    _keep(tuple(replace(each, recipe=replace(each.recipe, amount=amount)) for each in columns()))
    edit(edited().number)


def set_amount(place: int, amount: float) -> None:
    """Give one recipe an amount, in [0, 1]."""
    column = columns()[place]
    update(replace(column, recipe=replace(column.recipe, amount=amount)))
    edit(edited().number)


def fit_to(subject: Subject) -> None:
    """Forget layers that another network had, in every column."""
    _keep(tuple(replace(each, recipe=fitting(each.recipe, subject)) for each in columns()))
    edit(edited().number)


def _keep(wanted: tuple[Column, ...]) -> None:
    COLUMNS.set(wanted)


def _place(number: int) -> int | None:
    """None for a column that is gone: a browser may still send what was typed or clicked on its card."""
    return next((place for place, each in enumerate(columns()) if each.number == number), None)


def _next_number() -> int:
    _MADE.set(_MADE.get() + 1)
    return _MADE.get()
