"""What the network answers, sample by sample: dense beside pruned."""

import streamlit as st

from pruning_explorer.ui.study import Study


def draw_outputs(study: Study) -> None:
    """Sample inputs with both answers, flipped ones first and marked."""
