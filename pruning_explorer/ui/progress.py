"""How far work behind the page is, with a button that cancels it and one that goes on."""

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import streamlit as st

from pruning_explorer.figures.chart import Chart
from pruning_explorer.lab.job_queue import Job, JobQueue
from pruning_explorer.ui.look_again import draw_until_done
from pruning_explorer.ui.session import session_id

Work = TypeVar("Work", bound=Job)

PATIENCE = 0.25
"""Seconds that a page waits for a job before it is drawn without the result."""

SECONDS_BETWEEN_LOOKS = 0.4


@dataclass(frozen=True)
class Progress:
    """What is said of it.

    Attributes:
        share: fraction that is done, in [0, 1].
        doing: while it goes on.
        cancelled: after somebody has cancelled it.
        done: when all is done.
        go_on: on the button that goes on.
    """

    share: float
    doing: str
    cancelled: str
    done: str
    go_on: str


_CHARTS: WeakKeyDictionary[Job, tuple[Hashable, Chart]] = WeakKeyDictionary()
"""For each job still in use, its latest chart and how far the job was then."""


def chart_so_far(job: Job, far: Hashable, draw: Callable[[], Chart]) -> Chart:
    """The chart of a job that is so far; the same object again while it gets no further."""
    drawn = _CHARTS.get(job)
    if drawn is None or drawn[0] != far:
        drawn = _CHARTS[job] = far, draw()
    return drawn[1]


def be_patient(jobs: Iterable[Job]) -> None:
    """Wait a moment for jobs that are nearly done, rather than draw the page twice."""
    end = time.monotonic() + PATIENCE
    for job in filter(is_waited_for, jobs):
        job.wait(max(0.0, end - time.monotonic()))


def draw_as_it_comes(jobs: Sequence[Job], draw: Callable[[], bool | None], key: str) -> None:
    """Draw a part of the page that shows jobs; by itself again, as long as more of them will come to this session.

    Args:
        draw: draws it as far as it is; may say that more will come from elsewhere.
        key: identity of this part on the page.
    """

    def look() -> bool:
        waiting = any(map(is_waited_for, jobs))  # asked first: what comes while it is drawn is drawn by the next look
        return bool(draw()) or waiting

    draw_until_done(look, key=key, seconds=SECONDS_BETWEEN_LOOKS)


def is_waited_for(job: Job) -> bool:
    """Whether more of it will come to this session."""
    return not job.done and not job.stopped.is_set() and session_id() not in job.declined_by


def draw_progress(
    queue: JobQueue[Work], job: Work, key: str, height: int, progress: Progress, width: int | None = None
) -> None:
    """A bar and a button to cancel; then a line in the same place, so that nothing moves.

    Args:
        key: of the box; its buttons' are ``{key}_cancel`` and ``{key}_go_on``.
        height: of the box, in pixels.
        width: likewise; None is all that there is.
    """
    with st.container(height=height, width=width or "stretch", border=False, key=key, vertical_alignment="center"):
        if job.done:
            st.caption(progress.done)
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if is_waited_for(job):
                st.progress(progress.share, progress.doing)
                if st.button("Cancel", key=f"{key}_cancel"):
                    queue.cancel(job, session_id())
                    st.rerun()
            else:
                st.caption(progress.cancelled)
                if st.button(progress.go_on, key=f"{key}_go_on"):
                    queue.go_on(job, session_id())
                    st.rerun()
