"""The amount's slider and box as one Streamlit component.

As two widgets they would have to be told of each other's moves, and Streamlit cannot tell what a browser reports of a
widget before it has heard of such a tell from a hand on it: of two quick keys the second would be lost.
"""

from collections.abc import Callable
from pathlib import Path

from pruning_explorer.ui.browser import SLIDER, THEME, declare_component
from pruning_explorer.ui.release import Release, read_release
from pruning_explorer.ui.session import component_state

_HERE = Path(__file__).parent
_CONTROL = declare_component(
    "amount_control",
    _HERE / "amount_control.js",
    html=_HERE / "amount_control.html",
    css=(THEME, SLIDER, _HERE / "amount_control.css"),
)


def amount_control(
    *,
    key: str,
    label: str,
    exact: str,
    amount: float,
    revision: int,
    group: str,
    on_release: Callable[[], None],
) -> None:
    """Show a slider and a box.

    Both follow ``amount`` whenever Python has taken the last move of the hand, and keep to the hand until then.

    Args:
        key: identity on the page.
        label: of the slider, for a screen reader; write it above yourself.
        exact: of the box.
        amount: in [0, 1].
        revision: of the last release that Python has taken, here or in another control of the same amount.
        group: what this is the amount of; while a hand is at one control of a group, the others move along.
        on_release: called when a new amount was released, before the script runs; see :func:`released_by_control`.
    """
    data = {"label": label, "exact": exact, "amount": amount, "revision": revision, "group": group}
    _CONTROL(key=key, data=data, on_release_change=on_release)


def released_by_control(key: str) -> Release | None:
    """The last release in the control ``key``; None before the first. For use in ``on_release``."""
    return read_release(component_state(key))
