"""What changes often goes to a component beside it, in messages of its own.

Streamlit sends a component's code and all of its data again whenever any of the data changes. So a view is drawn with
data that never change, and what it shows comes through small *channels*: what one of them sends is its 1 kB of code and
one message. In the browser a view reads them from its store (``js/store.js``).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruning_explorer.ui.browser.component import declare_component
from pruning_explorer.ui.browser.message import pack, read_header

_CHANNEL = declare_component("channel", Path(__file__).parent / "js/channel.js")


def send_state(view: str, kind: str, state: Mapping[str, Any]) -> None:
    """Send plain values to a view.

    Args:
        view: its name on the page; the message's place is where this is called, and takes no room.
        kind: by which the view tells its messages apart.
    """
    _CHANNEL(key=f"{view}-{kind}", data={**state, "view": view, "kind": kind})


def send_arrays(view: str, kind: str, payload: bytes, content: str = "") -> None:
    """Send arrays to a view, packed by :func:`~pruning_explorer.ui.browser.message.pack_arrays`.

    Args:
        content: what they are of; the view takes them anew where it changes, though the arrays may be the same.
    """
    digest = read_header(payload)["digest"]
    message = pack({"view": view, "kind": kind, "layer": content, "digest": digest}, payload)
    _CHANNEL(key=f"{view}-{kind}", data=message)
