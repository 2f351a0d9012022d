"""What goes together, who competes with whom, and what torch calls it all."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.measure.recalibration import has_batchnorm, why_no_recalibration
from pruning_explorer.prune.code import torch_name
from pruning_explorer.prune.criteria import find_criterion
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe import SCOPES, SETTINGS
from pruning_explorer.prune.settings import Setting
from pruning_explorer.ui import state
from pruning_explorer.ui.controls.words import explained
from pruning_explorer.ui.glossary_link import with_word
from pruning_explorer.ui.state import granularity_key

DIMS = {0: "0 · outputs", 1: "1 · inputs"}
NORMS = ["1", "2", "inf", "-inf"]


def draw_method() -> None:
    """Choose granularity and scope, and say what torch calls them together."""
    name = st.selectbox(
        "Granularity",
        list(GRANULARITIES),
        key="granularity",
        persist_state="session",
        format_func=lambda name: GRANULARITIES[name].title,
        help=with_word(explained(GRANULARITIES), "granularity"),
        filter_mode=None,
    )
    _granularity_settings(name)
    st.segmented_control(
        "Scope",
        list(SCOPES),
        key="scope",
        persist_state="session",
        format_func=str.capitalize,  # the titles are too wide for three of them in a row
        help=with_word("\n".join(f"- **{name.capitalize()}**: {each.help}" for name, each in SCOPES.items()), "scope"),
        required=True,
        width="stretch",
    )
    _torch_name()


def draw_recalibrate() -> None:
    """Whether BatchNorm is measured again; nothing where the network has none."""
    subject, setting = state.subject(), SETTINGS["recalibrate"]
    if not has_batchnorm(subject):
        return
    reason = why_no_recalibration(subject)
    st.toggle(
        setting.label,
        key=setting.name,
        help=with_word(setting.help, setting.name),
        disabled=reason is not None,
        persist_state="session",
    )
    if reason:
        st.caption(f"Not here: {reason}")


def _granularity_settings(name: str) -> None:
    settings = {setting.name: setting for setting in GRANULARITIES[name].settings}
    match name:
        case "channel":
            left, right = st.columns(2)
            with left:
                _dim(settings["dim"])
            with right:
                _norm_order(name, settings["n"])
        case "n_m":
            _counts(name, settings["n"], settings["m"])
            n, m = (st.session_state[granularity_key(name, settings[each])] for each in ("n", "m"))
            if n <= m:
                st.caption(f"{n} of every {m} weights stay, so {n}:{m} removes at most {100 * (1 - n / m):.3g} %.")
        case "block":
            _counts(name, settings["rows"], settings["cols"])
            _norm_order(name, settings["n"])


def _counts(name: str, *settings: Setting) -> None:
    for column, setting in zip(st.columns(len(settings)), settings, strict=True):
        column.number_input(
            setting.label,
            int(setting.low),
            int(setting.high),
            step=1,
            key=granularity_key(name, setting),
            help=with_word(setting.help, glossary().word_for("granularity", name)),
            persist_state="session",
        )


def _dim(setting: Setting) -> None:
    key = granularity_key("channel", setting)
    now = st.session_state[key]
    st.selectbox(
        setting.label,
        list(DIMS) if now in DIMS else [*DIMS, now],
        key=key,
        format_func=lambda dim: DIMS.get(dim, str(dim)),
        help=with_word(setting.help, setting.name),
        persist_state="session",
    )


def _norm_order(name: str, setting: Setting) -> None:
    key = granularity_key(name, setting)
    now = st.session_state[key]
    st.selectbox(
        setting.label,
        NORMS if now in NORMS else [*NORMS, now],
        key=key,
        help=with_word(f"{setting.help} Type any other number. A random criterion needs none.", "norm-order"),
        accept_new_options=True,
        disabled=find_criterion(st.session_state["criterion"]).draws,
        persist_state="session",
    )


def _torch_name() -> None:
    try:
        call, joint, note = torch_name(state.recipe()).partition(" on each layer")
    except PruningExplorerError:
        return  # the page says what is wrong
    st.caption(
        f"`{call}`{joint}{note}",
        help=with_word("What torch calls this combination; the Code tab has all of it.", "torch-prune"),
    )
