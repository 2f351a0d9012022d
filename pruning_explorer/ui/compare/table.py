"""The one table: what was asked, what came of it, and which differences mean something."""

import streamlit as st

from pruning_explorer.figures.comparison_table import comparison_table, table_frame
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.ui.compare.save import save_table


def draw_table(shown: Comparison) -> None:
    """Every measure of every recipe that is measured; the best marked, ties said to be ties."""
    if shown.any is None:
        return
    st.html(comparison_table(shown.table, shown.names))
    save_table("comparison", lambda: table_frame(shown.table))
