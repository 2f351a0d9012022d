"""What can be set in a lesson beside its slider: drawn from how the scene declares it."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.lessons.scene import Knob
from pruning_explorer.prune.settings import Value, format_value
from pruning_explorer.ui.controlled_widget import ControlledWidget, controlled_widget
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.learn import state
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.setting_widgets import draw_setting
from pruning_explorer.ui.subjects import subject_names


def draw_knobs(lesson: Lesson) -> None:
    """The network, where another may be chosen, and every knob."""
    knobs = lesson.scene.knobs
    if not knobs and not lesson.any_network:
        return
    with st.container(key="learn_knobs", horizontal=True, vertical_alignment="bottom"):
        if lesson.any_network:
            _network(lesson)
        for knob in _in_use(lesson):
            _knob(lesson, knob)


def said(lesson: Lesson) -> str:
    """What stands otherwise than it is seen on paper: the network and every knob, in a line."""
    network = [f"Network: {plain(str(state.value_of(lesson, state.NETWORK)))}"] if lesson.any_network else []
    return " · ".join([*network, *(_said(lesson, knob) for knob in _in_use(lesson))])


def _in_use(lesson: Lesson) -> list[Knob]:
    def counts(knob: Knob) -> bool:
        return all(state.value_of(lesson, name) == value for name, value in knob.needs.items())

    return [knob for knob in lesson.scene.knobs if counts(knob)]


def _said(lesson: Lesson, knob: Knob) -> str:
    value = state.value_of(lesson, knob.setting.name)
    return f"{knob.setting.label}: {plain(knob.choices.get(str(value), format_value(value)))}"


def _controlled(lesson: Lesson, name: str, value: Value) -> ControlledWidget[Value]:
    return controlled_widget(f"learn_{name}_{lesson.name}", value)


def _taking(lesson: Lesson, name: str) -> Callable[[Value | None], None]:
    def take(value: Value | None) -> None:
        if value is not None:
            state.set_value(lesson, name, value)

    return take


def _network(lesson: Lesson) -> None:
    names = subject_names()
    now = str(state.value_of(lesson, state.NETWORK))
    if now not in names:
        names = [now, *names]
    box = _controlled(lesson, state.NETWORK, now)
    st.selectbox(
        "Network",
        names,
        index=names.index(now),
        key=box.key,
        help=help_with_glossary_link(
            f"Written for {lesson.network}; on another, all numbers are computed anew.", "subject"
        ),
        filter_mode=None,
        width=280,
        on_change=box.on_change(_taking(lesson, state.NETWORK)),
    )


def _knob(lesson: Lesson, knob: Knob) -> None:
    name = knob.setting.name
    box = _controlled(lesson, name, state.value_of(lesson, name))
    draw_setting(
        knob.setting,
        box.key,
        *(knob.words or (name,)),
        shown=box.value,
        names=knob.choices,
        on_change=box.on_change(_taking(lesson, name)),
    )
