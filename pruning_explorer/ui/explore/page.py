"""Explore: pick a network, drag a slider, see what goes, what stays and what it still knows."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.measure.report import report_of
from pruning_explorer.trace import step
from pruning_explorer.ui import address_bar, session, state
from pruning_explorer.ui.address import read_address, write_address
from pruning_explorer.ui.address_problems import tell_problems
from pruning_explorer.ui.controls import draw_controls
from pruning_explorer.ui.explore.cliff import draw_amount, draw_cliff
from pruning_explorer.ui.explore.details import draw_details, keep_open_tab
from pruning_explorer.ui.explore.key_figures import (
    draw_key_figures,
    draw_notes,
    place_key_figures,
    tell_amount,
    tell_no_figures,
)
from pruning_explorer.ui.explore.layer import draw_layer, take_released_amount
from pruning_explorer.ui.explore.layers import draw_layers, draw_note
from pruning_explorer.ui.explore.output_strip import draw_output_strip, place_output_strip
from pruning_explorer.ui.explore.waiting import Waiting
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.shared_controls import EXPLORE, take_controls

STEPS = (
    "What does a network still know without some of its weights? **1** Pick network and layers. "
    "**2** Drag along the curve. **3** Read what is left."
)
"""One line for a first visit that says what to do on this page."""


def explore() -> None:
    """The Explore page, top to bottom."""
    with st.container(key="problems"):
        state.recover_subject()
        _begin()
        tell_problems(session.EXPLORE_PROBLEMS)
    # Its key tells the style whether room is to be kept for what comes with the curve
    with st.container(key="explore_head" if state.subject().samples is not None else "explore_head_alone", gap=None):
        st.title("Explore", anchor=False)
        st.caption(
            STEPS,
            help=help_with_glossary_link(
                "Click a layer to see it weight by weight. An exit amount is the one at which a weight goes.",
                "target",
                "exit-amount",
            ),
        )
    waiting, figures = Waiting(state.subject()), st.container(key="key_figures", gap=None)
    notes = st.container(key="explore_notes")
    hand, curve = st.container(key="amount_band"), st.container(key="curve", gap=None)
    bars, layer = (column.container() for column in st.columns([36, 64], gap="medium"))
    strip = st.container(key="output_strip", gap=None)
    with figures:
        place_key_figures()
    with strip:
        place_output_strip(state.subject())
    take_released_amount()
    with hand:
        draw_amount()
    try:
        with step("controls"):
            recipe = draw_controls()
        with figures:
            tell_amount(state.subject(), recipe)
        with waiting.ranking(recipe):
            shown = report_of(state.subject(), recipe)
        with bars, step("the list of layers"):
            note = draw_layers(shown)
        with waiting.running():
            shown.measure()
        with figures, step("key figures"):
            draw_key_figures(shown)
        with strip, step("the strip of outputs"):
            draw_output_strip(shown)
        with notes:
            draw_notes(shown)
    except PruningExplorerError as error:
        with figures:
            tell_no_figures()
        notes.error(plain(str(error)), icon=":material/error:")
        notes.info("Nothing you set is lost. Mend the control, and the page comes back.")
        keep_open_tab()
        return
    session.EXPLORED.set(recipe)
    address_bar.tell(write_address(shown.subject, shown.recipe, session.OPEN_LAYER.get()))
    with curve, step("the cliff and what can go"):
        draw_cliff(shown)
    draw_note(shown, note)
    with waiting.picturing(), layer, step("pictures of the open layer"):
        draw_layer(shown.subject, shown.recipe, shown.masks.targets)
    with step("the tabs below"):
        draw_details(shown)


def _begin() -> None:
    """Set the controls: to what the address asks for, or, on coming from another page, to what was here."""
    query = address_bar.brought()
    if query is None and session.CONTROLS_SHOW.is_set():
        take_controls(EXPLORE, state.subject(), session.EXPLORED.get())
        return
    address = read_address(query or {})
    rounded = state.show(address.subject, address.recipe, address.layer)
    session.EXPLORE_PROBLEMS.set((*address.problems, *rounded))
    session.CONTROLS_SHOW.set(EXPLORE)
    address_bar.taken()
