"""Masks of one layer under every recipe, and how far they agree."""

import streamlit as st

from pruning_explorer.ui.compare.side_by_side import SideBySide

OVERALL = "all"


def draw_masks(shown: SideBySide) -> None:
    """One layer's masks side by side; zooming into one zooms into all."""
    names = _layers(shown)
    if st.session_state.get("compared_layer") not in names:
        st.session_state["compared_layer"] = max(names, key=lambda name: shown.subject.target(name).numel)
    name = st.selectbox("Layer", names, key="compared_layer", persist_state="session")
    target = shown.subject.target(name)


def _layers(shown: SideBySide) -> list[str]:
    pruned = {name for masks in shown.masks if masks is not None for name in masks}
    return [target.name for target in shown.subject.targets if target.name in pruned]
