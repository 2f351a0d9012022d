"""A small app of charts that can be saved; ``?buttons=0`` leaves the buttons out."""

import base64
import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

from pruning_explorer.ui.save_picture import save_pictures
from tests.browser.emptied import emptied

HEIGHT = 300
CHARTS = {"lines": "Accuracy: all/none", "heat": "Agreement", "photo": "Mask"}
TITLE = "Accuracy < 1 & falling"


def picture() -> str:
    """An image of 4 x 4 colours as a data URL."""
    cells = (np.arange(48).reshape(4, 4, 3) * 5).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(cells).save(file, "png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def figure(name: str, title: str) -> go.Figure:
    layout: dict[str, Any] = {"title": {"text": title}, "height": HEIGHT}
    layout |= {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    if name == "lines":
        lines = [("magnitude", "solid", "#0072b2"), ("random", "dash", "#d55e00")]
        traces: list[Any] = [
            go.Scatter(x=[0, 1, 2], y=[3, 2 - i, 1], name=label, mode="lines+markers", line={"dash": dash, "color": c})
            for i, (label, dash, c) in enumerate(lines)
        ]
        layout |= {"xaxis": {"title": {"text": "Sparsity"}}, "showlegend": True}
    elif name == "heat":
        values = np.array([[1.0, 0.25], [0.25, 1.0]])
        traces = [go.Heatmap(z=values, text=values, texttemplate="%{text:.2f}", colorscale="Cividis")]
    else:
        traces = [go.Image(source=picture())]
        below = {"source": picture(), "xref": "paper", "yref": "paper", "x": 0.8, "y": 1, "sizex": 0.2, "sizey": 0.5}
        layout |= {"images": [below]}
    return go.Figure(traces, layout)


def main() -> None:
    if emptied():
        return
    st.set_page_config(page_title="Save pictures", layout="wide")
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    title = st.sidebar.radio("Title", [TITLE, "Another title"])
    if st.sidebar.toggle("Show charts", value=True):
        for name in CHARTS:
            st.plotly_chart(figure(name, title), key=name, config={"displayModeBar": False}, alt=f"{name} chart")
    with st.container(key="absent"):
        st.write("No chart stands here.")
    st.write(f"run {st.session_state.runs}")
    if "buttons" not in st.query_params:
        save_pictures(CHARTS | {"absent": "Absent", "nowhere": "Nowhere"})


if __name__ == "__main__":
    main()
