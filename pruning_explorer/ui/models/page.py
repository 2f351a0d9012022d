"""Models: bring a network of one's own, and see what is in it before anything is pruned."""

import streamlit as st

from pruning_explorer.ui.models.bring import draw_ways_in
from pruning_explorer.ui.models.loaded import draw_loaded
from pruning_explorer.ui.models.one import draw_model


def models() -> None:
    """The Models page, top to bottom."""
    st.title("Models", anchor=False)
    st.caption(
        "Bring a network of your own, then prune it on Explore and Compare like any other. "
        "Nothing in a file is ever executed; files are deleted when your session ends."
    )
    draw_ways_in()
    draw_model(draw_loaded())
