"""The key figures: what the browser works out by itself, and how they follow a hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from pruning_explorer import Recipe, compute_masks, load_subject
from pruning_explorer.figures.numbers import count, decimal, percent, points, short_count
from tests.browser.conftest import Js
from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]

WRITE, READING = "key_figures/js/write.js", "key_figures/js/reading.js"
PHONE = {"width": 390, "height": 844}

# Halves that a binary fraction has exactly, what rounds up to the next unit, and what no digit is left of
NUMBERS = (
    *(0.0, 0.25, 0.75, 0.125, 0.375, 2.5, 3.5, 0.0625, 0.0005, 0.9994, 0.9995, 0.99999, 1.0, 1 - 1e-13, 1e-5, 9.995),
    *(99.95, 999.5, 999.949, 999.95, 9999.0, 9999.9, 10_000.0, 12_345.0, 999_950.0, 61_706_000.0, 5e12, 3e15, 10.05),
    *np.random.default_rng(0).lognormal(0, 6, 400).tolist(),
    *(np.arange(1, 400) / 400).tolist(),
)


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("writeCount", count),
        ("writeShortCount", short_count),
        ("writePercent", percent),
        ("writePoints", points),
        ("writeDecimal", decimal),
    ],
)
def test_a_number_looks_as_python_writes_it(js: Js, name: str, python: Callable[[float | None], str]) -> None:
    numbers = [*NUMBERS, *(-number for number in NUMBERS if number)]
    assert js(WRITE, f"x.map(m.{name})", numbers) == [python(number) for number in numbers]
    assert js(WRITE, f"[m.{name}(null), m.{name}(NaN)]") == [python(None), python(math.nan)]


def test_between_two_points_a_curve_is_a_line(js: Js) -> None:
    points = [{"amount": a, "kl": kl} for a, kl in ((0.1, 1.0), (0.3, 2.0), (0.4, None), (0.5, 4.0))]
    asked = [0.0, 0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6]
    read = js(READING, "x[1].map((amount) => m.readOff(x[0], amount, 'kl'))", [points, asked])
    expected = [None, 1.0, 1.25, 1.5, 2.0, None, None, None, 4.0, None]
    assert [each if each is None else round(each, 9) for each in read] == expected
    assert js(READING, "m.readOff([], 0.5, 'kl')") is None


# Two layers: 10 weights of which 2 are zero already and go first, and 4 in another ranking that a cap halves
MOVING = """(() => {
  const kept = new Uint32Array(2002);
  const nonzero = new Uint32Array(2002);
  for (let at = 0; at < 1001; at++) {
    kept[at] = 10 - Math.round(at / 100);
    nonzero[at] = Math.min(8, kept[at]);
    kept[1001 + at] = nonzero[1001 + at] = 4 - Math.min(2, Math.round(at / 250));
  }
  const header = { weights: [10, 4], macs: [100, 40], macs_dense: 150, uncounted: [], exact: x.exact };
  const sums = m.addUp({ header, kept, nonzero_kept: nonzero });
  const curve = { points: x.points, dense_quality: 0.9 };
  const out = {};
  for (const name of ["sparsity", "parameters", "macs", "quality", "drift"]) out[name] = {};
  return m.figuresAt(x.position, x.measured, x.counted ? sums : null, x.points ? curve : null, out);
})()"""


def moving(js: Js, **asked: Any) -> dict[str, tuple[str | None, str, bool]]:
    # 20 parameters: 14 in these layers, 6 elsewhere; at 0 % 18 of them are not zero
    measured = {"amount": 0.0, "requested": 0.0, "moving": 1.0, "left": 18, "nonzero": True, "parameters": 20}
    asked = {"exact": True, "counted": True, "points": None, **asked}
    asked["measured"] = {**measured, "samples": 10, **asked.get("measured", {})}
    return {name: (each["value"], each["below"], each["read"]) for name, each in js(READING, MOVING, asked).items()}


def test_at_another_amount_counts_are_exact_and_the_rest_is_read_off(js: Js) -> None:
    curve = [
        {"amount": 0.5, "quality": 0.8, "kl": 0.5, "flipped": 2},
        {"amount": 0.7, "quality": 0.6, "kl": 1.5, "flipped": 5},
    ]
    shown = moving(js, position=600, points=curve)
    # kept 4 of 10 and 2 of 4: 8 of 14 are gone, among them 2 zeros
    assert shown["sparsity"] == (percent(8 / 14), "requested 60.0 %", False)
    assert shown["parameters"] == ("12", percent(12 / 20 - 1), False)
    assert shown["macs"] == (str(150 - 60 - 20), f"{percent(70 / 150 - 1)}, theoretical", False)
    assert shown["quality"] == ("70.0 %", "−20.0 points", True)
    assert shown["drift"] == ("1.00", "≈ 4 of 10 flip", True)
    there = moving(js, position=700, points=curve)  # where a point was measured nothing is read off
    assert there["quality"] == ("60.0 %", "−30.0 points", False)
    assert there["drift"] == ("1.50", "5 of 10 flip", False)


def test_the_way_back_from_a_measured_amount_is_exact_too(js: Js) -> None:
    # at 80 % kept are 2 and 2, none of the zeros; at 20 % 8 and 3: 7 parameters come back
    shown = moving(js, position=200, measured={"amount": 0.8, "requested": 0.7, "moving": 0.5, "left": 10})
    assert shown["parameters"][0] == "17"
    assert shown["sparsity"][1] == "requested 40.0 %"


def test_what_nothing_tells_has_no_number(js: Js) -> None:
    shown = moving(js, position=600, counted=False)
    assert {name: value for name, (value, _, _) in shown.items()} == dict.fromkeys(shown)
    assert moving(js, position=600, exact=False)["sparsity"][2]


# ---- on the page ----

POINTS = """() => globalThis.pruningExplorerStores.get("explore").messages.get("points")"""

PLACES = """root => [...root.querySelectorAll(".label, .number, .below, .ask")].map(part => {
  const [at, from] = [part, root].map(each => each.getBoundingClientRect());
  return [at.x - from.x, at.y - from.y];
})"""


def figure(visit: ExplorePage, name: str) -> Locator:
    return visit.page.locator(f".key-figures [data-figure={name}]")


def test_figures_follow_the_hand_and_are_exact_once_it_lets_go(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.2")
    before = visit.figures()
    places = visit.page.locator(".key-figures").evaluate(PLACES)
    curve = visit.page.evaluate(POINTS)
    visit.drag_to(61.2)
    visit.next_frame()
    at = float(visit.live_amount.removesuffix(" %")) / 100
    left, right = (next(p for p in curve["points"] if p["amount"] == amount) for amount in (0.6, 0.625))

    def between(name: str) -> float:
        return float(left[name] + (right[name] - left[name]) * (at - 0.6) / 0.025)

    figures = visit.figures()
    quality, drift = between("quality"), f"≈{decimal(between('kl'))}"
    assert figures["Accuracy"] == (f"≈{percent(quality)}", points(quality - curve["dense_quality"]))
    assert figures["Drift, nats"] == (drift, f"≈ {round(between('flipped'))} of 360 flip")
    for name in ("quality", "drift"):
        expect(figure(visit, name).locator(".source")).to_be_visible()
    assert visit.page.locator(".key-figures").evaluate(PLACES) == places
    expect(visit.page.locator(".key-figures .said")).to_be_empty()
    visit.let_go()
    subject = load_subject("digits-cnn")
    masks = compute_masks(subject, Recipe(amount=at))
    weights = sum(target.numel for target in masks.targets)
    achieved = percent(1 - sum(masks.kept(name) for name in masks) / weights)
    after = visit.figures()
    assert after != before
    assert figures["Sparsity"] == (achieved, f"requested {percent(at)}")
    counted = ("Sparsity", "Parameters", "Multiply-adds")
    assert {name: after[name] for name in counted} == {name: figures[name] for name in counted}
    for about in visit.page.locator(".key-figures .about").all():
        expect(about).to_be_hidden()
    assert visit.page.locator(".key-figures").evaluate(PLACES) == places
    expect(visit.page.locator(".key-figures .said")).to_contain_text(f"Sparsity {achieved}, requested {percent(at)}")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_a_help_opens_by_keyboard_and_by_click_and_leads_to_its_word(
    explore: Explore, viewport: dict[str, int] | None
) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2", **({"viewport": viewport} if viewport else {}))
    button = visit.page.get_by_role("button", name="About Drift, nats")
    button.focus()
    visit.page.keyboard.press("Enter")
    help = visit.page.get_by_role("group", name="Drift, nats")
    expect(help).to_be_visible()
    expect(help).to_contain_text("Lower is better; 0 is no drift.")
    box, size = help.bounding_box(), visit.page.viewport_size
    assert box is not None
    assert size is not None
    assert 0 <= box["x"] <= size["width"] - box["width"]
    assert Axe().run(visit.page, context={"include": [[".st-key-key_figures"]]}).violations_count == 0
    visit.page.keyboard.press("Tab")
    link = help.get_by_role("link", name="Glossary: Drift")
    expect(link).to_be_focused()
    assert link.get_attribute("href") == "learn?view=glossary&word=drift"
    visit.page.keyboard.press("Escape")
    expect(help).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    expect(help).to_be_visible()


def test_where_there_is_nothing_to_be_judged_by_a_dash_says_why(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    assert visit.figures()["Accuracy"] == ("–", "no labels")
    visit.drag_to(60)
    visit.next_frame()
    assert visit.figures()["Accuracy"] == ("–", "no labels")
