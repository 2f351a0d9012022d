"""Where the error begins and how it grows: each module's outputs, dense beside pruned, in the order they run."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import Chart, apart, finish, need_columns, short_name, spoken, word_chart
from pruning_explorer.figures.numbers import IDENTICAL, decibels, decimal

HEIGHT = 420
TITLE = "Drift by layer"
COLUMNS = ("module", "layer_type", "cosine", "l2_normalised", "sqnr_db", "order")


def layer_drift_chart(frame: pd.DataFrame) -> Chart:
    """Normalised L2 error above and signal-to-noise ratio below, per module in execution order.

    An infinite ratio means that the outputs are the same: such modules sit on a row of their own, with a mark
    that the legend names.

    Args:
        frame: one row per module with the columns ``COLUMNS``, as ``layer_drift`` makes it.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(frame, COLUMNS, "Drift by layer")
    if frame.empty:
        return word_chart(TITLE, "No layer's outputs were measured: the network has no sample inputs.", HEIGHT)
    frame = frame.sort_values("order", kind="stable").reset_index(drop=True)
    sqnr = frame["sqnr_db"].to_numpy(dtype=np.float64)
    error = frame["l2_normalised"].to_numpy(dtype=np.float64)
    same = np.isposinf(sqnr)
    texts = [_hover(row, position) for position, (_, row) in enumerate(frame.iterrows(), start=1)]
    if not (np.isfinite(sqnr).any() or np.isfinite(error).any() or same.any()):
        return word_chart(TITLE, "No layer's outputs could be compared with the dense ones.", HEIGHT)

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    places = np.arange(len(frame))
    figure.add_trace(
        go.Scatter(
            x=places,
            y=np.where(np.isfinite(error), error, np.nan),
            mode="lines+markers",
            cliponaxis=False,
            line={"color": colours.REMOVED, "width": 2},
            marker={"size": 7, "symbol": "square"},
            name="error",
            showlegend=False,
            hovertext=texts,
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        row=1,
        col=1,
    )
    finite = np.where(np.isfinite(sqnr), sqnr, np.nan)
    figure.add_trace(
        go.Scatter(
            x=places,
            y=finite,
            mode="lines+markers",
            cliponaxis=False,
            line={"color": colours.KEPT_LINE, "width": 2, "dash": "dot"},
            marker={"size": 7, "symbol": "circle"},
            name="signal to noise",
            showlegend=False,
            hovertext=texts,
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        row=2,
        col=1,
    )
    most = float(np.nanmax(error[np.isfinite(error)], initial=0.0)) or 1.0
    low = min(0.0, float(np.nanmin(finite))) if np.isfinite(finite).any() else 0.0
    high = max(10.0, float(np.nanmax(finite))) if np.isfinite(finite).any() else 10.0
    pad = (high - low) * 0.12
    if same.any():
        roof = high + 2 * pad
        figure.add_trace(
            go.Scatter(
                x=places[same],
                y=np.full(int(same.sum()), roof),
                mode="markers",
                marker={"size": 9, "symbol": "diamond-open", "color": colours.DENSE_LINE, "line": {"width": 2}},
                name=f"{IDENTICAL} to dense",
                showlegend=True,
                hovertext=[text for text, equal in zip(texts, same, strict=True) if equal],
                hovertemplate="%{hovertext}<extra></extra>",
            ),
            row=2,
            col=1,
        )
        high = roof
    figure.update_yaxes(
        title_text="normalised L2", range=[-0.06 * most, 1.1 * most], nticks=5, zeroline=False, row=1, col=1
    )
    figure.update_yaxes(
        title_text="SQNR (dB)",
        range=[low - pad / 2, high + pad],
        tickvals=_ticks(low, high - 2 * pad if same.any() else high),
        zeroline=False,
        row=2,
        col=1,
    )
    _label(figure, [str(name) for name in frame["module"]])
    figure.update_layout(hovermode="closest")
    return Chart(finish(figure, TITLE, HEIGHT, legend_rows=int(same.any())), _finding(frame))


def _ticks(low: float, high: float) -> list[float]:
    """At most five round numbers from ``low`` to ``high``, in dB."""
    step = next((step for step in (5, 10, 20, 25, 50, 100) if (high - low) / step <= 4), 200)
    return [float(tick) for tick in range(math.ceil(low / step) * step, math.floor(high / step) * step + 1, step)]


def _label(figure: go.Figure, names: list[str]) -> None:
    last = len(names) - 1
    # both ends first: where it begins and what comes out
    order = [0, last, *range(1, last)] if last else [0]
    shown = apart([float(place) for place in range(len(names))], order, gap=max(1.0, len(names) / 14))
    figure.update_xaxes(range=[-0.5, last + 0.5], showgrid=False, zeroline=False)
    figure.update_xaxes(
        tickvals=shown,
        ticktext=[short_name(names[index] or "whole network") for index in shown],
        autotickangles=[0, -40, -90],
        tickfont={"size": 11},
        title_text="modules, in the order they run",
        title_standoff=6,
        row=2,
        col=1,
    )


def _hover(row: "pd.Series[float]", position: int) -> str:
    name = str(row["module"]) or "whole network"
    if row["sqnr_db"] == math.inf:
        sentence = f"{row['layer_type']}, number {position} to run: its outputs are identical to the dense ones."
    elif pd.isna(row["sqnr_db"]) and pd.isna(row["l2_normalised"]):
        sentence = f"{row['layer_type']}, number {position} to run: its outputs could not be compared."
    else:
        sentence = (
            f"{row['layer_type']}, number {position} to run: the error of its outputs is "
            f"{decimal(row['l2_normalised'])} of their dense norm; "
            f"signal to noise {decibels(row['sqnr_db'])}, cosine {decimal(row['cosine'])}."
        )
    return spoken(name, sentence)


def _finding(frame: pd.DataFrame) -> str:
    differs = frame[(frame["sqnr_db"] != math.inf) & frame["l2_normalised"].notna()]
    if differs.empty:
        return f"The outputs of all {len(frame)} modules are identical to the dense ones."
    first, worst, last = differs.iloc[0], differs.iloc[int(differs["l2_normalised"].argmax())], differs.iloc[-1]
    return (
        f"The error begins at {first['module']} ({decimal(first['l2_normalised'])} of the dense norm), is largest at "
        f"{worst['module']} ({decimal(worst['l2_normalised'])}) and ends at {last['module']} with "
        f"{decimal(last['l2_normalised'])}, {decibels(last['sqnr_db'])}."
    )
