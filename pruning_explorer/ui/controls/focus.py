"""Where the keyboard goes when a list opens, and when it closes."""

from pathlib import Path

from pruning_explorer.ui.browser import declare_component

_FOCUS = declare_component("focus", Path(__file__).with_suffix(".js"))


def take_focus(popover: str) -> None:
    """Bring the keyboard into the open popover of that key, and back to its button when it closes.

    Streamlit hangs a popover at the end of the page: by the tab key alone one would pass all else before it. And where
    its label changes by what was chosen in it, its button is a new one that nobody has gone to.
    """
    _FOCUS(key=f"{popover}_focus", data={"popover": popover})
