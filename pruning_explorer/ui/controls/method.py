"""What makes a weight important, what goes together, who competes with whom."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.prune.code import torch_name
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe import SCOPES
from pruning_explorer.ui import state

DIMS = {0: "0 · outputs", 1: "1 · inputs"}
SCOPE_TITLES = {"layer": "Each layer", "global": "All together"}
NORMS = ["1", "2", "inf", "-inf"]


def draw_method() -> None:
    """Choose criterion, granularity and scope, and say what torch calls them together."""
    st.segmented_control(
        "Criterion",
        list(CRITERIA),
        key="criterion",
        persist_state="session",
        format_func=lambda name: CRITERIA[name].title,
        help="\n".join(f"- **{each.title}**: {each.help}" for each in CRITERIA.values()),
        required=True,
        width="stretch",
    )
    st.segmented_control(
        "Granularity",
        list(GRANULARITIES),
        key="granularity",
        persist_state="session",
        format_func=lambda name: GRANULARITIES[name].title,
        help="\n".join(f"- **{each.title}**: {each.help}" for each in GRANULARITIES.values()),
        required=True,
        width="stretch",
    )
    if st.session_state["granularity"] == "channel":
        dim, norm = GRANULARITIES["channel"].settings
        left, right = st.columns(2)
        options = list(DIMS) if st.session_state["dim"] in DIMS else [*DIMS, st.session_state["dim"]]
        left.selectbox(
            dim.label,
            options,
            key="dim",
            format_func=lambda d: DIMS.get(d, str(d)),
            help=dim.help,
            persist_state="session",
        )
        orders = NORMS if st.session_state["norm"] in NORMS else [*NORMS, st.session_state["norm"]]
        right.selectbox(
            norm.label,
            orders,
            key="norm",
            help=f"{norm.help} Type any other number. A random criterion needs none.",
            accept_new_options=True,
            disabled=st.session_state["criterion"] == "random",
            persist_state="session",
        )
    st.segmented_control(
        "Scope",
        list(SCOPES),
        key="scope",
        persist_state="session",
        format_func=SCOPE_TITLES.__getitem__,
        help="\n".join(f"- **{SCOPE_TITLES[name]}**: {text}" for name, text in SCOPES.items()),
        required=True,
        width="stretch",
    )
    _torch_name()


def _torch_name() -> None:
    try:
        call, joint, note = torch_name(state.recipe()).partition(" on each layer")
    except PruningExplorerError:
        return  # the page says what is wrong
    st.caption(f"`{call}`{joint}{note}", help="What torch calls this combination; the Code tab has all of it.")
