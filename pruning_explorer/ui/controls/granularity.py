"""What can be set of a granularity, drawn from how it declares its settings."""

import streamlit as st

from pruning_explorer.errors import RecipeError
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES, GranularitySpec
from pruning_explorer.prune.settings import Setting
from pruning_explorer.ui import session, state
from pruning_explorer.ui.controls.defaults import marked
from pruning_explorer.ui.setting_widgets import draw_held_setting
from pruning_explorer.ui.state import granularity_key


def draw_granularity_settings(name: str) -> None:
    """A widget for each setting, two side by side; below them what the granularity says of their values."""
    spec = GRANULARITIES[name]
    for first in range(0, len(spec.settings), 2):
        pair = spec.settings[first : first + 2]
        for column, setting in zip(st.columns(len(pair)), pair, strict=True):
            with column, marked(granularity_key(name, setting)):
                _setting(spec, setting)
    try:
        note = spec.note(state.granularity_values())
    except RecipeError:
        return  # the page says what is wrong
    if note:
        st.caption(note)


def _setting(spec: GranularitySpec, setting: Setting) -> None:
    draw_held_setting(
        setting,
        granularity_key(spec.name, setting),
        setting.word or glossary().word_for("granularity", spec.name),
        disabled=setting.of_scores and CRITERIA.read(session.CRITERION.get()).draws,
    )
