"""The stage as a Streamlit component.

Everything for all stops goes to the browser at once; while a person drags or plays, Python hears nothing. Streamlit
sends all of it again when any of it changes, so the stop at which the person stands is no part of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning_explorer.lessons.panels import Panel
from pruning_explorer.lessons.scene import Stage
from pruning_explorer.ui.browser import SLIDER, THEME, colour_variables, declare_component
from pruning_explorer.ui.learn.stage.encode import Encoded, encode_panel, encode_stage
from pruning_explorer.ui.session import Key, component_state

_HERE = Path(__file__).parent
_STAGE = declare_component(
    "stage",
    _HERE / "js/main.js",
    html=_HERE / "stage.html",
    css=(
        THEME,
        colour_variables(light_on_paper=True),
        SLIDER,
        *(_HERE / f"{name}.css" for name in ("stage", "panels", "print")),
    ),
)


@dataclass(frozen=True)
class _Seen:
    """What was drawn last: a stage is encoded once, and a person's stop holds until Python moves the slider."""

    stage: Stage
    encoded: Encoded
    start: int
    turn: int
    stop: int
    revision: int


@dataclass(frozen=True)
class Stop:
    """Where a person let go.

    Attributes:
        revision: grows from one release to the next.
    """

    stop: int
    revision: int


def draw_stage(
    stage: Stage,
    *,
    key: str,
    label: str,
    help: str,
    start: int,
    turn: int = 0,
    on_release: Callable[[], None] | None = None,
) -> int:
    """Show a stage with its slider.

    While the person drags or plays, only the browser works; when they let go, or the play ends or pauses, the script
    runs once, ``on_release`` first (read :func:`released_stop` there). Another stage under the same key is drawn at
    the stop where the slider stands.

    Args:
        key: identity of this stage on the page.
        label: of the slider.
        help: one line below it.
        start: the stop at which it opens. Pass the same one until the slider is to be moved from here.
        turn: another number than before where the slider is to be moved to ``start`` although it began there.
        on_release: called when the person has moved to another stop.

    Returns:
        The stop where the person last let go; ``start`` before, and when ``start`` or ``turn`` is another than before.
    """
    seen = _memory(key).get()
    encoded = seen.encoded if seen and seen.stage is stage else encode_stage(stage)
    result = _STAGE(
        key=_identity(key),
        data={"name": key, "label": label, "help": help, "start": start, "turn": turn, **encoded},
        on_release_change=on_release or (lambda: None),  # a state key needs a callback to appear in the result
    )
    released, revision = _release(result)
    stop = _latest(seen, start, turn, released, revision)
    stop = min(max(stop, 0), max(len(encoded["stops"]) - 1, 0))
    _memory(key).set(_Seen(stage, encoded, start, turn, stop, revision))
    return stop


def released_stop(key: str) -> Stop | None:
    """The stop at which the person last let go of the stage ``key``; None before the first.

    For use in ``on_release``, where the script has not run yet.
    """
    stop, revision = _release(component_state(_identity(key)))
    return None if stop is None else Stop(stop, revision)


def draw_panels(panels: Sequence[Panel], *, key: str) -> None:
    """Show panels of one stop, without a slider.

    Args:
        key: identity of these panels on the page; drawn anew in place where they change.
    """
    drawn = [encode_panel(panel) for panel in panels]
    data = {"name": key, "label": "", "help": "", "start": 0, "turn": 0, "stops": [], "shown": [], "playable": False}
    _STAGE(key=_identity(key), data={**data, "panels": drawn}, on_release_change=lambda: None)


def _identity(key: str) -> str:
    return f"{key}-stage"


def _memory(key: str) -> Key[_Seen | None]:
    return Key(f"{key}-stage-seen", None)


def _latest(seen: _Seen | None, start: int, turn: int, released: int | None, revision: int) -> int:
    """Whoever moved last decides: Python, when it passes another start or turn than before, or the person's hand."""
    if seen is None or (seen.start, seen.turn) != (start, turn) or released is None:
        return start
    return released if revision > seen.revision else seen.stop


def _release(state: Any) -> tuple[int | None, int]:
    """Stop and time of the last release; what a browser sends is checked."""
    value = state.get("release") if hasattr(state, "get") else None
    if not isinstance(value, dict):
        return None, 0
    stop, revision = _count(value.get("stop")), _count(value.get("revision"))
    return (None, 0) if stop is None or revision is None else (stop, revision)


def _count(value: Any) -> int | None:
    # JSON knows no integers: a whole number may arrive as a float
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        return None
    return int(value)
