"""A part of a page that is drawn again, by itself, as long as something is waited for.

Streamlit's own ``st.fragment(run_every=...)`` asks by the clock, also while a run is under way. Such a look reports
widgets as they stood before that run, which undoes what it did; and where it comes in just as the run ends, Streamlit
1.67 gives the session a new runner and drops what the old one had still to say, its end among it. Here the browser asks
only once the page is at rest and the look before has been answered: a busy server that is asked again meanwhile clears
what it has not sent yet, and begins anew for ever. Where a look has overtaken the end of a run, the page is drawn anew.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import streamlit as st

from pruning_explorer.ui.browser import declare_component
from pruning_explorer.ui.session import component_state

_ASK = declare_component("look_again", Path(__file__).with_suffix(".js"))
_NUMBERS = count(1)
_LOOKS = count(1)


@dataclass(frozen=True)
class _Run:
    """A run of the whole script, and the thread that did it."""

    number: int
    thread: threading.Thread


def draw_until_done(draw: Callable[[], bool], *, key: str, seconds: float) -> None:
    """Draw a part of the page now, and again whenever the page has been at rest for a moment, until all is there.

    Args:
        draw: draws it; whether there is more to come.
        key: identity of this part on the page.
        seconds: of rest between two looks.
    """
    # A look finds here what the latest run of the whole script has left
    st.fragment(_draw, key=key)(draw, key, seconds, _Run(next(_NUMBERS), threading.current_thread()))


def _draw(draw: Callable[[], bool], key: str, seconds: float, run: _Run) -> None:
    asks = f"look_again_{key}"
    seen = component_state(asks).get("look")
    # Sent before the browser had heard of the latest run, and done by another thread: its end may have been dropped
    if seen is not None and seen != run.number and run.thread is not threading.current_thread():
        st.rerun()
    if draw():
        # The browser asks again once it has an answer, which it knows by the number; a trigger needs a callback
        data = {"seconds": seconds, "run": run.number, "look": next(_LOOKS)}
        _ASK(key=asks, data=data, on_look_change=lambda: None)
