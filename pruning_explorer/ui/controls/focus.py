"""Where the keyboard goes when a list opens, and when it closes."""

import streamlit as st

_FOCUS = st.components.v2.component(
    "pruning_explorer_focus",
    js="""export default ({ parentElement, data }) => {
  const list = (parentElement.host ?? parentElement).closest('[role=dialog]');
  if (list && !list.contains(document.activeElement)) list.querySelector('button:not(:disabled)')?.focus();
  return () => {
    const began = performance.now();
    const back = () => {
      if (document.activeElement !== document.body || performance.now() - began > 2000) return;
      document.querySelector(`.st-key-${data.popover} [data-testid=stPopoverButton]:not(:disabled)`)?.focus();
      requestAnimationFrame(back);
    };
    requestAnimationFrame(back);
  };
}""",
)


def take_focus(popover: str) -> None:
    """Bring the keyboard into the open popover of that key, and back to its button when it closes.

    Streamlit hangs a popover at the end of the page: by the tab key alone one would pass all else before it. And where
    its label changes by what was chosen in it, its button is a new one that nobody has gone to.
    """
    _FOCUS(key=f"{popover}_focus", data={"popover": popover})
