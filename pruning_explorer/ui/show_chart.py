"""Charts on a page."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.figures.chart import CONFIG, Chart
from pruning_explorer.trace import step


def show_chart(chart: Chart, key: str, on_click: Callable[[], None] | None = None) -> None:
    """Draw a chart with its alt text.

    Args:
        key: of the element; what is clicked is found under it in the session.
        on_click: called when a point of it is clicked.
    """
    with step(f"chart {key}: sent"):
        if on_click is None:
            st.plotly_chart(chart.figure, key=key, alt=chart.alt, config=CONFIG)
        else:
            st.plotly_chart(
                chart.figure, key=key, alt=chart.alt, config=CONFIG, on_select=on_click, selection_mode="points"
            )
