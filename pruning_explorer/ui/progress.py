"""How far work behind the page is, with a button that cancels it and one that goes on."""

from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from pruning_explorer.lab.desk import Desk, Job
from pruning_explorer.ui.session import session_id

Work = TypeVar("Work", bound=Job)


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


def is_waited_for(job: Job) -> bool:
    """Whether more of it will come to this session."""
    return not job.done and session_id() not in job.declined_by


def draw_progress(desk: Desk[Work], job: Work, key: str, height: int, progress: Progress) -> None:
    """A bar and a button to cancel; then a line in the same place, so that nothing moves.

    Args:
        key: of the box; its buttons' are ``{key}_cancel`` and ``{key}_go_on``.
        height: of the box, in pixels.
    """
    with st.container(height=height, border=False, key=key):
        if job.done:
            st.caption(progress.done)
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if is_waited_for(job):
                st.progress(progress.share, progress.doing)
                if st.button("Cancel", key=f"{key}_cancel"):
                    desk.cancel(job, session_id())
                    st.rerun()
            else:
                st.caption(progress.cancelled)
                if st.button(progress.go_on, key=f"{key}_go_on"):
                    desk.go_on(job, session_id())
                    st.rerun()
