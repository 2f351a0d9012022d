"""Widgets that show a value which something else may set, too: a button, a chart, another widget, the address.

Writing such a value into the widget's state fails in two ways when a person is faster than a run of the script. The
value reaches the browser after the person's next key, and overwrites it. And until it arrives, the browser goes on
reporting the old value, which Streamlit takes for a change by the person. So a widget that must show another value is
replaced by a new one, drawn with that value, and nobody listens to the old one any more. A widget that shows the value
already is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from pruning_explorer.ui.session import Key

T = TypeVar("T")

_SHOWN = Key[dict[str, tuple[int, Any]]]("controlled_widgets", {})


@dataclass(frozen=True)
class ControlledWidget(Generic[T]):
    """A widget as it is to be drawn now.

    Attributes:
        name: shared by all widgets that replace each other here.
        key: of this one.
        value: what it shows; pass it as the widget's ``value``, ``default`` or ``index``.
    """

    name: str
    key: str
    value: T

    def on_change(self, take: Callable[[T], None]) -> Callable[[], None]:
        """The widget's ``on_change``: passes what the person chose to ``take``, unless the widget has been replaced."""

        def changed() -> None:
            # The browser may report a widget once more after its page was left, when its key is no longer known
            if self.key == _key(self.name, _shown()[self.name][0]) and (key := Key[T](self.key)).is_set():
                take(key.get())

        return changed


def controlled_widget(
    name: str, value: T, same: Callable[[T, T], bool] = lambda said, value: said == value
) -> ControlledWidget[T]:
    """The widget of that name that shows ``value``: the present one if it does so already, else a new one.

    Args:
        name: shared by the widgets that replace each other; their keys add a number to it.
        value: to be shown, as the browser reports it. It reports a choice by its label, so a label must not change.
        same: whether what the widget reports counts as ``value``, where that may be written in several ways.
    """
    number, shown = _shown().get(name, (0, value))
    if not same(Key[T](_key(name, number), shown).get(), value):
        number += 1
    _shown()[name] = number, value
    return ControlledWidget(name, _key(name, number), value)


def hide_replaced_widgets() -> None:
    """Hide replaced widgets, which Streamlit would show until the run ends; call it once, at the page's top."""
    rules = (
        f"[class*=st-key-{name}-]:not([data-stale=true]) ~ [class*=st-key-{name}-][data-stale=true] {{ display: none }}"
        for name in _shown()
    )
    st.html(f"<style>/* controlled widgets */ {' '.join(rules)}</style>")


def _key(name: str, number: int) -> str:
    return f"{name}-{number}"


def _shown() -> dict[str, tuple[int, Any]]:
    """For each name, the number of its present widget, and the value that this was drawn with."""
    return _SHOWN.setdefault()
