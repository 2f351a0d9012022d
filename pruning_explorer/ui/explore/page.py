"""Explore: pick a network, drag a slider, see what goes, what stays and what it still knows."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.measure.report import Report, report_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.trace import step
from pruning_explorer.ui import address_bar, state
from pruning_explorer.ui.address import read_address, write_address
from pruning_explorer.ui.address_problems import tell_problems
from pruning_explorer.ui.controls import draw_controls
from pruning_explorer.ui.controls_owner import EXPLORE, take_controls
from pruning_explorer.ui.explore.cliff import draw_cliff
from pruning_explorer.ui.explore.details import draw_details, keep_open_tab
from pruning_explorer.ui.explore.key_figures import draw_key_figures
from pruning_explorer.ui.explore.layer import draw_layer, take_released_amount
from pruning_explorer.ui.explore.layers import draw_layers, draw_note
from pruning_explorer.ui.explore.waiting import Waiting
from pruning_explorer.ui.plain_text import plain

STEPS = (
    "See what a network still knows without some of its weights. **1** Among the controls, pick network and layers. "
    "**2** Drag the amount. **3** Read what is left and what it costs."
)
"""What this is, in one line, for whoever comes for the first time."""


def explore() -> None:
    """The Explore page, top to bottom."""
    state.recover_subject()
    _begin()
    tell_problems("address_problems")
    st.title("Explore", anchor=False)
    st.caption(STEPS)
    waiting, figures, curve, bars = Waiting(state.subject()), st.container(), st.container(), st.container()
    take_released_amount()
    try:
        with step("controls"):
            recipe = draw_controls()
        with waiting.ranking(recipe):
            shown = report_of(state.subject(), recipe)
        # What takes the browser long is sent first where it stands already: it is drawn while the network runs
        note = _bars(shown, bars) if "layers_chart" in st.session_state else None
        with waiting.running():
            shown.measure()
        with figures, step("key figures"):
            draw_key_figures(shown)
    except PruningExplorerError as error:
        figures.error(plain(str(error)), icon=":material/error:")
        figures.info("Nothing you set is lost. Mend the control in the sidebar, and the page comes back.")
        keep_open_tab()
        return
    st.session_state["explored"] = recipe
    address_bar.tell(write_address(shown.subject, shown.recipe, st.session_state["open_layer"]))
    with curve, step("the cliff and what can go"):
        draw_cliff(shown)
    draw_note(shown, note or _bars(shown, bars))
    layer = st.container()
    with waiting.picturing(), layer, step("pictures of the open layer"):
        draw_layer(shown.subject, shown.recipe, shown.masks.targets)
    with step("the tabs below"):
        draw_details(shown)


def _bars(shown: Report, place: DeltaGenerator) -> DeltaGenerator:
    with place:
        return draw_layers(shown)


def _begin() -> None:
    """Set the controls: to what the address asks for, or, on coming from another page, to what was here."""
    query = address_bar.brought()
    if query is None and "controls_show" in st.session_state:
        explored = st.session_state.get("explored", Recipe())
        take_controls(EXPLORE, state.subject(), explored, st.session_state["open_layer"])
        return
    address = read_address(query or {})
    rounded = state.show(address.subject, address.recipe, address.layer)
    st.session_state["address_problems"] = (*address.problems, *rounded)
    st.session_state["controls_show"] = EXPLORE
    address_bar.taken()
