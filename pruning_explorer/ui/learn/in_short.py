"""The end of the lessons: what to reach for, and what to measure before one believes it."""

from pathlib import Path

import streamlit as st

import pruning_explorer.lessons

IN_SHORT = (Path(pruning_explorer.lessons.__file__).parent / "in_short.md").read_text(encoding="utf-8")


def draw_in_short() -> None:
    """The summary, below the last lesson."""
    with st.container(key="learn_in_short"):
        st.subheader("All lessons in short", anchor=False)
        st.markdown(IN_SHORT)
