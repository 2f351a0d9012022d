"""On a phone pages and controls are behind one button: it says so, for eyes and for those who listen.

What is behind it covers the page, so it is closed whenever one comes to a page. Streamlit leaves it open behind a link
that was pressed in it, and opens it where it was left open: it keeps that in the browser, and reads it before anything
of ours runs. There it is taken out again at once.
"""

import streamlit as st

PHONE = 767
"""Pixels up to which Streamlit takes the pages' names from the top of the page into the sidebar."""

OPEN, CLOSE = "Pages and controls", "Back to the page"

REMEMBERED = "stSidebarCollapsed-"
"""How the names begin under which Streamlit keeps in the browser whether the sidebar was open."""

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

# What a button is called must hold what stands on it, or who speaks to the page could not press it
_NAMES = st.components.v2.component(
    "pruning_explorer_door_names",
    js="""export default ({ data }) => {
  const phone = matchMedia(`(max-width: ${data.phone}px)`);
  const doors = { '[data-testid=stExpandSidebarButton]': data.open,
    '[data-testid=stSidebarCollapseButton] button': data.close };
  const name = () => {
    for (const [selector, words] of Object.entries(doors)) {
      const door = document.querySelector(selector);
      if (!door) continue;
      door.dataset.own ??= door.getAttribute('aria-label');
      const wanted = phone.matches ? words : door.dataset.own;
      if (door.getAttribute('aria-label') !== wanted) door.setAttribute('aria-label', wanted);
    }
  };
  const forget = () => {
    if (!phone.matches) return;
    for (const key of Object.keys(localStorage)) if (key.startsWith(data.remembered)) localStorage.removeItem(key);
  };
  const leave = ({ target }) => {
    if (!phone.matches || !target.closest('[data-testid=stSidebarNavLink]')) return;
    document.querySelector('[data-testid=stSidebarCollapseButton] button')?.click();
  };
  // Each of the two is made anew when the other one was pressed
  const pressed = () => { name(); forget(); };
  const observer = new MutationObserver(pressed);
  for (const part of ['stHeader', 'stSidebar']) {
    const root = document.querySelector(`[data-testid=${part}]`);
    if (root) observer.observe(root, { attributes: true, attributeFilter: ['aria-expanded'] });
    const header = part === 'stHeader' ? root : root?.querySelector('[data-testid=stSidebarHeader]');
    if (header) observer.observe(header, { childList: true, subtree: true });
  }
  document.addEventListener('click', leave);
  phone.addEventListener('change', pressed);
  pressed();
  return () => {
    observer.disconnect();
    document.removeEventListener('click', leave);
    phone.removeEventListener('change', pressed);
  };
}""",
)


def name_door() -> None:
    """On a phone: call the buttons of the sidebar what stands on them, and have it closed when one comes to a page."""
    _NAMES(key="door_names", data={"phone": PHONE, "open": OPEN, "close": CLOSE, "remembered": REMEMBERED})
