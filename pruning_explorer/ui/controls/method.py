"""What goes together, who competes with whom, and what torch calls it all."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.measure.recalibration import has_batchnorm, why_no_recalibration
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS
from pruning_explorer.prune.torch_names import torch_name
from pruning_explorer.ui import session, state
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.controls.defaults import marked
from pruning_explorer.ui.controls.granularity import draw_granularity_settings
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.setting_widgets import draw_choices, draw_held_setting


def draw_method() -> None:
    """Choose granularity and scope, and say what torch calls them together."""
    with marked(session.GRANULARITY):
        name = draw_choices(SETTINGS["granularity"], GRANULARITIES)
    draw_granularity_settings(name)
    with marked(session.SCOPE):
        box = controlled_widget(session.SCOPE, session.SCOPE.get())
        st.segmented_control(
            "Scope",
            list(SCOPES),
            default=box.value,
            key=box.key,
            on_change=box.on_change(session.SCOPE.set),
            format_func=str.capitalize,  # the titles are too wide for three of them in a row
            help=help_with_glossary_link(
                "\n".join(f"- **{name.capitalize()}**: {each.help}" for name, each in SCOPES.items()), "scope"
            ),
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
    with marked(session.RECALIBRATE):
        draw_held_setting(setting, setting.name, setting.name, disabled=reason is not None)
    if reason:
        st.caption(f"Not here: {reason}")


def _torch_name() -> None:
    try:
        call, joint, note = torch_name(state.recipe()).partition(" on each layer")
    except PruningExplorerError:
        return  # the page says what is wrong
    st.caption(
        f"`{call}`{joint}{note}",
        help=help_with_glossary_link("What torch calls this combination; the Code tab has all of it.", "torch-prune"),
    )
