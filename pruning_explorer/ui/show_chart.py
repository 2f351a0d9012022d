"""Charts on a page."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pruning_explorer.figures.chart import CONFIG, Chart
from pruning_explorer.trace import step
from pruning_explorer.ui.session import Key


def show_chart(chart: Chart, key: str, on_click: Callable[[], None] | None = None) -> None:
    """Draw a chart with its alt text.

    Args:
        key: of the element.
        on_click: called when a point of it is clicked, before the run; see :func:`clicked_point`.
    """
    with step(f"chart {key}: sent"):
        if on_click is None:
            st.plotly_chart(chart.figure, key=key, alt=chart.alt, config=CONFIG)
        else:
            st.plotly_chart(
                chart.figure, key=key, alt=chart.alt, config=CONFIG, on_select=on_click, selection_mode="points"
            )


def clicked_point(key: str) -> dict[str, Any] | None:
    """The point that was clicked in a chart, as Plotly describes it; None where the click chose none."""
    points = Key[dict[str, Any]](key).get()["selection"]["points"]
    return points[0] if points else None
