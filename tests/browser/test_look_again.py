"""The browser asks for another look as long as there is more to come, and only of a page that is at rest."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.look_again_app import ENOUGH

APP = "tests/browser/look_again_app.py"


def test_it_asks_until_all_is_there_and_no_longer(app: Callable[..., Page]) -> None:
    page = app()
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()
    asking = page.locator("[class*=st-key-look_again]")
    expect(asking).to_have_count(0)
    # The script itself has run but once
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()


def test_it_does_not_ask_while_the_script_runs(app: Callable[..., Page]) -> None:
    page = app()
    page.get_by_role("button", name="Hold up").click()
    expect(page.get_by_text("1 while it ran", exact=True)).to_be_visible()
    expect(page.get_by_text(f"look {ENOUGH}", exact=True)).to_be_visible()
