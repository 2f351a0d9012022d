"""On a phone one button leads to pages and controls: every page says so, and what it opens never stays in the way."""

from collections.abc import Callable
from itertools import pairwise

from playwright.sync_api import Page, expect

from tests.browser.explore_page import ExplorePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, violations

Explore = Callable[..., ExplorePage]

CLOSE = "Back to the page"
LINKS = {"/": "Explore", "/compare": "Compare", "/models": "Models", "/learn": "Learn"}
HEADINGS = {"/": "Explore", "/compare": "Compare", "/models": "Models", "/learn": "1. A mask"}

OPEN = {"/": "Network and method", "/compare": "Network and method", "/models": "Pages", "/learn": "Pages"}

# As it is painted: the words of a button stand in a rule of style, and count only where they take up room
WRITTEN = """e => { const { content } = getComputedStyle(e, '::after');
  return e.getBoundingClientRect().width > 80 && e.scrollWidth <= e.clientWidth ? JSON.parse(content) : '' }"""


def closed(page: Page, path: str) -> None:
    """The page can be seen and touched, and the button is on it."""
    title = page.get_by_role("heading", name=HEADINGS[path], exact=True)
    expect(title).to_be_attached()
    # Explore's title is there for those who do not see it
    first = page.get_by_text("Pick network and layers.") if path == "/" else title
    first.click()  # nothing covers it
    button = page.get_by_role("button", name=OPEN[path], exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    assert button.evaluate(WRITTEN) == OPEN[path]
    expect(page.get_by_role("link", name="Compare")).not_to_be_in_viewport()


def test_the_button_says_what_is_behind_it_and_what_it_opened_is_closed_again(explore: Explore) -> None:
    visit = explore(stand=False, viewport=PHONE)
    page = visit.page
    for path, goal in pairwise([*HEADINGS, "/"]):
        closed(page, path)
        page.get_by_role("button", name=OPEN[path], exact=True).click()
        back = page.get_by_role("button", name=CLOSE, exact=True)
        expect(back).to_be_in_viewport(ratio=1)
        assert back.evaluate(WRITTEN) == CLOSE
        for link in LINKS.values():
            expect(page.get_by_role("link", name=link, exact=True)).to_be_in_viewport()
        if path in ("/", "/compare"):
            expect(page.get_by_role("combobox", name="Network")).to_be_in_viewport()
        assert violations(visit, "[data-testid=stSidebar]") == []
        page.reload()  # a browser would remember that it was open
        closed(page, path)
        page.get_by_role("button", name=OPEN[path], exact=True).click()
        back.click()
        closed(page, path)
        page.get_by_role("button", name=OPEN[path], exact=True).click()
        page.get_by_role("link", name=LINKS[goal], exact=True).click()
    closed(page, "/")


def test_on_a_wide_page_the_button_is_streamlits_own(explore: Explore) -> None:
    page = explore(viewport=DESKTOP).page
    expect(page.get_by_role("link", name="Compare")).to_be_in_viewport()
    expect(page.get_by_role("button", name=CLOSE)).to_have_count(0)
    assert page.get_by_test_id("stSidebarCollapseButton").locator("button").evaluate(
        "e => getComputedStyle(e, '::after').content"
    ) in ("none", "normal")
