"""The cliff: what comes before one drags there."""

from functools import lru_cache
from time import sleep

import streamlit as st

from pruning_explorer.figures.chart import CONFIG, Chart
from pruning_explorer.figures.cliff import amount_marker, cliff
from pruning_explorer.lab.curves import CurveDesk, CurveJob, cliff_amounts
from pruning_explorer.lab.study import Study
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.live_mask import LIVE_AMOUNT
from pruning_explorer.ui.session import session_id

SECONDS_BETWEEN_LOOKS = 0.4
PROGRESS_HEIGHT = 48
"""Of the progress bar, and of the line that takes its place: nothing moves when the work is done."""


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
        st.info("This network has no sample inputs, so there is nothing to measure drift on.")
        return
    job = _desk().ask(study.subject, study.recipe, session_id())
    waiting = not job.done
    # While points come in, only this part of the page is drawn anew
    st.fragment(_draw, run_every=SECONDS_BETWEEN_LOOKS if waiting else None)(study, job, waiting)


def _draw(study: Study, job: CurveJob, waiting: bool) -> None:
    done = job.done
    with st.container(key="cliff_box"):
        chart = _chart(job, job.standing)
        st.plotly_chart(chart.figure, key="cliff", alt=chart.alt, config=CONFIG)
        st.html(amount_marker(study.recipe.amount, LIVE_AMOUNT))
    if problem := job.problems[0]:
        st.warning(f"The curve stops here: {problem}")
    else:
        with st.container(height=PROGRESS_HEIGHT, border=False, key="cliff_progress"):
            if done:
                st.caption(f"Measured at {job.planned} amounts on the same {study.subject.sample_count} samples.")
            else:
                st.progress(job.progress, f"Measuring what the other amounts would do: {job.progress:.0%}")
    if done and waiting:
        st.rerun()  # the one run that stops the looking


@lru_cache(maxsize=64)
def _chart(job: CurveJob, points: int) -> Chart:
    """The chart of a job's first ``points`` points; the same object again while no more are measured."""
    subject = job.subject
    return cliff(
        job.frame(),
        dense_quality=quality_of(subject, dense_outputs(subject)) if points else None,
        quality_name=subject.quality_name,
        planned=job.planned,
    )
