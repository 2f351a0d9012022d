"""What is set less often: the schedule, the allocation, the cap, the seed, what else is on offer."""

import streamlit as st

from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.schedule import SCHEDULES, STEPS
from pruning_explorer.prune.targets import OPTIONAL
from pruning_explorer.ui import session
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.controls.defaults import marked
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.setting_widgets import draw_choices, draw_held_setting

TITLE = "Schedule, cap, seed …"
_KEYS: tuple[str, ...] = (
    session.SCHEDULE,
    session.STEPS,
    session.ALLOCATION,
    session.CAP,
    session.SEED,
    *session.SWITCHES.values(),
)


def draw_more() -> None:
    """A fold of controls, drawn while it is open."""
    with marked(*_KEYS, place="button", fold="more"):
        more = st.expander(TITLE, key="more_open", on_change="rerun")
    if more.open:
        with more:
            with marked(session.SCHEDULE):
                schedule = draw_choices(SETTINGS["schedule"], SCHEDULES)
            if SCHEDULES[schedule].settings:
                with marked(session.STEPS):
                    draw_held_setting(STEPS, STEPS.name, STEPS.name)
            if session.SCOPE.get() != "global":
                with marked(session.ALLOCATION):
                    draw_choices(SETTINGS["allocation"], ALLOCATIONS)
            with marked(session.CAP):
                _cap()
            with marked(session.SEED):
                draw_held_setting(SETTINGS["seed"], "seed", "seed")
            for role, switch in OPTIONAL.items():
                with marked(session.SWITCHES[switch]):
                    draw_held_setting(SETTINGS[switch], switch, "norm-layer" if role == "norm" else role)


def _cap() -> None:
    cap = SETTINGS["cap"]
    percent = controlled_widget("cap", round(session.CAP.get() * 100, 1))
    st.slider(
        f"{cap.label}, %",
        0.0,
        100.0,
        percent.value,
        step=0.1,
        format="%.1f",
        key=percent.key,
        on_change=percent.on_change(lambda percent: session.CAP.set(round(percent / 100, 3))),
        help=help_with_glossary_link(
            f"{cap.help} A layer collapses when one ranking for all leaves nothing of it.", cap.name, "layer-collapse"
        ),
    )
