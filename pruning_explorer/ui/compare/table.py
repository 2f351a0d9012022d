"""The one table: what was asked, what came of it, and which differences mean something."""

from collections.abc import Sequence

import streamlit as st

from pruning_explorer.figures.comparison_table import comparison_table, table_frame
from pruning_explorer.lab.comparison import comparison_table as compare_studies
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.compare import columns as shelf
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.work import Standing


def draw_table(subject: Subject, standings: Sequence[Standing]) -> None:
    """Every measure of every recipe that could be measured; the best marked, ties said to be ties."""
    names = [column.name for column in shelf.columns()]
    frame = compare_studies([standing.study for standing in standings], names)
    st.html(comparison_table(frame))
    save_table("comparison", lambda: table_frame(frame))
