"""Widgets that show a value which something else may set, too: a button, a chart, another widget, the address.

Where such a value is written into the widget's state, two things go wrong with hands that are quicker than a run. What
is written comes to the browser after the second key, and takes it back. And until it comes, the browser reports the
widget as it was, which Streamlit takes for a hand on it. So a widget that must be told is a new one, drawn with the
value that it is to show, and nobody listens to the old one any more; one that shows the value already is left alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from pruning_explorer.ui.session import Key

T = TypeVar("T")

_TOLD = Key[dict[str, tuple[int, Any]]]("told", {})


@dataclass(frozen=True)
class Told(Generic[T]):
    """A widget as it is to be drawn now.

    Attributes:
        name: of all the widgets that follow each other here.
        key: of this one.
        value: what it shows; pass it as the widget's ``value``, ``default`` or ``index``.
    """

    name: str
    key: str
    value: T

    def hear(self, take: Callable[[T], None]) -> Callable[[], None]:
        """A callback for ``on_change``: gives what the hand chose to ``take``, unless the widget has a successor."""

        def hear() -> None:
            # What a page that was left had drawn may be reported once more, and is known no longer
            if self.key == _key(self.name, _shown()[self.name][0]) and (key := Key[T](self.key)).is_set():
                take(key.get())

        return hear


def told(name: str, value: T, same: Callable[[T, T], bool] = lambda said, value: said == value) -> Told[T]:
    """The widget of that name that shows ``value``: the one that stands there, if it says so, or else a new one.

    Args:
        name: of the widgets that follow each other; their keys have a number behind it.
        value: to be shown. It must be what the browser reports, which speaks of choices by their labels: not a choice
            whose label may change.
        same: whether what the widget says is ``value``, where several ways of saying it are.
    """
    number, shown = _shown().get(name, (0, value))
    if not same(Key[T](_key(name, number), shown).get(), value):
        number += 1
    _shown()[name] = number, value
    return Told(name, _key(name, number), value)


def hide_predecessors() -> None:
    """Keep a widget that has a successor from standing beside it until the run has ended; once, at the page's top."""
    rules = (
        f"[class*=st-key-{name}-]:not([data-stale=true]) ~ [class*=st-key-{name}-][data-stale=true] {{ display: none }}"
        for name in _shown()
    )
    st.html(f"<style>/* told */ {' '.join(rules)}</style>")


def _key(name: str, number: int) -> str:
    return f"{name}-{number}"


def _shown() -> dict[str, tuple[int, Any]]:
    """Of each name: the number of its widget, and what that was drawn with."""
    return _TOLD.setdefault()
