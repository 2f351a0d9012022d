"""Hands that are quicker than the page, in a real Chromium."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.explore_page import ExplorePage
from tests.browser.quick_hands import control, press_twice

Explore = Callable[..., ExplorePage]

# What the server says reaches the page ``late`` milliseconds after it came
LATE = """window.late = 0;
window.WebSocket = class extends WebSocket {
  addEventListener(kind, listener, ...all) {
    const queue = [];  // timers may overtake one another, what they bring may not
    const later = event => { queue.push(event); setTimeout(() => listener(queue.shift()), window.late) };
    super.addEventListener(kind, kind === 'message' ? later : listener, ...all);
  }
};"""


def test_two_quick_keys_both_count(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    for first, second in (("curve", "curve"), ("box", "box"), ("curve", "box")):
        for gap in (120, 320, 450):  # the first comes before Python hears of anything, the others while it runs
            found = press_twice(visit, first, second, gap)
            assert not found.wrong, found
        expect(control(visit, second)).to_be_focused()


def test_a_click_straight_after_a_way_back_counts_as_well_as_it(visits: Explore) -> None:
    """What comes from the server is held back, so that the hand is surely the quicker one."""
    visit = visits("/_stcore/health")
    visit.page.add_init_script(LATE)
    visit.page.goto(f"{visit.base_url}/?subject=tutorial-mlp&scope=global&granularity=block&seed=3")
    visit.stand()
    sidebar = visit.page.get_by_test_id("stSidebar")
    visit.page.evaluate("window.late = 1000")
    sidebar.get_by_role("button", name="Back to the default: Each layer").click()
    sidebar.get_by_role("button", name="Back to the default: Single weights").click()
    sidebar.get_by_text("Schedule, cap, seed").click()
    expect(sidebar.get_by_role("spinbutton", name="Seed")).to_have_value("3")
    visit.page.evaluate("window.late = 0")
    visit.stand(cliff=False)
    expect(sidebar.get_by_role("radio", name="Layer")).to_be_checked()
    assert "granularity" not in visit.page.url
    assert "scope" not in visit.page.url


def test_a_drag_moves_the_box_and_the_open_layer_along(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    visit.drag_to(80)
    assert float(control(visit, "box").input_value()) > 79
    percent = visit.let_go()
    visit.hand.press("Home")
    expect(visit.page.locator(".live-mask .amount")).to_have_text("0.0 %")
    assert percent > 79
    visit.follows("0.0 %")


def test_what_is_no_amount_is_told_and_changes_nothing(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    box = control(visit, "box")
    for text, words in (("130", "130 is not between 0 and 100"), ("many", "“many” is no number"), ("", "Nothing is")):
        box.fill(text)
        box.press("Enter")
        expect(visit.page.locator(".amount-curve .problem")).to_contain_text(words)
        expect(box).to_have_value(text)
    box.fill("33,33 %")
    box.press("Enter")
    visit.follows("33.3 %")
    expect(box).to_have_value("33.3")
    expect(visit.page.locator(".amount-curve .problem")).to_be_hidden()
