"""Drift by layer: where the error begins, measured behind the page and drawn as it comes."""

from weakref import WeakKeyDictionary

import streamlit as st

from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.layer_drift import layer_drift_chart
from pruning_explorer.figures.numbers import count
from pruning_explorer.lab.layer_drift_job import LayerDriftDesk, LayerDriftJob
from pruning_explorer.lab.study import Study
from pruning_explorer.ui.look_again import draw_until_done
from pruning_explorer.ui.nothing_runs import tell_why_nothing_runs
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_progress, is_waited_for
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.show_chart import show_chart

PATIENCE = 0.2
"""Seconds that the page waits for what is nearly done, rather than show a bar that is gone at once."""

SECONDS_BETWEEN_LOOKS = 0.4
PROGRESS_HEIGHT = 48
"""Of the progress bar, and of the line that takes its place: nothing moves when the work is done."""

_DESK = LayerDriftDesk()


def draw_layer_drift(study: Study) -> None:
    """Each module's outputs, pruned beside dense, as far as they are compared."""
    if study.subject.samples is None:
        tell_why_nothing_runs(study.subject, "its layers have no outputs to compare")
        return
    st.caption(
        "Each module's output on the samples, pruned beside dense, in the order they run: where the error begins "
        "and how it grows."
    )
    job = _DESK.ask(study, session_id())
    if is_waited_for(job):
        job.wait(PATIENCE)
    draw_until_done(lambda: _draw(job), key="layer_drift_part", seconds=SECONDS_BETWEEN_LOOKS)


def _draw(job: LayerDriftJob) -> bool:
    waiting = is_waited_for(job)
    chart = _chart(job)
    show_chart(chart, "layer_drift")
    if job.problem:
        st.warning(f"It ends here: {plain(job.problem)}")
    else:
        draw_progress(_DESK, job, "layer_drift_progress", PROGRESS_HEIGHT, _progress(job))
    return waiting


def _progress(job: LayerDriftJob) -> Progress:
    return Progress(
        job.progress,
        f"Comparing module by module: {job.progress:.0%}",
        f"Cancelled at {count(job.standing)} of {count(job.planned)} modules.",
        f"{count(job.standing)} of {count(job.planned)} modules have outputs to compare.",
        "Compare all",
    )


_CHARTS: WeakKeyDictionary[LayerDriftJob, tuple[tuple[int, bool], Chart]] = WeakKeyDictionary()
"""Of each job that somebody still has, the latest chart, and how far it was."""


def _chart(job: LayerDriftJob) -> Chart:
    far = job.standing, job.done
    drawn = _CHARTS.get(job)
    if drawn is None or drawn[0] != far:
        drawn = _CHARTS[job] = far, layer_drift_chart(job.frame(), None if job.done else job.planned)
    return drawn[1]
