"""One card for each recipe: its name, what it does, and what can be done with it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.titles import title_of
from pruning_explorer.ui import session, state
from pruning_explorer.ui.compare import columns
from pruning_explorer.ui.compare.columns import FEWEST, LETTERS, MOST, Column
from pruning_explorer.ui.compare.presets import PRESETS, recipes_of, why_not
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.one_by_one import beginning
from pruning_explorer.ui.plain_text import plain

CARD_WIDTH = 160
"""Width in pixels that a card needs: two fit side by side on a phone."""

SHOWN_WHOLE = 16
"""Most characters of a name that its text box shows on a phone."""

_PRESETS_OPEN = session.Key[bool]("presets_open")


def draw_choice(subject: Subject, explored: Recipe) -> None:
    """Above the cards: presets, and one more recipe."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        presets = st.popover("Presets", key=_PRESETS_OPEN, on_change="rerun", help="Comparisons worth a look.")
        st.button(
            "Add a recipe",
            key="add_column",
            disabled=len(columns.columns()) >= MOST,
            on_click=_add,
            args=(explored,),
            help=f"One more column, with Explore's recipe to start from, and the amount that all have; at most {MOST}.",
        )
    if presets.open:
        with presets:
            _presets(subject)


def draw_cards(shown: Comparison) -> None:
    """The recipes from left to right."""
    drawn = columns.columns()
    pruned = [set() if report is None else set(report.masks) for report in shown.reports]
    anywhere = set[str]().union(*pruned)
    with st.grid(len(drawn), min_column_width=CARD_WIDTH, gap="small"):
        for place, (column, name) in enumerate(zip(drawn, shown.names, strict=True)):
            with st.container(border=True, key=f"card_{column.number}"):
                _card(column, name, place, shown.failures[place], sorted(anywhere - (pruned[place] or anywhere)))


def _presets(subject: Subject) -> None:
    for number, preset in enumerate(PRESETS):
        reason = why_not(preset, subject)
        st.button(
            preset.title,
            key=f"preset_{number}",
            disabled=reason is not None,
            width="stretch",
            on_click=_take_preset,
            args=(number,),
        )
        st.caption(preset.help if reason is None else f"Not here: {plain(reason)}")


def _take_preset(number: int) -> None:
    recipes = recipes_of(PRESETS[number], columns.edited().recipe.amount)
    columns.set_columns([(name, beginning(recipe, state.subject())) for name, recipe in recipes])
    _PRESETS_OPEN.set(False)  # it would lie over what was asked for


def _add(recipe: Recipe) -> None:
    """At another amount than all the others it would be compared with nothing."""
    amounts = {column.recipe.amount for column in columns.columns()}
    columns.add(replace(recipe, amount=amounts.pop()) if len(amounts) == 1 else recipe)


def _take_amount(number: int, percent: float) -> None:
    for place, column in enumerate(columns.columns()):
        if column.number == number:
            columns.set_amount(place, round(percent / 100, 4))


def _card(column: Column, name: str, place: int, failure: str | None, dense: Sequence[str]) -> None:
    """``dense``: layers that it leaves alone and another recipe prunes."""
    number, letter, count = column.number, LETTERS[place], len(columns.columns())
    edited = columns.edited().number == number
    box = controlled_widget(f"name_{number}", name)
    st.text_input(
        f"Recipe {letter}",
        box.value,
        key=box.key,
        max_chars=60,
        help=help_with_glossary_link(
            "Its name in every chart. Empty it to go back to the name that says what it does.", "recipe"
        ),
        on_change=box.on_change(partial(columns.rename, number)),
    )
    title = title_of(column.recipe)
    # A long name may be longer than its box on a phone
    what = [plain(title)] if column.own_name or len(title) > SHOWN_WHOLE else []
    alone = [f":material/warning: leaves {plain(', '.join(dense))} dense"] if dense else []
    st.caption(" · ".join([*what, *alone]) or "&nbsp;")  # as high in every card; a blank itself is stripped
    percent = controlled_widget(f"amount_{number}", round(column.recipe.amount * 100, 1))
    st.number_input(
        f"Amount of {letter}, %",
        0.0,
        100.0,
        percent.value,
        step=0.1,
        format="%.1f",
        key=percent.key,
        help=help_with_glossary_link("Of this recipe alone; the curves above set that of all.", "amount"),
        on_change=percent.on_change(partial(_take_amount, number)),
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Editing" if edited else "Edit",
            key=f"edit_{number}",
            type="primary" if edited else "secondary",
            on_click=columns.edit,
            args=(number,),
            help="The sidebar sets this recipe." if edited else "Set this recipe in the sidebar.",
        )
        more = st.popover("More", key=_more_open(number), on_change="rerun")
    if more.open:
        with more:
            _actions(number, place, count)
    problem = column.problem or failure
    if problem:
        # What a script could do about it is no help here
        st.error(plain(problem.partition("; give ")[0]), icon=":material/error:")


def _more_open(number: int) -> session.Key[bool]:
    return session.Key(f"more_{number}")


def _actions(number: int, place: int, count: int) -> None:
    def act(action: Callable[..., None], *how: int) -> None:
        action(number, *how)
        _more_open(number).set(False)

    full, few = count >= MOST, count <= FEWEST
    choices: tuple[tuple[str, str, bool, Callable[..., None], tuple[int, ...]], ...] = (
        ("duplicate", "Duplicate", full, columns.duplicate, ()),
        ("left", "Move left", place == 0, columns.move, (-1,)),
        ("right", "Move right", place == count - 1, columns.move, (1,)),
        ("remove", "Remove", few, columns.remove, ()),
    )
    for key, label, disabled, action, how in choices:
        st.button(label, key=f"{key}_{number}", disabled=disabled, on_click=act, args=(action, *how), width="stretch")
    if st.button("Open in Explore", key=f"explore_{number}", width="stretch"):
        session.OPEN_IN_EXPLORE.set(columns.columns()[place].recipe)
        st.rerun()
