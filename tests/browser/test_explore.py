"""The way a person goes on the Explore page, in a real Chromium."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from pruning_explorer import Recipe, load_subject, most_within
from tests.browser.explore_page import ExplorePage

Explore = Callable[..., ExplorePage]

FIGURES = ["Sparsity", "Parameters", "Accuracy", "Drift, nats", "Multiply-adds"]


def stands_at(visit: ExplorePage) -> float:
    """The percent at which the handle is drawn, between the curve's ends."""
    script = """curve => {
        const [area, stand] = ['.area', '.stand'].map(part => curve.querySelector(part).getBoundingClientRect());
        return 100 * (stand.x + 1 - area.x) / area.width;
    }"""
    return float(visit.curve.evaluate(script))


def test_first_page_stands_complete(explore: Explore) -> None:
    visit = explore()
    figures = visit.figures()
    assert list(figures) == FIGURES
    assert figures["Sparsity"] == ("50.0 %", "requested 50.0 %")
    assert visit.marker() == "50.0 %"
    assert abs(stands_at(visit) - 50) < 0.3
    assert list(visit.bars()) == [
        "conv1.weight",
        "block1.conv1.weight",
        "block1.conv2.weight",
        "block1.shortcut.weight",
        "block2.conv1.weight",
        "block2.conv2.weight",
        "fc.weight",
    ]
    assert set(visit.bars().values()) == {50.0}
    assert visit.open_layer == "block1.conv2.weight"  # 32 x 32 x 3 x 3: one of the two largest, and the first
    assert visit.live_kept == "Kept 4,608 of 9,216 weights"
    assert visit.panel.get_by_text("⇄ flipped").first.is_visible()
    visit.address_has("?subject=digits-cnn")


def test_mask_follows_the_pointer_and_the_page_follows_the_release(explore: Explore) -> None:
    visit = explore()
    before = visit.shown()
    visit.drag_to(80)
    during = visit.shown()
    assert float(during["live"][1].removesuffix(" %")) > 79
    assert before["live"][3] != during["live"][3]
    assert stands_at(visit) > 79
    assert {part for part in before if before[part] != during[part]} == {"live", "bars", "figures"}
    assert visit.hand.get_attribute("aria-valuenow") == during["live"][1].removesuffix(" %").removesuffix(".0")

    percent = visit.let_go()
    after = visit.shown()
    assert after["live"] == during["live"]
    assert after["figures"]["Sparsity"][1] == f"requested {percent:.1f} %"
    assert {label for label in FIGURES if before["figures"][label] != after["figures"][label]} == set(FIGURES)
    assert after["marker"] == f"{percent:.1f} %"
    # one layer's weights are too few to hit the amount closely
    assert all(abs(removed - percent) < 1 for removed in after["bars"].values())
    assert before["panel"] != after["panel"]
    visit.address_has(f"amount={percent / 100:.3f}".rstrip("0"))


def test_curve_and_box_go_by_keyboard(explore: Explore) -> None:
    visit = explore()
    slider = visit.hand
    slider.focus()
    slider.press("ArrowRight")
    visit.follows("50.1 %")
    expect(slider).to_be_focused()
    slider.press("Shift+ArrowLeft")
    visit.follows("49.1 %")
    slider.press("PageUp")
    visit.follows("59.1 %")
    slider.press("End")
    visit.follows("100.0 %")
    expect(visit.page.locator(".live-mask .kept")).to_have_text("Kept 0 of 9,216 weights")

    box = visit.box
    box.fill("12.5")
    box.press("Enter")
    visit.follows("12.5 %")
    expect(visit.page.locator(".live-mask .amount")).to_have_text("12.5 %")
    expect(slider).to_have_attribute("aria-valuenow", "12.5")
    visit.address_has("amount=0.125")


def test_click_on_a_bar_opens_its_layer(explore: Explore) -> None:
    visit = explore()
    visit.click_bar("fc.weight")
    assert visit.live_kept == "Kept 160 of 320 weights"  # 10 x 32
    visit.address_has("layer=fc.weight")
    visit.drag_to(70)
    visit.let_go()
    assert visit.open_layer == "fc.weight"


def test_zoom_survives_every_release(explore: Explore) -> None:
    visit = explore()
    for _ in range(2):
        visit.page.locator("[data-zoom=in]").click()
    visit.next_frame()
    zoomed = visit.region
    assert zoomed == "rows 36–59, columns 36–59"
    for percent in (20, 90):
        visit.drag_to(percent)
        visit.let_go()
        assert visit.region == zoomed
    # and where the amount is set elsewhere
    visit.hand.press("Home")
    visit.follows("0.0 %")
    assert visit.region == zoomed


def test_address_opens_the_same_page_in_another_browser(explore: Explore) -> None:
    sender = explore()
    sender.choose_network("digits-mlp")
    sender.choose("Scope", "Global")
    sender.address_has("scope=global")
    sender.unfold("Amounts per layer")
    sender.type_layer_amount(0, "12.3")
    sender.address_has("layer_amount=")
    sender.stand()
    sender.click_bar("fc2.weight")
    sender.drag_to(65)
    sender.let_go()
    sent = sender.shown()

    receiver = explore(sender.page.url.removeprefix(sender.base_url), browser="second")
    assert receiver.shown() == sent
    assert receiver.open_layer == "fc2.weight"
    assert receiver.page.url == sender.page.url
    assert receiver.recipe() == sender.recipe()


def test_broken_address_is_told_and_all_else_in_it_is_shown(explore: Explore) -> None:
    visit = explore("/?subject=digits-mlp&amount=1.7&scope=global&layer=nowhere.weight&colour=red")
    alert = visit.page.get_by_test_id("stAlert")
    for part in ("amount 1.7 is outside [0, 1]", "nowhere.weight", "colour"):
        expect(alert).to_contain_text(part)
    assert visit.recipe()["scope"] == "global"
    assert visit.marker() == "50.0 %"
    expect(visit.page).to_have_url(f"{visit.base_url}/?subject=digits-mlp&scope=global")
    visit.page.get_by_role("button", name="Got it").click()
    expect(alert).to_have_count(0)


def test_recipe_goes_from_one_session_into_another(explore: Explore) -> None:
    sender = explore("/?subject=digits-cnn&granularity=channel:dim=0,n=2&amount=0.3&layer_amount=fc.weight=0.1")
    sender.open_tab("Code and recipe")
    name, text = sender.download("Download recipe")
    assert re.fullmatch(r"digits-cnn-[0-9a-f]+\.json", name)

    receiver = explore("/?subject=digits-cnn&amount=0.9&scope=global")
    receiver.open_tab("Code and recipe")
    receiver.upload(name, text)
    receiver.follows("30.0 %")
    assert receiver.page.get_by_role("tab", selected=True).inner_text() == "Code and recipe"
    assert (receiver.figures(), receiver.bars()) == (sender.figures(), sender.bars())
    assert json.loads(receiver.download("Download recipe")[1]) == json.loads(text)
    assert receiver.page.url == sender.page.url


def test_upload_that_is_no_recipe_is_refused_and_changes_nothing(explore: Explore) -> None:
    visit = explore()
    visit.open_tab("Code and recipe")
    before = visit.figures()
    visit.upload("broken.json", '{"amount": 7}')
    expect(visit.page.get_by_test_id("stAlert")).to_contain_text("amount 7")
    visit.stand()
    assert visit.figures() == before


def test_script_is_the_recipe_in_torch(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&amount=0.35")
    visit.open_tab("Code and recipe")
    name, script = visit.download("Download script")
    assert re.fullmatch(r"digits-cnn-[0-9a-f]+\.py", name)
    assert "prune.l1_unstructured(model.get_submodule(path), name, amount=0.35)" in script
    compile(script, name, "exec")
    assert visit.panel.get_by_test_id("stCode").first.inner_text().split() == script.split()


def test_tabs_hold_what_they_are_named_for_and_only_the_open_one_is_filled(explore: Explore) -> None:
    visit = explore()
    inside = {
        "Outputs": ".px-card",
        "Drift by layer": ".st-key-layer_drift .main-svg",
        "By class": ".st-key-class_quality .main-svg",
        "Numbers": "[data-testid=stDataFrame]",
        "Code and recipe": '[data-testid=stCode]:has-text("from torch.nn.utils import prune")',
        "Save": ".st-key-save_what",
    }
    assert visit.page.get_by_role("tab").all_inner_texts() == list(inside)
    for name, selector in inside.items():
        visit.open_tab(name)
        expect(visit.panel.locator(selector).first).to_be_visible()
        for other in inside.values():
            if other != selector:
                expect(visit.page.get_by_role("tabpanel").locator(other)).to_have_count(0)


def test_criterion_is_chosen_by_keyboard(explore: Explore) -> None:
    visit = explore("/?subject=tutorial-mlp")
    visit.criterion_button.press("Enter")
    first, second = (visit.page.get_by_role("button", name=name, exact=True) for name in ("Magnitude", "Random"))
    expect(first).to_be_focused()
    expect(visit.page.get_by_role("button", name="Gradient × weight")).to_be_disabled()
    visit.page.keyboard.press("Escape")
    expect(visit.criteria).to_have_count(0)
    expect(visit.criterion_button).to_be_focused()

    visit.stand()
    visit.page.keyboard.press("Enter")
    expect(first).to_be_focused()
    expect(visit.criteria.get_by_role("link", name="arXiv 1506.02626")).to_be_visible()
    for _ in range(2):  # past the link to the first one's paper
        visit.page.keyboard.press("Tab")
    expect(second).to_be_focused()
    visit.page.keyboard.press("Enter")
    visit.address_has("criterion=random")
    expect(visit.criteria).to_have_count(0)
    expect(visit.criterion_button).to_have_text(re.compile("Criterion: Random"))
    expect(visit.criterion_button).to_be_focused()
    visit.stand()


def test_mask_from_a_file_is_the_mask_that_is_shown(explore: Explore, tmp_path: Path) -> None:
    keep = np.ones((4, 5), bool)
    keep[1, 2] = keep[3, 0] = keep[3, 4] = False
    np.savez(tmp_path / "keep.npz", **{"fc1.weight": keep})
    visit = explore("/?subject=tutorial-mlp&amount=0.2")
    visit.criterion_button.click()
    visit.choose("The file holds", "Own mask")
    visit.stand()
    visit.criteria.locator("input[type=file]").set_input_files(tmp_path / "keep.npz")
    visit.follows("100.0 %")
    assert visit.live_kept == "Kept 17 of 20 weights"
    expect(visit.page.locator(".key-figures .below").first).to_have_text("requested 100.0 %")
    assert visit.figures()["Sparsity"] == ("15.0 %", "requested 100.0 %")
    expect(visit.criterion_button).to_have_text(re.compile("Criterion: Own mask"))


def test_amount_typed_in_the_table_holds_for_its_layer_alone(explore: Explore) -> None:
    visit = explore()
    visit.unfold("Amounts per layer")
    visit.type_layer_amount(6, "20")
    way_back = visit.page.get_by_role("button", name="Back to the default: one amount for all")
    expect(way_back).to_be_visible()
    visit.address_has("layer_amount=fc.weight")
    visit.stand(cliff=False)
    assert visit.bars()["fc.weight"] == 20
    assert {removed for name, removed in visit.bars().items() if name != "fc.weight"} == {50.0}

    # the layer's own slider now moves that layer alone
    visit.click_bar("fc.weight")
    assert visit.live_amount == "20.0 %"
    visit.drag_to(60)
    percent = visit.live_amount.removesuffix(" %")
    visit.page.mouse.up()
    visit.address_has(f"layer_amount=fc.weight%3D{float(percent) / 100:.3f}".rstrip("0"))
    visit.stand(cliff=False)
    assert abs(visit.bars()["fc.weight"] - float(percent)) < 0.4
    assert visit.marker() == "50.0 %"

    way_back.click()
    expect(way_back).to_have_count(0)
    visit.stand(cliff=False)
    assert set(visit.bars().values()) == {50.0}


def test_every_network_can_be_picked(explore: Explore) -> None:
    visit = explore()
    outputs = {
        "tutorial-mlp": "",
        "spirals-mlp": ".st-key-sample_points .main-svg",
        "digits-mlp": ".px-card",
        "digits-gru": ".px-card",
        "adder-transformer": ".px-card",
    }
    for name, selector in outputs.items():
        visit.choose_network(name)
        assert visit.figures()["Sparsity"][1].startswith("requested 50.")
        assert visit.open_layer in visit.bars()
        if selector:
            expect(visit.panel.locator(selector).first).to_be_visible()
    assert visit.figures()["Exact match"]


def test_the_decision_is_said_and_one_goes_there(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn&scope=global&amount=0.2")
    found = most_within(load_subject("digits-cnn"), Recipe(scope="global"), 1.0)
    assert found.amount is not None
    percent = f"{100 * found.amount:.1f} %"
    said = visit.page.locator(".st-key-decision_line")
    expect(said).to_contain_text(f"points of accuracy: {percent} costs {found.cost:.2g}")
    said.get_by_test_id("stTooltipIcon").filter(visible=True).first.hover()
    expect(visit.page.get_by_test_id("stTooltipContent")).to_contain_text(
        f"{percent} can go for at most 1 point of accuracy: there"
    )
    visit.page.get_by_role("button", name="Set it").click()
    visit.address_has(f"amount={found.amount}")
    visit.stand()
    assert visit.marker() == percent
    assert abs(stands_at(visit) - 100 * found.amount) < 0.3
