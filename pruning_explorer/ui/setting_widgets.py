"""A declared setting as the widget that fits it, and what there is to choose among as a list."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Setting, Value, format_value
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.session import Key

FEW = 4
"""Most choices that are shown side by side as buttons; more are shown in a list."""


def draw_held_setting(setting: Setting, key: str, *words: str | None, disabled: bool = False) -> None:
    """A setting that the session holds under ``key``, where something else may set it, too; else as the one below."""
    held = Key[Value](key)
    box = controlled_widget(key, held.get())
    draw_setting(setting, box.key, *words, shown=box.value, on_change=box.on_change(held.set), disabled=disabled)


def draw_setting(
    setting: Setting,
    key: str,
    *words: str | None,
    shown: Value,
    names: Mapping[str, str] | None = None,
    on_change: Callable[[], None] | None = None,
    disabled: bool = False,
) -> None:
    """A switch, a box or a list, by what the setting is.

    Args:
        key: of the widget in the session.
        words: of the glossary that its help leads to.
        shown: what it begins with.
        names: value -> what a page calls it, of a word that can be one of these only.
        on_change: called after a hand was on it.
        disabled: it can be seen, and not be changed.
    """
    common: dict[str, Any] = {
        "key": key,
        "help": help_with_glossary_link(setting.help, *words),
        "on_change": on_change,
        "disabled": disabled,
    }

    def draw_list(known: list[Any], **more: Any) -> None:
        listed = known if shown in known else [*known, shown]
        st.selectbox(setting.label, listed, listed.index(shown), width=280, **common, **more)

    if isinstance(setting.default, bool):
        st.toggle(setting.label, bool(shown), **common)
    elif names and len(names) <= FEW:
        call = names.__getitem__
        st.segmented_control(setting.label, list(names), format_func=call, required=True, default=shown, **common)
    elif names:
        draw_list(list(names), format_func=names.__getitem__, filter_mode=None)
    elif isinstance(setting.default, str):
        st.text_input(setting.label, str(shown), width=280, **common)
    elif setting.typed:
        draw_list([format_value(each) for each in setting.labels or (setting.default,)], accept_new_options=True)
    elif setting.labels:
        draw_list(list(setting.labels), format_func=lambda each: setting.labels.get(each, format_value(each)))
    else:
        number, step = type(setting.default), 1 if isinstance(setting.default, int) else setting.step
        bounds = number(setting.low), number(setting.high)
        st.number_input(setting.label, *bounds, value=number(shown), step=step, width=240, **common)


def draw_choices(setting: Setting, choices: Choices[Any]) -> str:
    """A list of what is registered, each by its title; the help says what each does.

    Returns:
        The name of the chosen one.
    """
    held, listed = Key[str](setting.name), list(choices)
    box = controlled_widget(setting.name, held.get())
    st.selectbox(
        setting.label,
        listed,
        listed.index(box.value),
        key=box.key,
        on_change=box.on_change(held.set),
        format_func=lambda name: choices[name].title,
        help=help_with_glossary_link(
            "\n".join(f"- **{each.title}**: {each.help}" for each in choices.values()), setting.name
        ),
        filter_mode=None,
    )
    return box.value
