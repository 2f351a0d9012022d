"""Who is asking: one browser session."""

import uuid

import streamlit as st


def session_id() -> str:
    """An id of this browser session, made at its first run."""
    return str(st.session_state.setdefault("session_id", uuid.uuid4().hex))
