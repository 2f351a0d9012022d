"""Who is asking: one browser session."""

import uuid

import streamlit as st


def arriving(page: str) -> None:
    """Note which page is shown; to be called before it is drawn."""
    st.session_state["just_arrived"] = st.session_state.get("page_shown") != page
    st.session_state["page_shown"] = page


def just_arrived() -> bool:
    """Whether this run shows another page than the one before, so that what stood on it is drawn anew."""
    return bool(st.session_state.get("just_arrived"))


def page_shown() -> str | None:
    """The page that is shown, as its address names it; None where there is but one."""
    page: str | None = st.session_state.get("page_shown")
    return page


def session_id() -> str:
    """An id of this browser session, made at its first run."""
    return str(st.session_state.setdefault("session_id", uuid.uuid4().hex))
