"""The decision, said: how much can go for a loss that a person allows, and a button that goes there."""

from collections.abc import Callable, Sequence

import streamlit as st

from pruning_explorer.decision import decision_line
from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.curves import CurveJob
from pruning_explorer.lab.most_within import MostWithin, MostWithinQueue, own_points, read_points
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import is_waited_for
from pruning_explorer.ui.session import Key, session_id

_QUEUE = MostWithinQueue()
ALLOWED = Key[float]("within_points", 1.0)
"""The loss of quality that the person allows, in points."""


def draw_decision(
    curves: CurveJob, amounts: Sequence[float], go: Callable[[int, float], None], letters: Sequence[str] = ("",)
) -> bool:
    """The most that can go of each recipe, provisional while its curve or the steps between two points are measured.

    Args:
        curves: of the recipes, measured as far as it may be.
        amounts: where each recipe stands, in [0, 1].
        go: takes the position of a recipe and the amount to give it; called before the page is drawn again.
        letters: what the recipes are called, where there are several.

    Returns:
        Whether more will come: the page looks again.
    """
    subject = curves.subject
    dense = dense_level(subject) if curves.measured else None
    ALLOWED.setdefault()
    box, answers = st.columns([1, 3], vertical_alignment="top")
    allowed = box.number_input(
        "May flip at most, % of answers"
        if dense is None
        else f"May cost at most, points of {plain(quality_label(subject))}",
        0.0,
        100.0,
        step=0.5,
        format="%g",
        key=ALLOWED,
        persist_state="session",
        help=help_with_glossary_link(
            "The largest amount that costs no more is looked for: on the curve first, then step by step between two of "
            "its points, each measured on the same samples. One point is one sample in a hundred. In a terminal: "
            "`report … --within 1`.",
            "amount",
        ),
    )
    job = _QUEUE.ask(curves, allowed, session_id()) if curves.done else None
    with answers, st.container(key=f"decision_answers_{len(letters)}", gap="small"):
        for i, letter in enumerate(letters):
            found, problem = (None, None) if job is None else (job.found[i], job.problems[i])
            found = found or _so_far(curves, i, allowed, dense)
            _answer(curves, i, letter, found, problem, amounts[i], go)
    return job is not None and is_waited_for(job)


def _so_far(curves: CurveJob, i: int, allowed: float, dense: float | None) -> MostWithin | None:
    """What the points of the curve say; None before the first of them."""
    try:
        return read_points(curves.subject, curves.curves[i].recipe, own_points(curves.curves[i]), allowed, dense)
    except PruningExplorerError:
        return None


def _answer(
    curves: CurveJob,
    i: int,
    letter: str,
    found: MostWithin | None,
    problem: str | None,
    amount: float,
    go: Callable[[int, float], None],
) -> None:
    name = f"**{letter}**: " if letter else ""
    if found is None:
        st.caption(f"{name}{plain(problem) if problem else 'Measuring the curve first …'}")
        return
    line = plain(decision_line(found, quality_label(curves.subject), curves.subject.sample_count), longest=400)
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.markdown(f"{name}{line}")
    if found.amount is not None and button.button(
        f"Set {letter or 'it'}",
        key=f"within_go_{i}",
        disabled=found.amount == amount,
        help=help_with_glossary_link("Give the recipe this amount; the whole page follows.", "amount"),
    ):
        go(i, found.amount)
        st.rerun()
