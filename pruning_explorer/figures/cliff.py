"""The cliff: what the network still knows at every amount, and where one stands."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pruning_explorer.figures import colours
from pruning_explorer.figures.chart import Chart, finish, need_columns, spoken, word_chart
from pruning_explorer.figures.numbers import nats, percent

HEIGHT = 380
TITLE = "The cliff"
COLUMNS = ("amount", "achieved", "quality", "quality_low", "quality_high", "kl_nats", "agreement")

# below this many nats the drift axis is linear, above logarithmic: 0 and 10 both have a place on it
LINEAR_BELOW = 1e-3
DRIFT_TICKS = (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)


def cliff(
    frame: pd.DataFrame,
    amount: float,
    *,
    dense_quality: float | None = None,
    quality_name: str = "accuracy",
    planned: int | None = None,
) -> Chart:
    """Quality with its 95 % interval above, drift below, over the amount; a line where one stands.

    Where no quality is known (no labels) the upper panel shows how often the pruned network's first answer is the
    dense one's. Rows may come in any order and while more are being computed.

    Args:
        frame: one row per measured amount with the columns ``COLUMNS``; fractions in [0, 1], ``kl_nats`` in nats,
            the quality columns NaN where there are no labels.
        amount: the present amount, in [0, 1].
        dense_quality: fraction in [0, 1] of the dense network.
        quality_name: ``"accuracy"``.
        planned: how many amounts will be measured in all, to say how far it is.

    Raises:
        ValueError: a column is missing, or ``amount`` is outside [0, 1].
    """
    need_columns(frame, COLUMNS, "The cliff")
    if not 0 <= amount <= 1:
        raise ValueError(f"amount {amount} is outside [0, 1]")
    if frame.empty:
        return word_chart(TITLE, "No amount has been measured yet.", HEIGHT)
    frame = frame.sort_values("amount", kind="stable")
    labelled = bool(frame["quality"].notna().any())
    name = quality_name if labelled else "top-1 agreement"
    column = "quality" if labelled else "agreement"

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.58, 0.42], vertical_spacing=0.14)
    if labelled:
        _add_interval(figure, frame)
    _add_upper(figure, frame, column, name)
    if labelled and dense_quality is not None:
        _add_dense(figure, dense_quality)
    _add_drift(figure, frame)
    _add_present(figure, amount)

    figure.update_xaxes(range=[-1, 101], tickvals=[0, 20, 40, 60, 80, 100], zeroline=False)
    figure.update_xaxes(title_text="amount to remove (%)", title_standoff=6, row=2, col=1)
    # the lowest tick of one panel and the label of the present amount share the gap: keep the panel's ticks few
    figure.update_yaxes(
        title_text=f"{name} (%)", range=[-3, 103], tickvals=[0, 25, 50, 75, 100], zeroline=False, row=1, col=1
    )
    top = max(1.0, float(np.nanmax([0.0, *_finite(frame["kl_nats"])])))
    figure.update_yaxes(
        title_text="drift, KL (nats)",
        range=[-0.15, float(_symlog(np.array([top]))[0]) + 0.25],
        tickvals=_symlog(np.array(DRIFT_TICKS)),
        ticktext=[f"{tick:g}" for tick in DRIFT_TICKS],
        zeroline=False,
        row=2,
        col=1,
    )
    # anywhere in a panel, also under a finger, the nearest amount answers
    figure.update_layout(hovermode="closest", hoverdistance=-1)
    return Chart(
        finish(figure, _title(len(frame), planned), HEIGHT, legend_rows=1),
        _finding(frame, column, name, amount, dense_quality if labelled else None, planned),
    )


def _symlog(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Near-linear below ``LINEAR_BELOW``, one unit per factor of ten above."""
    return np.asarray(np.arcsinh(value / LINEAR_BELOW) / math.log(10))


def _finite(values: "pd.Series[float]") -> list[float]:
    return [float(value) for value in values if math.isfinite(value)]


def _title(measured: int, planned: int | None) -> str:
    if planned is None or measured >= planned:
        return TITLE
    return f"{TITLE} <span style='font-size:12px'>({measured} of {planned} amounts measured)</span>"


def _mode(frame: pd.DataFrame) -> str:
    # few points: show which of them were measured; many: dots would hide the line
    return "lines+markers" if len(frame) <= 30 else "lines"


def _place(row: "pd.Series[float]") -> str:
    return f"At an amount of {percent(row['amount'])} ({percent(row['achieved'])} achieved)"


def _add_interval(figure: go.Figure, frame: pd.DataFrame) -> None:
    known = frame[frame["quality_low"].notna() & frame["quality_high"].notna()]
    if known.empty:
        return
    amounts = known["amount"].to_numpy() * 100
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([amounts, amounts[::-1]]),
            y=np.concatenate([known["quality_high"].to_numpy(), known["quality_low"].to_numpy()[::-1]]) * 100,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=colours.translucent(colours.KEPT_LINE, 0.25),
            hoverinfo="skip",
            name="95 % interval",
        ),
        row=1,
        col=1,
    )


def _add_upper(figure: go.Figure, frame: pd.DataFrame, column: str, name: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=frame["amount"].to_numpy() * 100,
            y=frame[column].to_numpy() * 100,
            mode=_mode(frame),
            cliponaxis=False,
            line={"color": colours.KEPT_LINE, "width": 2.5},
            marker={"size": 6},
            name="pruned",
            hovertext=[_upper_text(row, column, name) for _, row in frame.iterrows()],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        row=1,
        col=1,
    )


def _upper_text(row: "pd.Series[float]", column: str, name: str) -> str:
    sentence = f"{_place(row)} the {name} is {percent(row[column])}"
    if column == "quality" and pd.notna(row["quality_low"]) and pd.notna(row["quality_high"]):
        sentence += f", 95 % interval {percent(row['quality_low'])} to {percent(row['quality_high'])}"
    return spoken(percent(row[column]), f"{sentence}.")


def _add_dense(figure: go.Figure, dense_quality: float) -> None:
    figure.add_trace(
        go.Scatter(
            x=[0, 100],
            y=[dense_quality * 100] * 2,
            mode="lines",
            line={"color": colours.DENSE_LINE, "width": 2, "dash": "dash"},
            name=f"dense {percent(dense_quality)}",
            hoverinfo="skip",
        ),
        row=1,
        col=1,
    )


def _add_drift(figure: go.Figure, frame: pd.DataFrame) -> None:
    drift = frame["kl_nats"].to_numpy(dtype=np.float64)
    figure.add_trace(
        go.Scatter(
            x=frame["amount"].to_numpy() * 100,
            y=_symlog(np.where(np.isfinite(drift), np.maximum(drift, 0), np.nan)),
            customdata=drift,
            mode=_mode(frame),
            cliponaxis=False,
            line={"color": colours.REMOVED, "width": 2.5, "dash": "dot"},
            marker={"size": 6, "symbol": "square"},
            name="drift",
            showlegend=False,
            hovertext=[
                spoken(
                    nats(row["kl_nats"]), f"{_place(row)} the drift from the dense answers is {nats(row['kl_nats'])}."
                )
                for _, row in frame.iterrows()
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        row=2,
        col=1,
    )


def _add_present(figure: go.Figure, amount: float) -> None:
    here = amount * 100
    figure.add_shape(
        type="line",
        x0=here,
        x1=here,
        y0=0,
        y1=1,
        xref="x",
        yref="paper",
        line={"color": colours.ACCENT_LINE, "width": 2},
        layer="between",
    )
    # in the gap between the panels, where no curve can run through it
    lower_top, upper_bottom = figure.layout.yaxis2.domain[1], figure.layout.yaxis.domain[0]
    figure.add_annotation(
        text=f"<b>now {percent(amount)}</b>",
        x=here,
        xref="x",
        y=(lower_top + upper_bottom) / 2,
        yref="paper",
        yanchor="middle",
        xanchor="left" if amount < 0.5 else "right",
        xshift=4 if amount < 0.5 else -4,
        showarrow=False,
    )


def _finding(
    frame: pd.DataFrame, column: str, name: str, amount: float, dense: float | None, planned: int | None
) -> str:
    known = frame[frame[column].notna()]
    if known.empty:
        return f"{len(frame)} amounts measured; {name} is known for none of them."
    start = dense if dense is not None else 1.0 if column == "agreement" else float(known[column].iloc[0])
    level = 0.9 * start
    named = f"{percent(level)}, nine tenths of {'dense' if dense is not None else 'where it starts'},"
    if column == "agreement":
        named = percent(level)
    below = known[known[column] < level]
    subject = name[0].upper() + name[1:]
    if below.empty:
        finding = f"{subject} stays at or above {named} up to an amount of {percent(known['amount'].iloc[-1])}."
    else:
        finding = f"{subject} falls below {named} at an amount of {percent(below['amount'].iloc[0])}."
    nearest = known.iloc[int((known["amount"] - amount).abs().argmin())]
    place = f"At the present amount of {percent(amount)}"
    if nearest["amount"] != amount:
        place = f"At {percent(nearest['amount'])}, the measured amount nearest to the present {percent(amount)},"
    finding += f" {place} it is {percent(nearest[column])}, with a drift of {nats(nearest['kl_nats'])}."
    if planned is not None and len(frame) < planned:
        finding += f" {len(frame)} of {planned} amounts measured so far."
    return finding
