"""What can be set in a lesson beside its slider: drawn from how the scene declares it."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.lessons.scene import Knob
from pruning_explorer.prune.settings import Value, format_value
from pruning_explorer.ui.glossary_link import with_word
from pruning_explorer.ui.learn import place
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import subject_names
from pruning_explorer.ui.told import Told, told

FEW = 4
"""Choices that stand side by side; more go into a list."""


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
    network = [f"Network: {plain(str(place.value_of(lesson, place.NETWORK)))}"] if lesson.any_network else []
    return " · ".join([*network, *(_said(lesson, knob) for knob in _in_use(lesson))])


def _in_use(lesson: Lesson) -> list[Knob]:
    def counts(knob: Knob) -> bool:
        return all(place.value_of(lesson, name) == value for name, value in knob.needs.items())

    return [knob for knob in lesson.scene.knobs if counts(knob)]


def _said(lesson: Lesson, knob: Knob) -> str:
    value = place.value_of(lesson, knob.setting.name)
    return f"{knob.setting.label}: {plain(knob.choices.get(str(value), format_value(value)))}"


def _told(lesson: Lesson, name: str, value: Value) -> Told[Value]:
    return told(f"learn_{name}_{lesson.name}", value)


def _taking(lesson: Lesson, name: str) -> Callable[[Value | None], None]:
    def take(value: Value | None) -> None:
        if value is not None:
            place.set_value(lesson, name, value)

    return take


def _network(lesson: Lesson) -> None:
    names = subject_names()
    now = str(place.value_of(lesson, place.NETWORK))
    if now not in names:
        names = [now, *names]
    box = _told(lesson, place.NETWORK, now)
    st.selectbox(
        "Network",
        names,
        index=names.index(now),
        key=box.key,
        help=with_word(f"Written for {lesson.network}; on another, all numbers are computed anew.", "subject"),
        filter_mode=None,
        width=280,
        on_change=box.hear(_taking(lesson, place.NETWORK)),
    )


def _knob(lesson: Lesson, knob: Knob) -> None:
    setting = knob.setting
    now = place.value_of(lesson, setting.name)
    shown = _told(lesson, setting.name, now)
    key, change = shown.key, shown.hear(_taking(lesson, setting.name))
    help = with_word(setting.help, *(knob.words or (setting.name,)))
    if knob.choices and len(knob.choices) <= FEW:
        st.segmented_control(
            setting.label,
            list(knob.choices),
            default=str(now),
            key=key,
            format_func=knob.choices.__getitem__,
            help=help,
            required=True,
            on_change=change,
        )
    elif knob.choices:
        st.selectbox(
            setting.label,
            list(knob.choices),
            index=list(knob.choices).index(str(now)),
            key=key,
            format_func=knob.choices.__getitem__,
            help=help,
            filter_mode=None,
            width=280,
            on_change=change,
        )
    elif isinstance(setting.default, bool):
        st.toggle(setting.label, bool(now), key=key, help=help, on_change=change)
    elif isinstance(setting.default, int):
        st.number_input(
            setting.label,
            int(setting.low),
            int(setting.high),
            int(now),
            step=1,
            key=key,
            help=help,
            width=240,
            on_change=change,
        )
    else:
        st.number_input(
            setting.label,
            float(setting.low),
            float(setting.high),
            float(now),
            step=setting.step,
            key=key,
            help=help,
            width=240,
            on_change=change,
        )
