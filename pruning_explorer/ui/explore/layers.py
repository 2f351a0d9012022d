"""A bar for every layer."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruning_explorer.figures.layers import layer_bars
from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.ui import session, state
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.show_chart import clicked_point, show_chart

NOTE_HEIGHT = 76
"""Height in pixels of the note below the bars; fixed, so that nothing moves when a layer becomes empty."""

MUCH = 0.05
"""Loss of quality, as a fraction of the samples, above which the page explains what BatchNorm has to do with it."""


def draw_layers(report: Report) -> DeltaGenerator:
    """Kept and removed by layer, width by size; a click opens a layer below.

    Returns:
        The place below, for :func:`draw_note`: the bars need the masks alone, what it says the quality too.
    """
    opened = state.open_layer(report.masks.targets).name
    chart = layer_bars(report.sparsity_by_layer, opened)
    show_chart(chart, "layers_chart", on_click=_open_clicked)
    return st.container(height=NOTE_HEIGHT, border=False, key="layers_note")


def draw_note(report: Report, place: DeltaGenerator) -> None:
    """What the bars should not leave unsaid, in its place below them."""
    place.caption(_note(report))


def _note(report: Report) -> str:
    emptied = report.sparsity_by_layer.loc[report.sparsity_by_layer["kept"] == 0, "target"].tolist()
    if not emptied:
        return _recalibration_note(report) or "Click a bar to look into that layer below."
    others = f" and {len(emptied) - 1} more" if len(emptied) > 1 else ""
    return (
        f":material/warning: **Layer collapse**: nothing is left of {plain(emptied[0])}{others}. "
        "A cap per layer (in the sidebar) keeps some of it."
    )


def _recalibration_note(report: Report) -> str:
    """Where BatchNorm may be what fails, and nobody has measured it again."""
    fell = report.quality is not None and float(report.quality.iloc[0]["change"]) < -MUCH
    if report.recipe.recalibrate or not fell or why_no_recalibration(report.subject):
        return ""
    return (
        ":material/lightbulb: BatchNorm still uses the dense network's statistics: switch on "
        f"**{SETTINGS['recalibrate'].label}** in the sidebar, and see how much of the fall is theirs."
    )


def _open_clicked() -> None:
    if point := clicked_point("layers_chart"):
        name = point["customdata"]
        session.OPEN_LAYER.set(name if isinstance(name, str) else name[0])
