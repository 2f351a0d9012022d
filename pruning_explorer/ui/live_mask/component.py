"""The live mask as a Streamlit component.

The view draws in the browser and never gets new data from Python by itself; the layer (once), a window of it and the
amount come through channels beside it (``ui/browser/channel.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pruning_explorer.ui.browser import SLIDER, THEME, colour_variables, declare_component, send_arrays, send_state
from pruning_explorer.ui.release import Release, read_release
from pruning_explorer.ui.session import component_state

_HERE = Path(__file__).parent

_VIEW = declare_component(
    "live_mask",
    _HERE / "js/main.js",
    html=_HERE / "live_mask.html",
    css=(THEME, colour_variables(), SLIDER, _HERE / "live_mask.css"),
)


@dataclass(frozen=True)
class LiveMaskState:
    """Where the person stands.

    Attributes:
        window: ``(row, col, rows, cols)`` of the single weights that a large layer's view asks for; pass it to
            :func:`build_window` and the result as ``window_payload``.
    """

    window: tuple[int, int, int, int] | None


def live_mask(
    payload: bytes,
    *,
    key: str,
    layer_key: str,
    amount: float,
    revision: int,
    label: str,
    help: str = "",
    window_payload: bytes | None = None,
    group: str = "",
    disabled: bool = False,
    on_release: Callable[[], None] | None = None,
) -> LiveMaskState:
    """Show one layer with its slider.

    The slider follows ``amount``, unless the person has released another since the release ``revision``. While
    they drag, only the browser works; on release the script runs again, ``on_release`` first (read
    :func:`released_in_mask` there).

    Args:
        payload: from :func:`build_payload`. It travels to the browser once.
        key: identity of this component on the page.
        layer_key: identity of the layer; zoom and cursor stay while it does.
        amount: in [0, 1].
        revision: of the last release that Python has taken, here or in another control of the same amount.
        label: of the slider.
        help: one line below it.
        window_payload: from :func:`build_window`, for large layers.
        group: whose amount this is. Then its control is elsewhere on the page: there is no slider here, and all moves
            along with the hand there.
        disabled: lock the slider; looking and zooming stay possible.
        on_release: called when a new amount was released, before the script runs.
    """
    with st.container(key=f"{key}-live-mask", gap=None):
        result = _VIEW(
            key=f"{key}-view",
            data={"view": key},
            on_release_change=on_release or _nothing,
            on_window_change=_nothing,
        )
        send_arrays(key, "layer", payload, layer_key)
        state: dict[str, Any] = {
            "amount": amount,
            "revision": revision,
            "label": label,
            "help": help,
            "disabled": disabled,
            "group": group,
        }
        send_state(key, "state", state)
        if window_payload is not None:
            send_arrays(key, "window", window_payload, layer_key)
    return LiveMaskState(_window(result, layer_key))


def released_in_mask(key: str) -> Release | None:
    """The last release in the live mask ``key``; None before the first.

    For use in ``on_release``, where the script has not run yet.
    """
    return read_release(component_state(f"{key}-view"))


def _nothing() -> None:
    # a state key needs a callback to appear in the result
    return None


def _window(state: Any, layer_key: str) -> tuple[int, int, int, int] | None:
    value = state.get("window") if hasattr(state, "get") else None
    if not isinstance(value, dict) or value.get("layer") != layer_key:
        return None
    row, col, rows, cols = (value.get(name) for name in ("row", "col", "rows", "cols"))
    if not all(isinstance(number, int) and number >= 0 for number in (row, col, rows, cols)):
        return None
    return row, col, rows, cols  # type: ignore[return-value]
