"""The amount of all layers, set by a drag along the curve of what it costs.

The view draws in the browser and never gets new data from Python by itself. Where the amount stands comes through a
channel beside it, and the curve's points through the page's store, where other parts of the page find them, too
(``ui/browser/channel.py``).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from pruning_explorer.ui.browser import THEME, colour_variables, declare_component, send_state
from pruning_explorer.ui.release import Release, read_release
from pruning_explorer.ui.session import component_state

_HERE = Path(__file__).parent
_VIEW = declare_component(
    "amount_curve",
    _HERE / "js/main.js",
    html=_HERE / "amount_curve.html",
    css=(THEME, colour_variables(), _HERE / "amount_curve.css"),
)


def amount_curve(
    *,
    key: str,
    page: str,
    label: str,
    exact: str,
    amount: float | None,
    revision: int,
    group: str,
    note: str,
    own: Sequence[tuple[str, str, float]] = (),
    on_release: Callable[[], None],
) -> None:
    """Show the curve with its handle, and a box in which the amount can be typed.

    Both follow ``amount`` whenever Python has taken the last move of the hand, and keep to the hand until then.

    Args:
        key: identity on the page.
        page: name of the store to which the curve's points go, see
            :mod:`~pruning_explorer.ui.amount_curve.points`.
        label: of the slider, for a screen reader.
        exact: of the box.
        amount: in [0, 1]; None where several recipes have different ones.
        revision: of the last release that Python has taken, here or in another control of the same amount.
        group: what this is the amount of; while a hand is at one control of a group, the others move along.
        note: what stands over the plain track where there is no curve, and none on the way.
        own: of each recipe, where they differ, its letter, colour and amount in [0, 1].
        on_release: called when a new amount was released, before the script runs; see :func:`released_on_curve`.
    """
    with st.container(key=key, gap=None):
        _VIEW(key=f"{key}-view", data={"view": key, "page": page}, on_release_change=on_release)
        words = {"label": label, "exact": exact, "note": note}
        stands = {"amount": amount, "own": list(own), "revision": revision, "group": group}
        send_state(key, "state", {**words, **stands})


def released_on_curve(key: str) -> Release | None:
    """The last release in the control ``key``; None before the first. For use in ``on_release``."""
    return read_release(component_state(f"{key}-view"))
