"""Explore is one screen: what follows the hand stands whole in a window of ordinary size."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]

PARTS = {
    "key figures": ".key-figures .line",
    "the cliff, which is the slider": ".amount-curve .plot",
    "all layers, with masks and sparsity": ".layer-list",
    "weights": ".live-mask [data-pane=weights] canvas",
    "mask": ".live-mask [data-pane=mask] canvas",
    "what remains": ".live-mask [data-pane=remains] canvas",
    "exit amounts": ".live-mask [data-pane=exit] canvas",
    "outputs": ".output-strip",
}


@pytest.mark.parametrize("network", ["digits-cnn", "digits-vit", "adder-transformer", "tutorial-mlp"])
def test_all_that_follows_the_hand_is_whole_in_the_window(explore: Explore, network: str) -> None:
    visit = explore(f"/?subject={network}", viewport={"width": 1440, "height": 900})
    whole_in(visit, 1440, 900)
    visit.page.set_viewport_size({"width": 1280, "height": 800})
    visit.stand()
    whole_in(visit, 1280, 800)


def whole_in(visit: ExplorePage, width: int, height: int) -> None:
    assert visit.page.evaluate("[innerWidth, innerHeight]") == [width, height]
    header = visit.page.get_by_test_id("stHeader").bounding_box()
    assert header is not None
    for part, selector in PARTS.items():
        box = visit.page.locator(selector).first.bounding_box()
        assert box is not None, part
        assert box["width"] > 60, part
        assert box["height"] > 24, part
        assert box["y"] >= header["y"] + header["height"] - 1, part
        assert box["y"] + box["height"] <= height, part
        assert box["x"] + box["width"] <= width, part


def test_on_a_phone_the_slider_stays_in_sight(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn", viewport={"width": 390, "height": 844})
    for selector in (".layer-list", ".live-mask [data-pane=mask] canvas", ".live-mask [data-chart=channels] canvas"):
        visit.page.locator(selector).first.scroll_into_view_if_needed()
        expect(visit.page.locator(".amount-curve .plot")).to_be_in_viewport(ratio=1)
