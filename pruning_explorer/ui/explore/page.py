"""Explore: pick a network, drag a slider, see what goes, what stays and what it still knows."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.study import Study, study
from pruning_explorer.ui import state
from pruning_explorer.ui.address import read_address, write_address
from pruning_explorer.ui.controls import draw_controls
from pruning_explorer.ui.explore.cliff import draw_cliff
from pruning_explorer.ui.explore.details import draw_details, keep_open_tab
from pruning_explorer.ui.explore.key_figures import draw_key_figures
from pruning_explorer.ui.explore.layer import draw_layer
from pruning_explorer.ui.explore.layers import draw_layers
from pruning_explorer.ui.plain_text import plain

MOST_PROBLEMS = 10
"""Of an address, told one by one."""


def explore() -> None:
    """The Explore page, top to bottom."""
    _read_address()
    st.title("Explore", anchor=False)
    try:
        recipe = draw_controls()
        shown = study(state.subject(), recipe)
        draw_key_figures(shown)
    except PruningExplorerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.info("Nothing you set is lost. Mend the control in the sidebar, and the page comes back.")
        keep_open_tab()
        return
    _write_address(shown)
    draw_cliff(shown)
    draw_layers(shown)
    draw_layer(shown.subject, shown.recipe, shown.masks.targets)
    draw_details(shown)


def _read_address() -> None:
    """Take over what the address asks for, once a session, and say what in it could not be read."""
    if "amount" not in st.session_state:
        address = read_address({name: st.query_params.get_all(name) for name in st.query_params})
        rounded = state.show(address.subject, address.recipe, address.layer)
        st.session_state["address_problems"] = (*address.problems, *rounded)
    problems = st.session_state["address_problems"]
    if problems:
        listed = "\n".join(f"- {plain(problem)}" for problem in problems[:MOST_PROBLEMS])
        left_out = f"\n- … and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        st.warning(
            f"Not all of the address could be used; all else in it is shown.\n{listed}{left_out}",
            icon=":material/link_off:",
        )
        st.button("Got it", key="address_read", on_click=lambda: st.session_state.update(address_problems=()))


def _write_address(shown: Study) -> None:
    query = write_address(shown.subject, shown.recipe, st.session_state["open_layer"])
    # Writing the same address again would still be sent
    if query != {name: st.query_params.get_all(name) for name in st.query_params}:
        st.query_params.from_dict(query)
