"""The list of layers: all masks at a glance, alive under the hand, and the way to one of them."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from pruning_explorer import Recipe, load_subject
from pruning_explorer.prune.engine import masks_at
from tests.browser.conftest import Js
from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]
MODEL = "layer_list/js/model.js"


def sparsities(name: str, recipe: Recipe, amount: float) -> dict[str, float]:
    (masks,) = masks_at(load_subject(name), recipe, [amount])
    return {t.name: 100 * (1 - masks.kept(t.name) / t.numel) for t in masks.targets}


def test_rows_follow_the_hand_and_are_those_of_the_masks(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&scope=global&amount=0.3")
    before = visit.page.locator(".layer-list canvas").nth(1).evaluate("c => c.toDataURL()")
    for percent in (55, 96.5):
        visit.drag_to(percent)
        visit.next_frame()
        at = float(visit.live_amount.removesuffix(" %")) / 100
        shown = visit.bars()
        for layer, removed in sparsities("digits-cnn", Recipe(scope="global"), at).items():
            assert shown[layer] == pytest.approx(removed, abs=0.051), layer
    assert visit.page.locator(".layer-list canvas").nth(1).evaluate("c => c.toDataURL()") != before
    visit.let_go()


def test_a_layer_that_loses_everything_lights_up_while_one_drags(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&scope=global&amount=0.3")
    empty = visit.page.locator(".layer-list .row.empty")
    assert empty.count() == 0
    visit.drag_to(99.9)
    visit.next_frame()
    assert empty.count() >= 1
    assert "layer collapse" in (empty.first.get_attribute("aria-label") or "")
    assert "empty" in empty.first.inner_text()
    visit.let_go()


def test_keys_walk_the_layers_and_open_one(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.5")
    listbox = visit.page.get_by_role("listbox", name="Layers")
    listbox.focus()
    listbox.press("End")
    listbox.press("Enter")
    expect(visit.page.locator(".live-mask .title")).to_have_text("fc.weight")
    visit.address_has("layer=fc.weight")
    listbox.press("Home")
    listbox.press("ArrowDown")
    assert visit.page.locator(".layer-list .row.active").get_attribute("title") == "block1.conv1.weight"
    listbox.press("f")
    expect(visit.page.locator(".layer-list .row.active")).to_have_attribute("title", "fc.weight")
    visit.stand()


def test_of_many_layers_those_in_sight_are_drawn(js: Js) -> None:
    assert js(MODEL, "m.inSight(0, 390, 74)") == [0, 10]
    assert js(MODEL, "m.inSight(2000, 390, 74)") == [44, 56]
    assert js(MODEL, "m.inSight(2866, 390, 74)")[1] == 74


@pytest.mark.parametrize(
    ("kept", "text"),
    [(1000, "0.0 %"), (500, "50.0 %"), (0, "⚠ empty"), (999.9, "< 0.1 %"), (0.3, "> 99.9 %"), (377, "62.3 %")],
)
def test_what_is_gone_is_never_rounded_to_all_or_nothing(js: Js, kept: float, text: str) -> None:
    counts: dict[str, Any] = {"header": {"weights": [7, 1000]}, "kept": [7] * 1001 + [kept] * 1001}
    assert js(MODEL, "m.keptAt(x, 1, 400).text", counts) == text


def test_between_two_stops_a_block_is_on_the_line(js: Js) -> None:
    picture = {"rows": 1, "cols": 2, "from": 3, "in": "gone"}
    thumbnails = {"header": {"stops": 3}, "gone": [9, 9, 9, 0, 0, 100, 40, 255, 255]}
    code = "{ const p = [0, 0]; m.paint(p, x[0], x[1], POSITION, Array.from({length: 256}, (_, i) => i)); return p; }"
    for position, expected in ((0, [0, 0]), (250, [50, 20]), (500, [100, 40]), (750, [178, 148]), (1000, [255, 255])):
        call = f"(() => {code.replace('POSITION', str(position))})()"
        assert js(MODEL, call, [picture, thumbnails]) == expected


def test_a_weight_goes_at_its_own_position(js: Js) -> None:
    picture, thumbnails = {"rows": 2, "cols": 2, "from": 1, "in": "exits"}, {"exits": [0, 300, 301, 1001, 0]}
    paint = "m.paint(p, x[0], x[1], 300, Array.from({length: 256}, (_, i) => i))"
    code = f"(() => {{ const p = [9, 9, 9, 9]; {paint}; return p; }})()"
    assert js(MODEL, code, [picture, thumbnails]) == [255, 0, 0, 255]


@pytest.mark.parametrize(
    ("typed", "at", "found"), [("f", 0, 3), ("conv2", 0, 2), ("b", 1, 2), ("b", 2, 1), ("block1.c", 1, 1), ("x", 0, -1)]
)
def test_typing_finds_a_part_of_a_name(js: Js, typed: str, at: int, found: int) -> None:
    labels = ["stem", "block1.conv1", "block1.conv2", "fc"]
    assert js(MODEL, "m.search(x[0], x[1], x[2])", [labels, typed, at]) == found


def test_sizes_grow_with_the_weights(js: Js) -> None:
    small, half, large = js(MODEL, "m.sizes([1, 500000, 1000000])")
    assert (large["side"], large["length"]) == (38, 100)
    assert small["side"] < half["side"] < large["side"]
    assert small["length"] == pytest.approx(8, abs=0.01)
    assert half["length"] == pytest.approx(54)


def test_a_picture_of_a_sample_says_so(js: Js) -> None:
    small = {"in": "exits", "rows": 4, "cols": 5, "sampled": False}
    assert js(MODEL, "m.aboutPicture(x)", small) == "its mask, 4 × 5 weights"
    large = {"in": "gone", "rows": 20, "cols": 20, "sampled": True}
    assert js(MODEL, "m.aboutPicture(x)", large) == "its mask as 20 × 20 blocks, from a sample of its weights"


def test_above_the_list_stands_how_much_is_kept_of_all(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.25")
    total = visit.page.locator(".layer-list .total")
    assert 144 + 512 + 4608 + 3 * 9216 + 320 == 33_232
    assert 33_232 - 33_232 // 4 == 24_924
    expect(total).to_have_text("24.9 k of 33.2 k")
    visit.drag_to(100)
    expect(total).to_have_text("0 of 33.2 k")
    visit.let_go()
