"""On a phone pages and controls are behind one button: it says so, for eyes and for those who listen.

What is behind it covers the page, so it is closed whenever one comes to a page. Streamlit leaves it open behind a link
that was pressed in it, and opens it where it was left open: it keeps that in the browser, and reads it before anything
of ours runs. There it is taken out again at once.
"""

from pathlib import Path

from pruning_explorer.ui.browser import declare_component

PHONE = 767
"""Widest window in pixels at which Streamlit moves the pages' names from the top into the sidebar."""

OPEN, CLOSE = "Pages and controls", "Back to the page"

REMEMBERED = "stSidebarCollapsed-"
"""Prefix of the browser's storage keys in which Streamlit remembers whether the sidebar was open."""

DOOR_STYLE = f"""<style>
@media (max-width: {PHONE}px) {{
  [data-testid=stExpandSidebarButton], [data-testid=stSidebarCollapseButton] button {{
    width: auto; padding: 0.25rem 0.75rem; gap: 0.25rem; border: 1px solid currentColor; border-radius: 0.5rem;
    color: inherit;
  }}
  [data-testid=stExpandSidebarButton]::after, [data-testid=stSidebarCollapseButton] button::after {{
    font-size: 1rem; white-space: nowrap;
  }}
  [data-testid=stExpandSidebarButton]::after {{ content: "{OPEN}"; }}
  [data-testid=stSidebarCollapseButton] button::after {{ content: "{CLOSE}"; }}
}}
</style>"""

# A button's accessible name must contain its visible text, or voice control could not press it
_NAMES = declare_component("door_names", Path(__file__).with_suffix(".js"))


def name_door() -> None:
    """On a phone: call the buttons of the sidebar what stands on them, and have it closed when one comes to a page."""
    _NAMES(key="door_names", data={"phone": PHONE, "open": OPEN, "close": CLOSE, "remembered": REMEMBERED})
