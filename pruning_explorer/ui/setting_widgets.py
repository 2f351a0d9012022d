"""A declared setting as the widget that fits it, and what there is to choose among as a list."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Setting, Value, format_value
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.session import Key

FEW = 4
"""Most choices that are shown side by side as buttons; more are shown in a list."""


def draw_setting(
    setting: Setting,
    key: str,
    *words: str | None,
    shown: Value | None = None,
    names: Mapping[str, str] | None = None,
    on_change: Callable[[], None] | None = None,
    disabled: bool = False,
) -> None:
    """A switch, a box or a list, by what the setting is.

    Args:
        key: of the widget in the session.
        words: of the glossary that its help leads to.
        shown: what it begins with, in a row with others; None where the session holds that under ``key``, and keeps
            it from page to page.
        names: value -> what a page calls it, of a word that can be one of these only.
        on_change: called after a hand was on it.
        disabled: it can be seen, and not be changed.
    """
    value = Key[Any](key).get() if shown is None else shown
    common: dict[str, Any] = {
        "key": key,
        "help": help_with_glossary_link(setting.help, *words),
        "on_change": on_change,
        "disabled": disabled,
        **({"persist_state": "session"} if shown is None else {}),
    }

    def options(**begins: Any) -> dict[str, Any]:
        """With what the widget begins with, where that is not in the session."""
        return common if shown is None else {**common, **begins}

    def draw_list(known: list[Any], **more: Any) -> None:
        listed = known if value in known else [*known, value]
        st.selectbox(setting.label, listed, **options(index=listed.index(value), width=280), **more)

    if isinstance(setting.default, bool):
        st.toggle(setting.label, **options(value=value))
    elif names and len(names) <= FEW:
        call = names.__getitem__
        st.segmented_control(setting.label, list(names), format_func=call, required=True, **options(default=value))
    elif names:
        draw_list(list(names), format_func=names.__getitem__, filter_mode=None)
    elif isinstance(setting.default, str):
        st.text_input(setting.label, **options(value=value, width=280))
    elif setting.typed:
        draw_list([format_value(each) for each in setting.labels or (setting.default,)], accept_new_options=True)
    elif setting.labels:
        draw_list(list(setting.labels), format_func=lambda each: setting.labels.get(each, format_value(each)))
    else:
        number, step = type(setting.default), 1 if isinstance(setting.default, int) else setting.step
        bounds = number(setting.low), number(setting.high)
        st.number_input(setting.label, *bounds, step=step, **options(value=value, width=240))


def draw_choices(setting: Setting, choices: Choices[Any]) -> str:
    """A list of what is registered, each by its title; the help says what each does.

    Returns:
        The name of the chosen one.
    """
    name: str = st.selectbox(
        setting.label,
        list(choices),
        key=setting.name,
        persist_state="session",
        format_func=lambda name: choices[name].title,
        help=help_with_glossary_link(
            "\n".join(f"- **{each.title}**: {each.help}" for each in choices.values()), setting.name
        ),
        filter_mode=None,
    )
    return name
