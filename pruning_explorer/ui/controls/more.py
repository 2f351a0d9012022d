"""What is set less often: the cap, the seed, what else is on offer."""

import streamlit as st

from pruning_explorer.prune.recipe import SETTINGS
from pruning_explorer.prune.settings import Setting


def draw_more() -> None:
    """A fold of controls, drawn while it is open."""
    more = st.expander("Cap, seed, biases", key="more_open", on_change="rerun")
    if not more.open:
        return
    with more:
        cap = SETTINGS["cap"]
        st.slider(
            f"{cap.label}, %",
            0.0,
            100.0,
            step=0.1,
            format="%.1f",
            key="cap",
            persist_state="session",
            help=f"{cap.help} A layer collapses when one ranking for all leaves nothing of it.",
        )
        seed = SETTINGS["seed"]
        st.number_input(
            seed.label, int(seed.low), int(seed.high), step=1, key="seed", persist_state="session", help=seed.help
        )
        _switch(SETTINGS["biases"])
        _switch(SETTINGS["norms"])


def _switch(setting: Setting) -> None:
    st.toggle(setting.label, key=setting.name, help=setting.help, persist_state="session")
