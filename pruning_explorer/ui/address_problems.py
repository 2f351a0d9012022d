"""What in an address could not be read, told once."""

import streamlit as st

from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import Key

MOST_PROBLEMS = 10
"""Most problems that are listed one by one."""


def tell_problems(told: Key[tuple[str, ...]]) -> None:
    """Show the problems that the session keeps under ``told``, until the person has read them."""
    problems = told.get()
    if not problems:
        return
    listed = "\n".join(f"- {plain(problem)}" for problem in problems[:MOST_PROBLEMS])
    left_out = f"\n- … and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
    st.warning(
        f"Not all of the address could be used; all else in it is shown.\n{listed}{left_out}",
        icon=":material/link_off:",
    )
    st.button("Got it", key="address_read", on_click=told.forget)
