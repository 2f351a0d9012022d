"""The cliff: what comes before one drags there."""

import streamlit as st

from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.cliff import amount_marker, cliff
from pruning_explorer.lab.curves import CurveJob, CurveQueue, cliff_amounts
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import state
from pruning_explorer.ui.decision import draw_decision
from pruning_explorer.ui.live_mask import LIVE_AMOUNT
from pruning_explorer.ui.not_runnable import explain_not_runnable
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, chart_so_far, draw_as_it_comes, draw_progress
from pruning_explorer.ui.session import Key, session_id
from pruning_explorer.ui.show_chart import clicked_point, show_chart

PROGRESS_HEIGHT = 48
"""Height in pixels of the progress bar and of the line that replaces it; equal, so that nothing moves at the end."""


_CLICKED = Key[bool]("cliff_clicked", False)
"""Whether an amount on the curve was clicked in this run."""

_QUEUE = CurveQueue(cliff_amounts, seeds=1)


def warm_cliff(subject: Subject, recipe: Recipe) -> None:
    """Measure a cliff before anybody asks for it."""
    job = _QUEUE.ask(subject, recipe, "start")
    job.wait()
    _chart(job, job.measured)


def draw_cliff(report: Report) -> None:
    """Quality and drift over all amounts, as far as they are computed, with a marker where one stands."""
    if report.subject.samples is None:
        explain_not_runnable(report.subject, "drift over amounts cannot be measured")
        return
    job = _QUEUE.ask(report.subject, report.recipe, session_id())
    # While points come in, only this part of the page is drawn anew
    draw_as_it_comes([job], lambda: _draw(report, job), "cliff_part")


def _draw(report: Report, job: CurveJob) -> bool:
    with st.container(key="cliff_box"):
        chart = _chart(job, job.measured)
        show_chart(chart, "cliff", on_click=_take_click)
        st.html(amount_marker(report.recipe.amount, LIVE_AMOUNT))
    if problem := job.problems[0]:
        st.warning(f"The curve stops here: {plain(problem)}")
    else:
        draw_progress(_QUEUE, job, "cliff_progress", PROGRESS_HEIGHT, _progress(job))
    deciding = draw_decision(job, [report.recipe.amount], lambda _, amount: state.set_amount(amount))
    if _CLICKED.pop():
        st.rerun()  # the whole page follows the amount
    return deciding


def _take_click() -> None:
    """Go to the amount that was clicked, which is the measured one next to the pointer."""
    if point := clicked_point("cliff"):
        state.set_amount(point["x"] / 100)
        _CLICKED.set(True)


def _progress(job: CurveJob) -> Progress:
    subject = job.subject
    done = f"Measured at {job.planned} amounts on the same {subject.sample_count} samples. Click one to go there."
    if subject.metric is not None and (unknown := int(job.frame()["quality"].isna().sum())):
        done += f" At {unknown} of them the {plain(quality_label(subject))} is not known."
    return Progress(
        job.progress,
        f"Measuring other amounts: {job.progress:.0%}",
        f"Cancelled at {job.measured} of {job.planned} amounts.",
        done,
        "Measure the rest",
    )


def _chart(job: CurveJob, points: int) -> Chart:
    """The chart of a job's first ``points`` points."""
    subject = job.subject
    return chart_so_far(
        job,
        points,
        lambda: cliff(
            job.frame(),
            dense_quality=dense_level(subject) if points else None,
            quality_name=quality_label(subject),
            planned=job.planned,
        ),
    )
