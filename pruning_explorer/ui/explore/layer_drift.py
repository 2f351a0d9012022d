"""Drift by layer: where the error begins, measured behind the page and drawn as it comes."""

import streamlit as st

from pruning_explorer.figures.layer_drift import layer_drift_chart
from pruning_explorer.figures.numbers import count
from pruning_explorer.lab.layer_drift_job import LayerDriftJob, LayerDriftQueue
from pruning_explorer.measure.report import Report
from pruning_explorer.ui.not_runnable import explain_not_runnable
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, be_patient, chart_so_far, draw_as_it_comes, draw_progress
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.show_chart import show_chart

PROGRESS_HEIGHT = 48
"""Height in pixels of the progress bar and of the line that replaces it; equal, so that nothing moves at the end."""

_QUEUE = LayerDriftQueue()


def draw_layer_drift(report: Report) -> None:
    """Each module's outputs, pruned beside dense, as far as they are compared."""
    if report.subject.samples is None:
        explain_not_runnable(report.subject, "its layers have no outputs to compare")
        return
    st.caption(
        "Each module's output on the samples, pruned beside dense, in the order they run: where the error begins "
        "and how it grows."
    )
    job = _QUEUE.ask(report, session_id())
    be_patient([job])
    draw_as_it_comes([job], lambda: _draw(job), "layer_drift_part")


def _draw(job: LayerDriftJob) -> None:
    planned = None if job.done else job.planned
    chart = chart_so_far(job, (job.measured, planned), lambda: layer_drift_chart(job.frame(), planned))
    show_chart(chart, "layer_drift")
    if job.problem:
        st.warning(f"It ends here: {plain(job.problem)}")
    else:
        draw_progress(_QUEUE, job, "layer_drift_progress", PROGRESS_HEIGHT, _progress(job))


def _progress(job: LayerDriftJob) -> Progress:
    return Progress(
        job.progress,
        f"Comparing module by module: {job.progress:.0%}",
        f"Cancelled at {count(job.measured)} of {count(job.planned)} modules.",
        f"{count(job.measured)} of {count(job.planned)} modules have outputs to compare.",
        "Compare all",
    )
