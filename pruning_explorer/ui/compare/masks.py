"""Masks of one layer under every recipe, and how far they agree."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pruning_explorer.figures.agreement_matrix import agreement_by_layer, agreement_matrix
from pruning_explorer.figures.chart import CONFIG
from pruning_explorer.figures.mask_panels import mask_panels
from pruning_explorer.measure.agreement import mask_agreement
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.targets import Target
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.side_by_side import SideBySide

LAYER = "compared_layer"
ALL_LAYERS = "all"


def draw_masks(shown: SideBySide) -> None:
    """One layer's masks side by side; zooming into one zooms into all."""
    names = _layers(shown)
    _layer_box(shown, names)
    target = shown.subject.target(st.session_state[LAYER])
    chart = mask_panels([_matrix_of(masks, target) for masks in shown.masks], shown.names, target.name)
    st.plotly_chart(chart.figure, key="mask_panels", alt=chart.alt, config=CONFIG)


def draw_agreement(shown: SideBySide) -> None:
    """Jaccard agreement of each two recipes, beside what chance would give; in one layer and in all."""
    if sum(masks is not None for masks in shown.masks) < 2:
        st.info("Two recipes have to be measured before their masks can agree.")
        return
    st.caption(
        "Jaccard agreement: the weights that both keep, as a share of those that either keeps. Two masks of the same "
        "sparsity agree somewhat by chance alone; what counts is how far above that they are."
    )
    frame = mask_agreement(shown.masks)
    layers = [ALL_LAYERS, *(name for name in frame["target"].unique() if name != ALL_LAYERS)]
    if st.session_state.get("agreement_layer") not in layers:
        st.session_state["agreement_layer"] = ALL_LAYERS
    chosen = st.selectbox(
        "Of", layers, key="agreement_layer", format_func=lambda name: "all layers" if name == ALL_LAYERS else name
    )
    chart = agreement_matrix(frame, shown.names, chosen)
    st.plotly_chart(chart.figure, key="agreement_matrix", alt=chart.alt, config=CONFIG)
    by_layer = agreement_by_layer(frame, shown.names)
    st.plotly_chart(by_layer.figure, key="agreement_by_layer", alt=by_layer.alt, config=CONFIG)
    save_table("agreement", lambda: frame)


def _layer_box(shown: SideBySide, names: list[str]) -> None:
    if st.session_state.get(LAYER) not in names:
        st.session_state[LAYER] = max(names, key=lambda name: shown.subject.target(name).numel)
    st.selectbox("Layer", names, key=LAYER, persist_state="session")


def _matrix_of(masks: Masks | None, target: Target) -> NDArray[np.bool_] | None:
    if masks is None:
        return None
    if target.name not in masks:
        return np.moveaxis(np.ones(target.shape, dtype=np.bool_), target.out_dim, 0)
    return np.moveaxis(masks[target.name].numpy(), target.out_dim, 0)


def _layers(shown: SideBySide) -> list[str]:
    pruned = {name for masks in shown.masks if masks is not None for name in masks}
    return [target.name for target in shown.subject.targets if target.name in pruned]
