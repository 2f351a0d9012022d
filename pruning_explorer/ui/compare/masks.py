"""Masks of one layer under every recipe, and how far they agree."""

import streamlit as st

from pruning_explorer.comparison_charts import largest, masks_chart
from pruning_explorer.figures.agreement_matrix import OVERALL, agreement_by_layer, agreement_matrix
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.show_chart import show_chart

LAYER = Key[str]("compared_layer", "")
AGREEMENT_LAYER = Key[str]("agreement_layer", OVERALL)


def draw_masks(shown: Comparison) -> None:
    """One layer's masks side by side; zooming into one zooms into all."""
    names = [target.name for target in shown.targets]
    if LAYER.get() not in names:
        LAYER.set(largest(shown.targets).name)
    st.selectbox(
        "Layer",
        names,
        key=LAYER,
        persist_state="session",
        help=help_with_glossary_link("Whose masks are shown, one for each recipe.", "target", "mask"),
    )
    chart = masks_chart(shown, shown.subject.target(LAYER.get()))
    show_chart(chart, "mask_panels")


def draw_agreement(shown: Comparison) -> None:
    """Jaccard agreement of each two recipes, beside what chance would give; in one layer and in all."""
    if sum(report is not None for report in shown.reports) < 2:
        st.info("Two recipes have to be measured before their masks can agree.")
        return
    st.caption(
        "Jaccard agreement: the weights that both keep, as a share of those that either keeps. Two masks of the same "
        "sparsity agree somewhat by chance alone; what counts is how far above that they are."
    )
    frame = shown.agreement
    layers = [OVERALL, *(name for name in frame["target"].unique() if name != OVERALL)]
    if AGREEMENT_LAYER.setdefault() not in layers:
        AGREEMENT_LAYER.set(OVERALL)
    chosen = st.selectbox(
        "Layer",
        layers,
        key=AGREEMENT_LAYER,
        format_func=lambda name: "all layers" if name == OVERALL else name,
        help=help_with_glossary_link(
            "In which layer masks are compared, or in all of them together.", "mask-agreement"
        ),
    )
    chart = agreement_matrix(frame, shown.names, chosen)
    show_chart(chart, "agreement_matrix")
    by_layer = agreement_by_layer(frame, shown.names)
    show_chart(by_layer, "agreement_by_layer")
    save_table("agreement", lambda: frame)
