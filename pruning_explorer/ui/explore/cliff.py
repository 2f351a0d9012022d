"""The cliff, which is the amount's slider: what comes before one drags there."""

import math

import streamlit as st

from pruning_explorer.decision import mark_words
from pruning_explorer.lab.curve_points import Point, figures_of, flips_of
from pruning_explorer.lab.curves import CurveJob, CurveQueue, cliff_amounts
from pruning_explorer.lab.most_within import MostWithin
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.amount_curve import amount_curve, released_on_curve, send_points
from pruning_explorer.ui.decision import draw_decision_line
from pruning_explorer.ui.explore.key_figures import PAGE, without_amount
from pruning_explorer.ui.not_runnable import why_not_runnable
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_as_it_comes, draw_progress, is_waited_for
from pruning_explorer.ui.session import session_id

KEY = "amount_curve"
PROGRESS_HEIGHT = 40
"""Height in pixels of the progress bar and of the line that replaces it; equal, so that nothing moves at the end."""
PROGRESS_WIDTH = 170

_QUEUE = CurveQueue(cliff_amounts, seeds=1)


def warm_cliff(subject: Subject, recipe: Recipe) -> None:
    """Measure a cliff before anybody asks for it."""
    _QUEUE.ask(subject, recipe, "start").wait()


def draw_amount() -> None:
    """The amount's slider, on which the curve appears once :func:`draw_cliff` sends it."""
    take_amount()  # where what took it was stopped, nobody calls it again
    subject = state.subject()
    amount_curve(
        key=KEY,
        page=PAGE,
        label="Amount to remove",
        exact="Amount, exact, %",
        amount=session.AMOUNT.get(),
        revision=session.LAST_RELEASE.get(),
        group=state.SHARED_AMOUNT,
        note=why_not_runnable(subject) if subject.samples is None else "",
        on_release=take_amount,
    )


def take_amount() -> None:
    """Take what the handle was let go at, unless it is taken already."""
    state.take_release(released_on_curve(KEY), state.set_amount)


def draw_cliff(report: Report) -> None:
    """Send the curve as far as it is measured, and say how much can go for a loss that one allows."""
    if report.subject.samples is None:
        return  # which the track says
    job = _QUEUE.ask(report.subject, report.recipe, session_id())
    # While points come in, only this part of the page is drawn anew
    draw_as_it_comes([job], lambda: _draw(report, job), "cliff_part")


def _draw(report: Report, job: CurveJob) -> bool:
    subject = report.subject
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cliff_line"):
        found, deciding = draw_decision_line(job, report.recipe.amount, state.set_amount)
        draw_progress(_QUEUE, job, "cliff_progress", PROGRESS_HEIGHT, _progress(job), PROGRESS_WIDTH)
    if problem := job.problems[0]:
        st.warning(f"The curve stops here: {plain(problem)}")
    points = list(job.curves[0].points)
    send_points(
        PAGE,
        # What else was measured is on the curve, too: here, and on both sides of what can go
        [*points, *_around(found), *_here(report)] if points else (),
        planned=job.planned,
        measured=len(points),
        quality_name=quality_label(subject),
        dense_quality=dense_level(subject) if points else None,
        samples=subject.sample_count,
        done=job.done,
        of=without_amount(subject, report.recipe),
        mark=_mark(found),
        note="Measuring what each amount costs …" if is_waited_for(job) else "",
    )
    return deciding


def _around(found: MostWithin | None) -> list[Point]:
    if found is None or not found.exact:
        return []  # while one searches they come and go
    return [each for each in (found.point, found.beyond_point) if each is not None]


def _here(report: Report) -> list[Point]:
    if report.output_drift is None:
        return []
    drift = report.output_drift
    figures = figures_of(report.subject, report.masks, drift, report.sample_quality)
    return [{"amount": report.recipe.amount, **figures, "flips": flips_of(drift)}]


def _mark(found: MostWithin | None) -> dict[str, object] | None:
    if found is None or found.amount is None:
        return None
    return {"amount": found.amount, "words": mark_words(found), "exact": found.exact}


def _progress(job: CurveJob) -> Progress:
    subject = job.subject
    done = f"{job.planned} amounts, {subject.sample_count} samples."
    if subject.metric is not None and (unknown := sum(math.isnan(each["quality"]) for each in job.curves[0].points)):
        done = f"At {unknown} of {job.planned} amounts the {plain(quality_label(subject))} is not known."
    return Progress(
        job.progress,
        f"Measuring: {job.progress:.0%}",
        f"Cancelled at {job.measured} of {job.planned}.",
        done,
        "Measure the rest",
    )
