"""A bar for every layer."""

import streamlit as st

from pruning_explorer.figures.chart import CONFIG
from pruning_explorer.figures.layers import layer_bars
from pruning_explorer.ui import state
from pruning_explorer.ui.study import Study


def draw_layers(study: Study) -> None:
    """Kept and removed by layer, width by size; a click opens a layer below."""
    opened = state.open_layer(study.masks.targets).name
    chart = layer_bars(study.layers, opened)
    st.plotly_chart(
        chart.figure,
        key="layers_chart",
        alt=chart.alt,
        on_select=_open_clicked,
        selection_mode="points",
        config=CONFIG,
    )


def _open_clicked() -> None:
    points = st.session_state["layers_chart"]["selection"]["points"]
    if points:
        name = points[0]["customdata"]
        st.session_state["open_layer"] = name if isinstance(name, str) else name[0]
