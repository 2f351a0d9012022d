"""The one table: what was asked, what came of it, and which differences mean something."""

import streamlit as st

from pruning_explorer.figures.comparison_table import comparison_table, table_frame
from pruning_explorer.lab.comparison_table import comparison_table as compare_studies
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.side_by_side import SideBySide


def draw_table(shown: SideBySide) -> None:
    """Every measure of every recipe that could be measured; the best marked, ties said to be ties."""
    if shown.any is None:
        return
    frame = compare_studies(shown.studies, shown.names)
    st.html(comparison_table(frame))
    save_table("comparison", lambda: table_frame(frame))
