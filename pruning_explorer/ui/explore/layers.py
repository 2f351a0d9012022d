"""A bar for every layer."""

import streamlit as st

from pruning_explorer.figures.layers import layers_chart
from pruning_explorer.ui import state
from pruning_explorer.ui.study import Study


def draw_layers(study: Study) -> None:
    """Kept and removed by layer, width by size; a click opens a layer."""
    st.subheader("Layers", anchor="layers", help="Click a bar to look into that layer below.")
    opened = state.open_layer(study.masks.targets).name
    chart = layers_chart(study.layers, opened)
    st.plotly_chart(
        chart.figure,
        key="layers_chart",
        alt=chart.alt,
        on_select=_open_clicked,
        selection_mode="points",
        config={"displayModeBar": False},
    )


def _open_clicked() -> None:
    points = st.session_state["layers_chart"]["selection"]["points"]
    if points:
        name = points[0]["customdata"]
        st.session_state["open_layer"] = name if isinstance(name, str) else name[0]
