"""The Explore page stays where it is, fits its window and can be read by everybody."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TABS = ["Outputs", "Drift by layer", "By class", "Numbers", "Code and recipe"]

# Every place at which a part of the page stood in any frame; parts are named, as charts are drawn anew by each run
WATCH = r"""() => {
  const places = {}, shifts = [];
  const all = selector => [...document.querySelectorAll(selector)];
  const roots = [document, ...all('*').map(e => e.shadowRoot).filter(Boolean)];
  const named = () => [
    ...all('[class*=st-key-]').map(e => [/st-key-\S+/.exec(e.className)[0], e]),
    ...roots.flatMap(r => [...r.querySelectorAll('.key-figures .figure > *')]).map((e, i) => [`figure ${i}`, e]),
    ...roots.flatMap(r => [...r.querySelectorAll('.live-mask .pane, .live-mask .chart, .live-mask .bar')])
      .map((e, i) => [`live mask ${i}`, e]),
    ...all('[role=tabpanel] [data-testid=stElementContainer]').map((e, i) => [`tab ${i}`, e]),
  ];
  const [main, side] = [...all('[data-testid=stMain]'), ...all('[data-testid=stSidebarContent]')];
  let on = true;
  const look = () => {
    const add = (name, place) => (places[name] ??= new Set()).add(place);
    for (const [name, e] of named()) {
      const { x, y, width, height } = e.getBoundingClientRect();
      if (width || height) add(name, [x, y, width, height].map(v => Math.round(v)).join(' '));
    }
    add('scroll', `${main.scrollTop} ${side?.scrollTop}`);
    if (on) requestAnimationFrame(look);
  };
  look();
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) for (const { node } of entry.sources)
      // a slider's thumb moves, that is what it is for
      if (node && !(node.closest ? node : node.parentElement).closest('[data-testid=stSlider]'))
        shifts.push((node.outerHTML ?? node.textContent).slice(0, 200));
  });
  observer.observe({ type: 'layout-shift' });
  window.endWatch = () => {
    on = false;
    observer.disconnect();
    return { shifts, moved: Object.fromEntries(
      Object.entries(places).filter(([, at]) => at.size > 1).map(([name, at]) => [name, [...at]])),
      watched: Object.keys(places).length };
  };
}"""

# What reaches beyond the window and is not inside a part that scrolls by itself, shadow roots included
TOO_WIDE = """() => {
  const found = [];
  const visit = root => { for (const e of root.querySelectorAll('*')) {
    if (e.shadowRoot) visit(e.shadowRoot);
    const box = e.getBoundingClientRect();
    if (box.width && box.right > innerWidth + 1 && !scrolls(e)) found.push(e.outerHTML.slice(0, 160));
  } };
  const scrolls = e => { for (let at = e.parentElement ?? e.getRootNode().host; at && at.dataset.testid !== 'stMain';
      at = at.parentElement ?? at.getRootNode().host)
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX)
      && at.getBoundingClientRect().right <= innerWidth + 1) return true; };
  visit(document);
  const main = document.querySelector('[data-testid=stMain]');
  if (document.documentElement.scrollWidth > innerWidth) found.push('the document scrolls sideways');
  if (main.scrollWidth > main.clientWidth) found.push('the page scrolls sideways');
  return found;
}"""


def violations(visit: ExplorePage, part: str | None = None) -> list[str]:
    """Serious and critical findings of axe-core, on the whole page or a part of it."""
    context: Any = {"include": [[part]]} if part else None
    found = Axe().run(visit.page, context=context, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node['html'][:120]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_release_moves_scrolls_and_closes_nothing(explore: Explore, viewport: dict[str, int]) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.2", viewport=viewport)
    if viewport is DESKTOP:
        visit.unfold("Amounts per layer")
        expect(
            visit.page.get_by_test_id("stSidebar").get_by_test_id("stDataFrame").locator("canvas").first
        ).to_be_visible()
    for tab in ("Outputs", "By class"):
        visit.open_tab(tab)
        visit.drag_to(20.5)
        visit.let_go()
        visit.drag_to(70)
        visit.next_frame()
        visit.page.evaluate(WATCH)
        visit.let_go()
        visit.next_frame()
        seen = visit.page.evaluate("endWatch()")
        assert seen["watched"] > 15
        assert (tab, seen["moved"], seen["shifts"]) == (tab, {}, [])
        assert visit.page.get_by_role("tab", selected=True).inner_text() == tab
    if viewport is DESKTOP:
        expect(visit.page.locator("details[open] > summary", has_text="Amounts per layer")).to_be_visible()


def test_release_that_empties_layers_moves_nothing(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&scope=global&amount=0.5")
    visit.drag_to(100)
    visit.page.evaluate(WATCH)
    visit.let_go()
    visit.next_frame()
    seen = visit.page.evaluate("endWatch()")
    assert (seen["moved"], seen["shifts"]) == ({}, [])


def test_release_of_one_layers_own_amount_moves_nothing(explore: Explore) -> None:
    """Another curve is computed then: its place is kept while it has no points yet."""
    visit = explore("/?subject=digits-cnn&amount=0.2&layer=fc.weight&layer_amount=fc.weight=0.4")
    visit.drag_to(63)
    visit.next_frame()
    visit.page.evaluate(WATCH)
    visit.page.mouse.up()
    visit.address_has("layer_amount=fc.weight%3D0.6")
    visit.stand()
    visit.next_frame()
    seen = visit.page.evaluate("endWatch()")
    assert seen["moved"] == {}
    assert seen["shifts"] == []


@pytest.mark.parametrize(
    ("viewport", "scheme", "other"), [(DESKTOP, "light", "dark"), (PHONE, "dark", "light")], ids=["desktop", "phone"]
)
def test_every_tab_fits_and_passes_axe(
    explore: Explore, viewport: dict[str, int], scheme: str, other: Literal["dark", "light"]
) -> None:
    visit = explore(viewport=viewport, color_scheme=scheme)
    found = violations(visit)
    for tab in TABS:
        if tab != "Outputs":
            visit.open_tab(tab)
            found += violations(visit, "[data-testid=stTabs]")
        assert visit.page.evaluate(TOO_WIDE) == [], tab
    if viewport is PHONE:
        visit.page.get_by_test_id("stExpandSidebarButton").click()
        expect(visit.page.get_by_role("combobox", name="Network")).to_be_in_viewport()
    visit.unfold("Amounts per layer")
    visit.unfold("Schedule, cap, seed")
    expect(visit.page.get_by_role("spinbutton", name="Seed")).to_be_visible()
    found += violations(visit, "[data-testid=stSidebar]")
    assert visit.page.evaluate(TOO_WIDE) == [], "sidebar"
    visit.criterion_button.click()
    expect(visit.criteria.get_by_test_id("stFileUploader")).to_be_attached()
    found += violations(visit, "[data-testid=stPopoverBody]")
    assert visit.page.evaluate(TOO_WIDE) == [], "criteria"
    visit.page.keyboard.press("Escape")
    expect(visit.criteria).to_have_count(0)
    visit.turn(other)
    visit.stand()
    found += violations(visit)
    assert not found, "\n".join(found)


def test_the_cliff_can_be_cancelled_and_nothing_moves(explore: Explore) -> None:
    # In fifty steps to each amount it takes long
    visit = explore("/?subject=digits-vit&criterion=synflow&schedule=linear%3Asteps%3D50", stand=False)
    visit.stand(cliff=False)
    box = visit.page.locator(".st-key-cliff_progress")
    below = visit.page.locator(".st-key-layer_list")
    before = below.bounding_box()
    box.get_by_role("button", name="Cancel").click()
    expect(box.get_by_text("Cancelled at")).to_be_visible()
    assert below.bounding_box() == before
    # Another amount is on the same curve, and does not begin it again
    visit.hand.press("ArrowRight")
    visit.follows("50.1 %")
    expect(box.get_by_text("Cancelled at")).to_be_visible()
    box.get_by_role("button", name="Measure the rest").click()
    expect(box.get_by_role("button", name="Cancel")).to_be_visible()
    expect(box.get_by_test_id("stProgress")).to_be_visible()
    assert below.bounding_box() == before
    box.get_by_role("button", name="Cancel").click()  # no other test shall wait behind it
    expect(box.get_by_text("Cancelled at")).to_be_visible()
