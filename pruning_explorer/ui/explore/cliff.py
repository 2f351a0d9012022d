"""The cliff: what comes before one drags there."""

from time import sleep
from weakref import WeakKeyDictionary

import streamlit as st

from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.cliff import amount_marker, cliff
from pruning_explorer.lab.curves import CurveDesk, CurveJob, cliff_amounts
from pruning_explorer.lab.study import Study
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import state
from pruning_explorer.ui.decision import draw_decision
from pruning_explorer.ui.live_mask import LIVE_AMOUNT
from pruning_explorer.ui.look_again import draw_until_done
from pruning_explorer.ui.nothing_runs import tell_why_nothing_runs
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_progress, is_waited_for
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.show_chart import show_chart

SECONDS_BETWEEN_LOOKS = 0.4
PROGRESS_HEIGHT = 48
"""Of the progress bar, and of the line that takes its place: nothing moves when the work is done."""


CLICKED = "cliff_clicked"
"""In the session: whether an amount on the curve was clicked in this run."""

_DESK = CurveDesk(cliff_amounts, seeds=1)


def _desk() -> CurveDesk:
    """Of all sessions together."""
    return _DESK


def warm_cliff(subject: Subject, recipe: Recipe) -> None:
    """Measure a cliff before anybody asks for it."""
    job = _desk().ask(subject, recipe, "start")
    while not job.done:
        sleep(0.01)
    _chart(job, job.standing)


def draw_cliff(study: Study) -> None:
    """Quality and drift over all amounts, as far as they are computed, with a marker where one stands."""
    if study.subject.samples is None:
        tell_why_nothing_runs(study.subject, "drift over amounts cannot be measured")
        return
    job = _desk().ask(study.subject, study.recipe, session_id())
    # While points come in, only this part of the page is drawn anew
    draw_until_done(lambda: _draw(study, job), key="cliff_part", seconds=SECONDS_BETWEEN_LOOKS)


def _draw(study: Study, job: CurveJob) -> bool:
    waiting = is_waited_for(job)
    with st.container(key="cliff_box"):
        chart = _chart(job, job.standing)
        show_chart(chart, "cliff", on_click=_take_click)
        st.html(amount_marker(study.recipe.amount, LIVE_AMOUNT))
    if problem := job.problems[0]:
        st.warning(f"The curve stops here: {plain(problem)}")
    else:
        draw_progress(_desk(), job, "cliff_progress", PROGRESS_HEIGHT, _progress(job))
    deciding = draw_decision(job, [study.recipe.amount], lambda _, amount: state.set_amount(amount))
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # the whole page follows the amount
    return waiting or deciding


def _take_click() -> None:
    """Go to the amount that was clicked, which is the measured one next to the pointer."""
    points = st.session_state["cliff"]["selection"]["points"]
    if points:
        state.set_amount(points[0]["x"] / 100)
        st.session_state[CLICKED] = True


def _progress(job: CurveJob) -> Progress:
    subject = job.subject
    done = f"Measured at {job.planned} amounts on the same {subject.sample_count} samples. Click one to go there."
    if subject.metric is not None and (unknown := int(job.frame()["quality"].isna().sum())):
        done += f" At {unknown} of them the {plain(quality_label(subject))} is not known."
    return Progress(
        job.progress,
        f"Measuring other amounts: {job.progress:.0%}",
        f"Cancelled at {job.standing} of {job.planned} amounts.",
        done,
        "Measure the rest",
    )


_CHARTS: WeakKeyDictionary[CurveJob, tuple[int, Chart]] = WeakKeyDictionary()
"""Of each job that somebody still has, the latest chart, and of how many points it is."""


def _chart(job: CurveJob, points: int) -> Chart:
    """The chart of a job's first ``points`` points; the same object again while no more are measured."""
    drawn = _CHARTS.get(job)
    if drawn is None or drawn[0] != points:
        subject = job.subject
        chart = cliff(
            job.frame(),
            dense_quality=dense_level(subject) if points else None,
            quality_name=quality_label(subject),
            planned=job.planned,
        )
        drawn = _CHARTS[job] = points, chart
    return drawn[1]
