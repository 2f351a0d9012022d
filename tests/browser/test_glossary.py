"""The glossary in a real browser: reached from a help by mouse, by finger and by key, and read by everybody."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explore_page import ExplorePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, TOO_WIDE, violations

Explore = Callable[..., ExplorePage]
HELP = "Help for Look into"
NETWORK = "/learn?view=glossary&word=subject"


def models(explore: Explore, **options: object) -> Page:
    page = explore("/models", stand=False, **options).page
    expect(page.get_by_role("button", name=HELP)).to_be_visible()
    return page


def expect_word(opened: Page) -> None:
    assert opened.url.endswith(NETWORK)
    expect(opened.get_by_text("The word you asked for")).to_be_visible()
    expect(opened.locator("h2").first).to_have_text("Network")
    opened.close()


def test_a_help_leads_to_its_word_by_mouse_and_by_key(explore: Explore) -> None:
    page = models(explore)
    page.get_by_role("button", name=HELP).hover()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Glossary: Network").click()
    expect_word(opened.value)
    page.mouse.move(0, 0)
    expect(page.get_by_role("link", name="Glossary: Network")).to_have_count(0)
    page.bring_to_front()
    page.get_by_role("combobox", name="Look into").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name=HELP)).to_be_focused()
    expect(page.get_by_role("link", name="Glossary: Network")).to_be_visible()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect_word(opened.value)


def test_a_help_leads_to_its_word_by_finger(explore: Explore) -> None:
    page = models(explore, viewport=PHONE, has_touch=True, is_mobile=True)
    page.get_by_role("button", name=HELP).tap()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Glossary: Network").tap()
    expect_word(opened.value)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_glossary_fits_and_can_be_read_by_everybody(explore: Explore, size: dict[str, int]) -> None:
    visit = explore("/learn?view=glossary&word=sparcity", stand=False, viewport=size)
    page = visit.page
    expect(page.get_by_text("The glossary has no word “sparcity”")).to_be_visible()
    page.get_by_role("alert").get_by_role("link", name="Sparsity").click()
    expect(page.get_by_role("heading", name="Sparsity", exact=True)).to_be_in_viewport()
    assert violations(visit) == []
    assert page.evaluate(TOO_WIDE) == []
    page.get_by_role("textbox", name="Search the glossary").fill("2:4")
    page.keyboard.press("Enter")
    expect(page.locator("h2").first).to_have_text("N of every M")
    assert violations(visit) == []
