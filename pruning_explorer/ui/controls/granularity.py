"""What can be set of a granularity, drawn from how it declares its settings."""

import streamlit as st

from pruning_explorer.errors import RecipeError
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.prune.criteria import find_criterion
from pruning_explorer.prune.granularities import GRANULARITIES, GranularitySpec
from pruning_explorer.prune.settings import Setting, format_value
from pruning_explorer.ui import state
from pruning_explorer.ui.glossary_link import with_word
from pruning_explorer.ui.state import granularity_key


def draw_granularity_settings(name: str) -> None:
    """A widget for each setting, two side by side; below them what the granularity says of their values."""
    spec = GRANULARITIES[name]
    for first in range(0, len(spec.settings), 2):
        pair = spec.settings[first : first + 2]
        for column, setting in zip(st.columns(len(pair)), pair, strict=True):
            with column:
                _setting(spec, setting)
    try:
        note = spec.note(state.granularity_values())
    except RecipeError:
        return  # the page says what is wrong
    if note:
        st.caption(note)


def _setting(spec: GranularitySpec, setting: Setting) -> None:
    key = granularity_key(spec.name, setting)
    help = with_word(setting.help, setting.word or glossary().word_for("granularity", spec.name))
    if isinstance(setting.default, bool):
        st.toggle(setting.label, key=key, help=help, persist_state="session")
    elif isinstance(setting.default, str):
        st.text_input(setting.label, key=key, help=help, persist_state="session")
    elif isinstance(setting.default, float):
        _any_number(setting, key, help)
    elif setting.labels:
        _labelled(setting, key, help)
    else:
        st.number_input(
            setting.label,
            int(setting.low),
            int(setting.high),
            step=1,
            key=key,
            help=help,
            persist_state="session",
        )


def _labelled(setting: Setting, key: str, help: str) -> None:
    now = st.session_state[key]
    st.selectbox(
        setting.label,
        list(setting.labels) if now in setting.labels else [*setting.labels, now],
        key=key,
        format_func=lambda value: setting.labels.get(value, format_value(value)),
        help=help,
        persist_state="session",
    )


def _any_number(setting: Setting, key: str, help: str) -> None:
    common = [format_value(value) for value in setting.labels or (setting.default,)]
    now = st.session_state[key]
    st.selectbox(
        setting.label,
        common if now in common else [*common, now],
        key=key,
        help=help,
        accept_new_options=True,
        disabled=setting.of_scores and find_criterion(st.session_state["criterion"]).draws,
        persist_state="session",
    )
