"""The cliff: what comes before one drags there."""

import streamlit as st

from pruning_explorer.figures.cliff import cliff_chart
from pruning_explorer.lab.cliff import CliffDesk, CliffJob
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.study import Study

SECONDS_BETWEEN_LOOKS = 0.4


@st.cache_resource
def _desk() -> CliffDesk:
    return CliffDesk()


def draw_cliff(study: Study) -> None:
    """Quality and drift over all amounts, as far as they are computed, with a marker where one stands."""
    st.subheader("The cliff", anchor="cliff", help="The same recipe at every amount, measured on the same samples.")
    if study.subject.samples is None:
        st.info("This network has no sample inputs, so there is nothing to measure drift on.")
        return
    job = _desk().ask(study.subject, study.recipe, session_id())
    waiting = not job.done
    # While points come in, only this part of the page is drawn anew
    st.fragment(_draw, run_every=SECONDS_BETWEEN_LOOKS if waiting else None)(study, job, waiting)


def _draw(study: Study, job: CliffJob, waiting: bool) -> None:
    done = job.done
    if job.problem:
        st.warning(f"The curve stops here: {job.problem}")
    else:
        text = "The whole range is measured." if done else f"Measuring the whole range: {job.progress:.0%}"
        st.progress(job.progress, text)
    frame = job.frame()
    if len(frame):
        dense = None if study.quality is None else float(study.quality.iloc[0]["dense"])
        chart = cliff_chart(frame, study.recipe.amount, dense, study.subject.quality_name)
        st.plotly_chart(chart.figure, key="cliff", alt=chart.alt, config={"displayModeBar": False})
    if done and waiting:
        st.rerun()  # the one run that stops the looking
