"""The list of layers as a Streamlit component.

It draws by itself what comes through the store of its page: the kept weights of each layer at every position of the
slider (``counts``), a small picture of each mask (``thumbnails``), which layer is open and where the amount stands.
"""

from collections.abc import Callable
from pathlib import Path

from pruning_explorer.ui.browser import THEME, colour_variables, declare_component, send_arrays, send_state
from pruning_explorer.ui.session import component_state

_HERE = Path(__file__).parent
_LIST = declare_component(
    "layer_list",
    _HERE / "js/main.js",
    html=_HERE / "layer_list.html",
    css=(THEME, colour_variables(), _HERE / "layer_list.css"),
)


def layer_list(
    *,
    key: str,
    page: str,
    counts: bytes,
    thumbnails: bytes,
    opened: str,
    amount: float,
    revision: int,
    group: str,
    on_open: Callable[[], None],
) -> None:
    """Show a row for each layer: its mask as densities, its name, how much of it stays.

    Args:
        key: identity on the page.
        page: name of the store through which the parts of a page hear of each other; the counts are for all of them.
        counts, thumbnails: from :func:`build_counts` and :func:`build_thumbnails`, of the same layers. Each travels to
            the browser once.
        opened: name of the layer that is open elsewhere on the page.
        amount: in [0, 1].
        revision: of the last release that Python has taken.
        group: what this is the amount of; the list follows a hand at any control of it.
        on_open: called when another layer was opened, before the script runs; see :func:`opened_in_list`.
    """
    _LIST(key=key, data={"page": page}, on_opened_change=on_open)
    send_arrays(page, "counts", counts)
    send_arrays(page, "thumbnails", thumbnails)
    send_state(page, "layers", {"opened": opened, "amount": amount, "revision": revision, "group": group})


def opened_in_list(key: str) -> str | None:
    """The layer that a hand last opened in the list ``key``; None before the first. For use in ``on_open``."""
    name = component_state(key).get("opened")
    return name if isinstance(name, str) else None
