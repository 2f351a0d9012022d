"""The decision, said: how much can go for a loss that a person allows, and a button that goes there."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from pruning_explorer.decision import decision_in_short, decision_line
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
HOW = (
    "The largest amount that costs no more is looked for: on the curve first, then step by step between two of its "
    "points, each measured on the same samples. One point is one sample in a hundred. In a terminal: "
    "`report … --within 1`."
)
ALLOWED_WIDTH = 80
"""Width in pixels of its box in a line."""


def draw_decision(
    curves: CurveJob, amounts: Sequence[float], go: Callable[[int, float], None], letters: Sequence[str]
) -> bool:
    """The most that can go of each recipe, provisional while its curve or the steps between two points are measured.

    Args:
        curves: of the recipes, measured as far as it may be.
        amounts: where each recipe stands, in [0, 1].
        go: takes the position of a recipe and the amount to give it; called before the page is drawn again.
        letters: what the recipes are called.

    Returns:
        Whether more will come: the page looks again.
    """
    box, answers = st.columns([1, 3], vertical_alignment="top")
    with box:
        allowed = _ask_allowed(curves, "visible")
    found, deciding = _decide(curves, allowed)
    with answers, st.container(key=f"decision_answers_{len(letters)}", gap="xsmall"):
        for i, letter in enumerate(letters):
            _answer(curves, i, letter, *found[i], amounts[i], go)
    return deciding


def draw_decision_line(curves: CurveJob, amount: float, go: Callable[[float], None]) -> tuple[MostWithin | None, bool]:
    """The same of a single recipe, in one line.

    Returns:
        What is known, provisional while more is measured; and whether more will come.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="decision_line"):
        # The sign of a help stands behind its text, and would move with one that changes
        begins = st.container(width="content")
        allowed = _ask_allowed(curves, "collapsed")
        ((found, problem),), deciding = _decide(curves, allowed)
        label, samples = quality_label(curves.subject), curves.subject.sample_count
        of = "% of answers flipped" if dense_level(curves.subject) is None else f"points of {plain(label)}"
        whole = "" if found is None else f"{plain(decision_line(found, label, samples), longest=400)}\n\n"
        begins.caption("Most for", help=help_with_glossary_link(f"{whole}{HOW}", "amount"), width="content")
        if found is None:
            st.caption(f"{of}: {plain(problem) if problem else 'measuring the curve first …'}", width="stretch")
        else:
            st.caption(f"{of}: {plain(decision_in_short(found))}", width="stretch")
        most = None if found is None else found.amount
        if st.button(
            "Set it",
            key="within_go",
            disabled=most is None or most == amount,
            help=help_with_glossary_link("Give the recipe this amount; the whole page follows.", "amount"),
        ):
            if most is not None:
                go(most)
            st.rerun()
    return found, deciding


def _ask_allowed(curves: CurveJob, label_visibility: Literal["visible", "collapsed"]) -> float:
    """How much it may cost, in points."""
    subject = curves.subject
    dense = dense_level(subject) if curves.measured else None
    ALLOWED.setdefault()
    return st.number_input(
        "May flip at most, % of answers"
        if dense is None
        else f"May cost at most, points of {plain(quality_label(subject))}",
        0.0,
        100.0,
        step=0.5,
        format="%g",
        key=ALLOWED,
        persist_state="session",
        label_visibility=label_visibility,
        width="stretch" if label_visibility == "visible" else ALLOWED_WIDTH,
        help=help_with_glossary_link(HOW, "amount"),
    )


def _decide(curves: CurveJob, allowed: float) -> tuple[list[tuple[MostWithin | None, str | None]], bool]:
    """What is found of each recipe and what stopped it; and whether more will come."""
    dense = dense_level(curves.subject) if curves.measured else None
    job = _QUEUE.ask(curves, allowed, session_id()) if curves.done else None
    found = [
        (_so_far(curves, i, allowed, dense), None)
        if job is None
        else (job.found[i] or _so_far(curves, i, allowed, dense), job.problems[i])
        for i in range(len(curves.curves))
    ]
    return found, job is not None and is_waited_for(job)


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
    name = f"**{letter}**: "
    if found is None:
        st.caption(f"{name}{plain(problem) if problem else 'Measuring the curve first …'}")
        return
    line = plain(decision_line(found, quality_label(curves.subject), curves.subject.sample_count), longest=400)
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.markdown(f"{name}{line}")
    if found.amount is not None and button.button(
        f"Set {letter}",
        key=f"within_go_{i}",
        disabled=found.amount == amount,
        help=help_with_glossary_link("Give the recipe this amount; the whole page follows.", "amount"),
    ):
        go(i, found.amount)
        st.rerun()
