"""Which network the Models page shows in detail."""

import streamlit as st

LOOKED_AT = "model_looked_at"


def look_at(name: str) -> None:
    """Show this one from the next run on; its select box may be drawn already in this one."""
    st.session_state["look_at_next"] = name


def take_next() -> None:
    """Take over what :func:`look_at` asked for; to be called before the select box is drawn."""
    name = st.session_state.pop("look_at_next", None)
    if name is not None:
        st.session_state[LOOKED_AT] = name
