"""The sidebar: what to prune, by which method, how much."""

import streamlit as st

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.ui import session, state
from pruning_explorer.ui.controls.amounts import draw_layer_amounts
from pruning_explorer.ui.controls.criterion import draw_criterion
from pruning_explorer.ui.controls.defaults import draw_ways_back, marked
from pruning_explorer.ui.controls.layers import draw_layers, draw_network
from pruning_explorer.ui.controls.method import draw_method, draw_recalibrate
from pruning_explorer.ui.controls.more import draw_more


def draw_controls() -> Recipe:
    """Draw every control but the amount's, which is on the page itself, and say what they stand for.

    Raises:
        PruningExplorerError: they make no recipe; all of them are drawn nevertheless.
    """
    with st.sidebar:
        draw_ways_back()
        subject = draw_network()
        with marked(session.UNWANTED):
            draw_layers(subject)
        with marked(session.CRITERION, place="button"):
            draw_criterion()
        draw_method()
        draw_layer_amounts()
        draw_recalibrate()
        draw_more()
    return state.recipe()
