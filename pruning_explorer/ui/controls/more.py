"""What is set less often: the schedule, the allocation, the cap, the seed, what else is on offer."""

import streamlit as st

from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.recipe import SETTINGS
from pruning_explorer.prune.schedule import SCHEDULES, STEPS
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.targets import OPTIONAL
from pruning_explorer.ui.controls.words import explained
from pruning_explorer.ui.glossary_link import with_word

TITLE = "Schedule, cap, seed …"


def draw_more() -> None:
    """A fold of controls, drawn while it is open."""
    more = st.expander(TITLE, key="more_open", on_change="rerun")
    if more.open:
        with more:
            _schedule()
            if st.session_state["scope"] != "global":
                _allocation()
            _cap()
            _seed()
            for role, switch in OPTIONAL.items():
                _switch(SETTINGS[switch], "norm-layer" if role == "norm" else role)


def _schedule() -> None:
    name = st.selectbox(
        SETTINGS["schedule"].label,
        list(SCHEDULES),
        key="schedule",
        persist_state="session",
        format_func=lambda name: SCHEDULES[name].title,
        help=with_word(explained(SCHEDULES), "schedule"),
        filter_mode=None,
    )
    if SCHEDULES[name].settings:
        st.number_input(
            STEPS.label,
            int(STEPS.low),
            int(STEPS.high),
            step=1,
            key=STEPS.name,
            persist_state="session",
            help=with_word(STEPS.help, STEPS.name),
        )


def _allocation() -> None:
    st.selectbox(
        SETTINGS["allocation"].label,
        list(ALLOCATIONS),
        key="allocation",
        persist_state="session",
        format_func=lambda name: ALLOCATIONS[name].title,
        help=with_word(explained(ALLOCATIONS), "allocation"),
        filter_mode=None,
    )


def _cap() -> None:
    cap = SETTINGS["cap"]
    st.slider(
        f"{cap.label}, %",
        0.0,
        100.0,
        step=0.1,
        format="%.1f",
        key="cap",
        persist_state="session",
        help=with_word(
            f"{cap.help} A layer collapses when one ranking for all leaves nothing of it.", cap.name, "layer-collapse"
        ),
    )


def _seed() -> None:
    seed = SETTINGS["seed"]
    st.number_input(
        seed.label,
        int(seed.low),
        int(seed.high),
        step=1,
        key="seed",
        persist_state="session",
        help=with_word(seed.help, seed.name),
    )


def _switch(setting: Setting, word: str) -> None:
    st.toggle(setting.label, key=setting.name, help=with_word(setting.help, word), persist_state="session")
