"""The sidebar on a phone: its buttons say what they do, in their visible text and to a screen reader.

On a phone the open sidebar covers the page, so it is closed whenever a page is opened. Streamlit leaves it open after a
link in it was pressed, and remembers in the browser's storage that it was open, which it reads before our code runs.
So that entry is removed at once.
"""

from pathlib import Path

import streamlit as st

from pruning_explorer.ui.browser import declare_component

PHONE = 767
"""Widest window in pixels at which Streamlit moves the pages' names from the top into the sidebar."""

WITH_CONTROLS = frozenset(("", "compare"))
"""Pages, as their addresses name them, that have controls in the sidebar."""

CLOSE = "Back to the page"

REMEMBERED = "stSidebarCollapsed-"
"""Prefix of the browser's storage keys in which Streamlit remembers whether the sidebar was open."""

# A button's accessible name must contain its visible text, or voice control could not press it
_LABELS = declare_component("sidebar_labels", Path(__file__).with_suffix(".js"))


def name_sidebar_door(page: str) -> None:
    """On a phone: have the buttons of the sidebar say where they lead; to be drawn before the page is."""
    words = _door(page)
    rules = (
        f'[data-testid=stExpandSidebarButton]::after {{ content: "{words}"; }}',
        f'[data-testid=stSidebarCollapseButton] button::after {{ content: "{CLOSE}"; }}',
    )
    st.html(f"<style>@media (max-width: {PHONE}px) {{ {' '.join(rules)} }}</style>")


def label_sidebar_buttons(page: str) -> None:
    """On a phone: label the sidebar's buttons for screen readers, and close the sidebar when a page is opened."""
    words = {"open": _door(page), "close": CLOSE}
    _LABELS(key="sidebar_labels", data={"phone": PHONE, "remembered": REMEMBERED, **words})


def _door(page: str) -> str:
    return "Network and method" if page in WITH_CONTROLS else "Pages"
