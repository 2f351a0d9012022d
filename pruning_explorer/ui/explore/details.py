"""Tabs below the layer; only the open one is computed and sent."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.figures.class_quality import class_quality
from pruning_explorer.figures.numbers import UNCOUNTED, count, decibels, decimal, nats, percent
from pruning_explorer.measure.drift import Drift
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.measure.report import Report
from pruning_explorer.ui.explore.code import draw_code
from pruning_explorer.ui.explore.layer_drift import draw_layer_drift
from pruning_explorer.ui.explore.outputs import draw_outputs
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.save_result import draw_save
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.show_chart import show_chart

_OPEN_TAB = Key[str]("details")


def draw_details(report: Report) -> None:
    """Outputs, drift by layer, quality by class, the numbers, the code, the result as a file."""
    parts: dict[str, Callable[[Report], None]] = {
        "Outputs": draw_outputs,
        "Drift by layer": draw_layer_drift,
        "By class": _by_class,
        "Numbers": _numbers,
        "Code and recipe": draw_code,
        "Save": lambda report: draw_save(report, "save"),
    }
    for tab, draw in zip(st.tabs(list(parts), key=_OPEN_TAB, on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw(report)


def keep_open_tab() -> None:
    """Where the tabs are not drawn: Streamlit would forget which one was open."""
    _OPEN_TAB.keep()


def _by_class(report: Report) -> None:
    if report.quality_problem is not None:
        st.warning(f"Quality is not known: {plain(report.quality_problem)}", icon=":material/warning:")
        return
    if report.quality is None or len(report.quality) < 2:
        st.info("This network's samples have no classes to split the quality by.")
        return
    chart = class_quality(report.quality, quality_label(report.subject))
    show_chart(chart, "class_quality")


def _numbers(report: Report) -> None:
    st.caption(
        "One row per layer. Amounts are fractions of the dense layer; a globally ranked layer has none of its own. "
        "MACs are multiply-adds for one sample; the theoretical ones would be left if kernels skipped removed weights."
    )
    layers = (report.sparsity_by_layer if report.cost is None else report.layers).drop(columns=["role"])
    st.dataframe(
        inert(layers if report.cost is None else layers.assign(**_with_uncounted(layers))),
        key="numbers",
        hide_index=True,
        column_config={
            "target": st.column_config.TextColumn("Layer", pinned=True),
            "layer_type": "Type",
            "shape": "Shape",
            "weights": st.column_config.NumberColumn("Weights", format="localized"),
            "kept": st.column_config.NumberColumn("Kept", format="localized"),
            "removed": st.column_config.NumberColumn("Removed", format="localized"),
            "requested": st.column_config.NumberColumn(
                "Requested",
                format="percent",
                help=help_with_glossary_link("Empty where all layers are ranked together.", "requested"),
            ),
            "achieved": st.column_config.NumberColumn("Achieved", format="percent"),
            "channels": st.column_config.NumberColumn(
                "Channels", help=help_with_glossary_link("Output channels: neurons, filters.", "channel")
            ),
            "dead_channels": st.column_config.NumberColumn(
                "Dead",
                help=help_with_glossary_link(
                    "Output channels without any weight left: their output is a constant.", "dead-channel"
                ),
            ),
            "macs_dense": st.column_config.NumberColumn(
                "MACs, dense",
                format="localized",
                help=help_with_glossary_link("Multiply-adds (multiply-accumulates) for one sample.", "macs"),
            ),
            "macs_theoretical": st.column_config.NumberColumn(
                "MACs, theoretical",
                format="localized",
                help=help_with_glossary_link("What would be left if kernels skipped removed weights.", "theoretical"),
            ),
        },
    )
    if report.output_drift is not None:
        st.caption(f"Drift of the outputs on all {report.subject.sample_count} samples, dense against pruned.")
        st.dataframe(_drift_in_all(report.output_drift), key="drift_numbers", hide_index=True, height="content")


def _with_uncounted(layers: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns that lack a number where products are not counted, in words for that."""
    macs = (layers[name] for name in ("macs_dense", "macs_theoretical"))
    written = (
        each.map(lambda number: UNCOUNTED if pd.isna(number) else count(number)) for each in macs if each.hasnans
    )
    return {str(each.name): each for each in written}


def _drift_in_all(drift: Drift) -> pd.DataFrame:
    totals = drift.totals()
    rows = [
        ("KL(dense ‖ pruned)", nats(totals["kl_nats"]), "lower is nearer; mean over the samples"),
        ("Top-1 agreement", percent(totals["agreement"]), f"higher is nearer; {count(totals['flipped'])} flipped"),
        ("Cosine similarity", decimal(totals["cosine"]), "1 is the same direction; mean over the samples"),
        ("Normalised L2", decimal(totals["l2_normalised"]), "‖pruned − dense‖ / ‖dense‖; lower is nearer"),
        ("SQNR", decibels(totals["sqnr_db"]), "‖dense‖² over ‖dense − pruned‖²; higher is nearer"),
    ]
    return pd.DataFrame(rows, columns=["Measure", "Value", "How to read it"])
