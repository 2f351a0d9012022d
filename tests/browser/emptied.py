"""An app's page that many tests use one after the other: emptied in between, so that each finds a new one."""

import streamlit as st
from playwright.sync_api import Page, expect

ADDRESS = "/?empty=1"
WORDS = "Nothing is on this page."

# As the browser's way back does it: Streamlit stays, and runs the script for the new address
GO = """address => {
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}"""


def emptied() -> bool:
    """Whether the address asks for an empty page; nothing of the session is left either.

    An app calls it first, and returns if so: what was on the page is unmounted, widgets forget what they were set to.
    """
    if "empty" not in st.query_params:
        return False
    st.session_state.clear()
    st.write(WORDS)
    return True


def empty(page: Page) -> None:
    """Take all off the page, and the hand off what it holds."""
    page.evaluate(GO, ADDRESS)
    expect(page.get_by_text(WORDS)).to_be_visible()
    expect(page.get_by_test_id("stElementContainer")).to_have_count(1)
    page.mouse.up()
    page.mouse.move(0, 0)


def fill(page: Page, path: str) -> None:
    """Open another address of the app on an emptied page."""
    page.evaluate(GO, path)
    expect(page.get_by_text(WORDS)).to_have_count(0)
