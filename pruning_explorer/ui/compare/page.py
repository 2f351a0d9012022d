"""Compare: two to four recipes on the same network and the same samples."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pruning_explorer.comparison_charts import how_ties
from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.figures.numbers import percent
from pruning_explorer.lab.comparison import Comparison, Entry
from pruning_explorer.lab.report_job import ReportJob, ReportQueue
from pruning_explorer.measure.quality import guessing_level
from pruning_explorer.ui import address_bar, session, state
from pruning_explorer.ui.address_problems import tell_problems
from pruning_explorer.ui.compare import columns
from pruning_explorer.ui.compare.address import read_comparison, write_comparison
from pruning_explorer.ui.compare.amount import draw_amount_of_all, take_amount_of_all
from pruning_explorer.ui.compare.cards import draw_cards, draw_choice
from pruning_explorer.ui.compare.columns import FEWEST, LETTERS
from pruning_explorer.ui.compare.curves import ask_curves, draw_curves
from pruning_explorer.ui.compare.details import draw_details, keep_open_tab
from pruning_explorer.ui.compare.table import draw_table
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.controls import draw_controls
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.hand_over import hand_over
from pruning_explorer.ui.one_by_one import beginning
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import be_patient, draw_as_it_comes
from pruning_explorer.ui.save_picture import save_pictures
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.shared_controls import controls_make_nothing, fitting, take_controls, what_changed
from pruning_explorer.ui.subjects import find_subject, first_subject

STATUS_HEIGHT = 88
"""Height in pixels of the status lines above the table; fixed, so that nothing moves when they change."""
PICTURES = {
    "comparison_curves": "curves",
    "mask_panels": "masks",
    "agreement_matrix": "agreement",
    "agreement_by_layer": "agreement-by-layer",
    "sparsity_lines": "sparsity-by-layer",
    "class_changes": "quality-by-class",
}
"""File names of the charts that can be saved, by the chart's key."""

_QUEUE = ReportQueue()


def compare() -> None:
    """The Compare page, top to bottom."""
    state.recover_subject()
    _begin()
    _follow_subject()
    _open_in_explore()
    take_amount_of_all()  # where what took it was stopped, nobody calls it again
    column = columns.edited()
    take_controls(f"recipe {column.number}", state.subject(), column.recipe)
    st.title("Compare", anchor=False)
    tell_problems(session.COMPARE_PROBLEMS)
    _edit()
    subject = state.subject()
    address_bar.tell(write_comparison(subject, columns.columns()))
    recipes = [each.recipe for each in columns.columns()]
    with st.container(key="amount_band"):
        draw_amount_of_all(subject, recipes)
    draw_choice(subject, session.EXPLORED.get())
    jobs = _QUEUE.ask(subject, recipes, session_id())
    be_patient(jobs)
    entries = tuple(map(Entry, columns.names(), recipes))
    shown = Comparison(subject, entries, tuple(job.result for job in jobs), ask_curves(subject, recipes))
    draw_cards(shown)
    with st.container(height=STATUS_HEIGHT, border=False, key="comparison_status"):
        _status(shown, jobs)
    draw_table(shown)
    draw_curves(shown)
    if shown.any is None:
        keep_open_tab()
    else:
        draw_details(shown)
    save_pictures({key: f"{subject.name}-{name}" for key, name in PICTURES.items()})


def _open_in_explore() -> None:
    """Go where a point of a curve, or a card, was asked to be opened."""
    if (recipe := session.OPEN_IN_EXPLORE.pop()) is not None:
        hand_over("explore", session.SUBJECT.get(), recipe)


def _begin() -> None:
    """Take over what the address asks for, if it asks for anything else; without recipes, start from Explore's."""
    query = address_bar.brought()
    if query is None and columns.COLUMNS.is_set():
        return
    query = dict(query or {})
    if "subject" not in query:
        query["subject"] = [session.SUBJECT.get(first_subject())]
    address = read_comparison(query)
    recipes = [(name, beginning(recipe, address.subject)) for name, recipe in address.recipes]
    first = recipes[0][1] if recipes else fitting(session.EXPLORED.get(), address.subject)
    if not recipes:
        recipes.append(("", first))
    if len(recipes) < FEWEST:
        other = replace(first, scope="layer" if first.scope == "global" else "global", allocation="each")
        recipes.append(("", other))
    session.SUBJECT.set(address.subject.name)
    session.COLUMNS_SUBJECT.set(address.subject.name)
    session.COMPARE_PROBLEMS.set(address.problems)
    if not session.EXPLORED.is_set():
        session.EXPLORED.set(first)
    columns.set_back(recipes)
    address_bar.taken()


def _follow_subject() -> None:
    if not session.SUBJECT.is_set():
        session.SUBJECT.set(session.COLUMNS_SUBJECT.get())
    if (name := session.SUBJECT.get()) != session.COLUMNS_SUBJECT.get():
        session.COLUMNS_SUBJECT.set(name)
        columns.fit_to(find_subject(name))


def _edit() -> None:
    """Draw the sidebar and give what it makes to the column that it edits."""
    column = columns.edited()
    with st.sidebar:
        numbers = dict(zip(LETTERS, (each.number for each in columns.columns()), strict=False))
        # By its letter, which is what the browser reports: a recipe that has moved has another
        box = controlled_widget(
            "edited_box", next(letter for letter, number in numbers.items() if number == column.number)
        )
        st.segmented_control(
            "The recipe to edit",
            list(numbers),
            default=box.value,
            key=box.key,
            required=True,
            width="stretch",
            help=help_with_glossary_link("All controls below but the network set this recipe alone.", "recipe"),
            on_change=box.on_change(lambda letter: columns.edit(numbers[letter])),
        )
    try:
        changed = what_changed(draw_controls())
    except PruningExplorerError as error:
        controls_make_nothing()
        columns.update(replace(column, problem=str(error)))
        return
    columns.update(replace(column, recipe=changed or column.recipe, problem=""))


def _status(shown: Comparison, jobs: Sequence[ReportJob]) -> None:
    """How to read the table; while recipes are being measured, which, and look again."""
    waiting = {name: job for name, job, result in zip(shown.names, jobs, shown.results, strict=True) if result is None}
    if not waiting:
        _how_to_read(shown)
        return

    def look() -> None:
        if any(job.done or job.stopped.is_set() for job in waiting.values()):
            st.rerun()
        st.caption(f"Measuring {plain(', '.join(waiting))} …")

    draw_as_it_comes(jobs, look, "comparison_part")


def _how_to_read(shown: Comparison) -> None:
    measured = [report for report in shown.reports if report is not None]
    for note in measured[0].notes if measured else ():
        st.caption(f":material/warning: {plain(note, longest=600)}")
    if problem := next((report.quality_problem for report in measured), None):
        st.caption(f":material/warning: Quality is not known: {plain(problem)}")
        return
    guess = guessing_level(shown.subject)
    st.caption(
        f"Small: 95 % intervals. A tie is within error on the same samples ({plain(how_ties(shown))})."
        + (f" Guessing alone is right on {percent(guess)}." if guess is not None else "")
    )
