"""The browser's way back and forward leads where one was, on every page."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.compare_page import ComparePage
from tests.browser.conftest import wait_until_settled
from tests.browser.explore_page import ExplorePage
from tests.browser.quick_hands import amounts, rest

Explore = Callable[..., ExplorePage]


def test_explore_goes_back_and_forward_as_it_stood(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    page = visit.page
    visit.hand.press("End")
    visit.follows("100.0 %")
    visit.choose("Scope", "Global")
    visit.address_has("scope=global")
    visit.stand()
    visit.click_bar("fc2.weight")
    visit.address_has("layer=fc2.weight")
    stood = [(page.url, amounts(visit))]
    for checked in ("Global", "Layer", "Layer"):
        page.go_back()
        expect(page.get_by_role("radiogroup", name="Scope").get_by_role("radio", name=checked)).to_be_checked()
        rest(visit)
        stood.append((page.url, amounts(visit)))
    assert page.url.endswith("/?subject=tutorial-mlp&amount=0.2")
    assert set(stood[-1][1].values()) == {"20.0"}
    assert [set(shown.values()) for _, shown in stood[:3]] == [{"100.0"}] * 3
    for url, shown in reversed(stood[:-1]):
        page.go_forward()
        rest(visit)
        assert (page.url, amounts(visit)) == (url, shown)
    assert visit.open_layer == "fc2.weight"


def test_each_page_is_one_step_of_the_way_back(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    page = visit.page
    ways = {"Learn": "lesson=a-mask", "Models": "model=tutorial-mlp", "Compare": "recipe=amount%3D0.2"}
    for name, part in ways.items():
        page.get_by_role("link", name=name, exact=True).click()
        visit.address_has(part)
        wait_until_settled(page)
    for part in ("model=tutorial-mlp", "lesson=a-mask", "/?subject=tutorial-mlp&amount=0.2"):
        page.go_back()
        visit.address_has(part)
        wait_until_settled(page)
    visit.stand()
    assert set(amounts(visit).values()) == {"20.0"}


def test_compare_goes_back(comparison: Callable[..., ComparePage]) -> None:
    visit = comparison("/compare?subject=tutorial-mlp&recipe=amount%3D0.2&recipe=amount%3D0.4")
    box = visit.box
    assert box.input_value() == ""
    visit.set_amount_of_all("80")
    visit.address_has("recipe=amount%3D0.8&recipe=amount%3D0.8")
    visit.stand()
    visit.page.go_back()
    expect(box).to_have_value("")
    visit.stand()
    visit.address_has("recipe=amount%3D0.2&recipe=amount%3D0.4")
    expect(visit.amount_of("A")).to_have_value("20.0")


def test_models_goes_back(explore: Explore) -> None:
    visit = explore("/models?model=digits-mlp", stand=False)
    page = visit.page
    choice = page.get_by_role("combobox", name="Look into")
    expect(choice).to_have_value("digits-mlp")
    choice.click()
    page.get_by_role("option", name="digits-gru", exact=True).click()
    visit.address_has("model=digits-gru")
    wait_until_settled(page)
    page.go_back()
    expect(choice).to_have_value("digits-mlp")
    visit.address_has("model=digits-mlp")
