"""The Compare page stays where it is, fits its window and can be read and reached by everybody."""

import random
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.compare_page import ComparePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, TOO_WIDE, WATCH, violations

Comparison = Callable[..., ComparePage]

TABS = ["Masks", "Agreement", "Sparsity by layer", "Behaviour", "Take it along"]
FOUR = (
    "/compare?subject=digits-cnn&recipe=amount%3D0.8&recipe=criterion%3Drandom%26amount%3D0.8"
    "&recipe=granularity%3Dn_m:n%253D2,m%253D4%26scope%3Drow&recipe=criterion%3Dgradient%26scope%3Dglobal"
)

# What is wider than the box that cuts it off, or runs over the edge of its card; but a name that stands below, too
CUT_OFF = """cards => cards.flatMap(card => {
  const edge = card.getBoundingClientRect().right + 1;
  return [...card.querySelectorAll('*')]
    .filter(e => e.checkVisibility() && (e.matches('input') || e.childElementCount === 0) && (e.value ?? e.textContent))
    .filter(e => (e.clientWidth && e.scrollWidth > e.clientWidth) || e.getBoundingClientRect().right > edge)
    .filter(e => !(e.value && card.textContent.includes(e.value)))
    .map(e => e.value || e.outerHTML.slice(0, 160));
})"""


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_every_tab_fits_and_passes_axe(comparison: Comparison, viewport: dict[str, int], scheme: str) -> None:
    visit = comparison(FOUR, viewport=viewport, color_scheme=scheme)
    found = violations(visit)
    for letter in "ABCD":
        assert visit.card(letter).evaluate_all(CUT_OFF) == []
    for tab in TABS:
        if tab != "Masks":
            visit.open_tab(tab)
            found += violations(visit, "[data-testid=stTabs]")
        assert visit.page.evaluate(TOO_WIDE) == [], tab
    if viewport is PHONE:
        table = visit.page.locator(".px-compare")
        assert table.evaluate("e => e.scrollWidth > e.clientWidth"), "it scrolls inside its own box"
    assert not found, "\n".join(found)


def test_curves_that_come_move_nothing(comparison: Comparison) -> None:
    # Other seeds each time: where the test is tried again, nothing of them stands either
    seeds = random.sample(range(10**6), 2)
    fresh = "&".join(f"recipe=criterion%3Drandom%26seed%3D{seed}" for seed in seeds)
    visit = comparison(f"/compare?subject=digits-vit&{fresh}", stand=False)
    expect(visit.page.locator(".st-key-comparison_curves .main-svg").first).to_be_visible()
    visit.stand(curves=False)
    progress = visit.page.locator(".st-key-curves_progress [data-testid=stProgress]")
    assert progress.is_visible()
    visit.page.evaluate(WATCH)
    visit.stand()
    expect(progress).to_have_count(0)
    visit.next_frame()
    seen = visit.page.evaluate("endWatch()")
    assert seen["watched"] > 15
    assert (seen["moved"], seen["shifts"]) == ({}, [])


def test_all_of_it_can_be_reached_by_keyboard(comparison: Comparison) -> None:
    visit = comparison(FOUR)
    visit.page.get_by_role("heading", name="Compare").click()
    reached: list[str] = []
    script = """() => { let e = document.activeElement;
      while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
      return e.getAttribute('aria-label') || e.innerText || e.closest('[role=radiogroup]')?.ariaLabel || e.tagName }"""
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        reached.append(str(visit.page.evaluate(script)).strip().splitlines()[0])
        if reached[-1] == "Masks":
            break
    wanted = [
        "Presets",
        "Amount of all",
        "Amount of all, exact, %",
        "Amount of A, %",
        "Editing",
        "More",
        "Edit",
        "More",
        "Recipes side by side, measure by measure",
    ]
    places = [next((i for i, name in enumerate(reached) if name.startswith(each)), -1) for each in wanted]
    assert -1 not in places, reached
    assert (reached.count("Edit"), reached.count("Editing"), reached.count("More")) == (3, 1, 4)
    assert {"Sparsity", "Masks"} <= set(reached), reached

    # and used: a segment by its arrows, the presets by Enter
    visit.page.get_by_role("radiogroup", name="Axis").get_by_role("radio", name="Sparsity").focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("Space")
    visit.axis_is("compression")
    visit.page.get_by_role("button", name="Presets", exact=True).focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("button", name="What torch has")).to_be_visible()


def test_of_the_samples_all_controls_fit_the_window(comparison: Comparison) -> None:
    page = comparison("/compare?subject=digits-cnn", viewport=DESKTOP, stand=False).page
    last = page.get_by_test_id("stSidebar").get_by_text("Schedule, cap, seed")
    expect(last).to_be_in_viewport(ratio=1)


def test_what_stands_in_one_card_stands_as_high_in_the_next(comparison: Comparison) -> None:
    page = comparison("/compare").page  # of two recipes, one of which has its name below its box
    tops = [page.get_by_label(f"Amount of {letter}, %", exact=True).bounding_box() for letter in "AB"]
    assert all(tops)
    assert len({box["y"] for box in tops if box}) == 1
