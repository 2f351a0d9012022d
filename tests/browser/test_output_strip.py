"""The strip of sample outputs follows the hand, and is exact once it lets go."""

import base64
from collections.abc import Callable

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pruning_explorer import Recipe, build_report, compute_masks, load_subject
from tests.browser.conftest import Js
from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]
MODEL = "output_strip/js/model.js"


def bits(flips: list[bool]) -> str:
    return base64.b64encode(np.packbits(flips, bitorder="little").tobytes()).decode()


def test_who_flips_is_read_bit_by_bit(js: Js) -> None:
    flips = [i in (0, 3, 8, 17) for i in range(20)]
    told = [{"amount": 0.1, "flipped": 4, "flips": bits(flips)}, {"amount": 0.3, "flipped": 9}]
    read = js(MODEL, "m.flipsOf(x).map((p) => Array.from({length: 20}, (_, i) => m.flips(p.bits, i)))", told)
    assert read == [flips]


def test_the_nearest_point_is_asked(js: Js) -> None:
    points = [{"amount": amount} for amount in (0.0, 0.5, 0.6)]
    asked = [0.0, 0.24, 0.26, 0.54, 0.56, 1.0]
    assert js(MODEL, "x[1].map((a) => m.nearest(x[0], a))", [points, asked]) == [0, 0, 1, 1, 2, 2]
    assert js(MODEL, "m.nearest([], 0.5)") == -1


def test_flipped_ones_come_first_and_all_keep_their_order(js: Js) -> None:
    order, flips = [4, 2, 5, 0, 1, 3], bits([i in (0, 3, 4) for i in range(6)])
    for most, expected in ((6, [4, 0, 3, 2, 5, 1]), (4, [4, 0, 3, 2]), (2, [4, 0])):
        assert js(MODEL, "m.flippedFirst(x[0], atob(x[1]), x[2])", [order, flips, most]) == expected


def test_long_words_widen_the_cards(js: Js) -> None:
    def width(**header: object) -> int | None:
        told = js(MODEL, "m.widthFor(x)", {"dense": ["3", "8"], "true": None, "inputs": None, "pictures": 2, **header})
        return None if told is None else int(told)

    assert width() is None
    assert width(true=["ship"]) == width(dense=["ship"]) == 56 + 116
    assert width(inputs=["902+802="], pictures=0) == 116
    assert width(dense=["a golden retriever"], pictures=0) == 176


CARDS = """cards => cards.filter(card => !card.hidden).map(card => [
  card.classList.contains("flipped"), card.querySelector(".dense").textContent,
  card.querySelector(".pruned").textContent])"""

POINTS = """() => globalThis.pruningExplorerStores.get("explore").messages.get("points").points"""


def cards(visit: ExplorePage) -> list[tuple[bool, str, str]]:
    return [tuple(each) for each in visit.page.locator(".output-strip .card").evaluate_all(CARDS)]


def expected(amount: float, most: int = 24) -> list[tuple[bool, str, str]]:
    subject = load_subject("digits-cnn")
    drift = build_report(subject, compute_masks(subject, Recipe(amount=amount))).drift
    assert drift is not None
    first = drift.sort_values(["agrees", "kl_nats"], ascending=[True, False], kind="stable").head(most)
    return [(not row.agrees, str(row.dense_top1), str(row.pruned_top1)) for row in first.itertuples()]


def test_flipped_ones_come_first_under_the_hand_and_after_it(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.3")
    strip, title = visit.page.locator(".output-strip"), visit.page.locator(".output-strip .title")
    assert cards(visit) == expected(0.3)
    box = strip.bounding_box()
    points = visit.page.evaluate(POINTS)
    visit.drag_to(61.2)
    visit.next_frame()
    near = next(each for each in points if each["amount"] == 0.6)
    expect(title).to_have_text(f"≈ {near['flipped']} of 360 flip, read off at 60.0 %")
    flips = {each[1] for each in expected(0.6, most=360) if each[0]}
    assert all(flipped and pruned == "?" for flipped, _, pruned in cards(visit))
    assert {dense for _, dense, _ in cards(visit)} <= flips
    visit.let_go()
    after = expected(float(visit.live_amount.removesuffix(" %")) / 100)
    assert cards(visit) == after
    assert title.inner_text().endswith("of 360 answers flip")
    assert box is not None
    now = strip.bounding_box()
    assert now is not None
    assert (now["width"], now["height"]) == (box["width"], box["height"])
    visit.page.get_by_role("tab", name="Numbers").click()
    visit.stand()
    visit.page.get_by_role("button", name="All outputs").click()
    expect(visit.page.get_by_role("tab", name="Outputs")).to_have_attribute("aria-selected", "true")


def test_the_strip_can_be_read_by_everybody(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.6")
    read_by_everybody(visit)
    visit.turn("dark")
    read_by_everybody(visit)
    visit.turn("light")
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.stand()
    read_by_everybody(visit)


def read_by_everybody(visit: ExplorePage) -> None:
    found = Axe().run(visit.page, context={"include": [[".st-key-output_strip"]]})
    assert found.violations_count == 0, found.generate_report()
