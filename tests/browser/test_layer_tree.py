"""The tree of layers in the sidebar, and the sidebar around it, in a real Chromium."""

import re
from collections.abc import Callable, Iterator

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from safetensors.torch import save_file

from pruning_explorer.sources.samples import sample_names
from tests.browser.conftest import Server
from tests.browser.conftest import wait_until_settled as settled
from tests.browser.explore_page import ExplorePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, TOO_WIDE, WATCH, violations

Explore = Callable[..., ExplorePage]

HOSTILE = '<img src=x onerror="document.title=1">'
COUNT = ".layer-tree .count"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a checkpoint of BERT's shape beside the samples, and a name in it that is markup."""
    folder = tmp_path_factory.mktemp("bert")
    save_file(bert(), folder / "bert.safetensors")
    server = Server("app.py", folder / "log.txt", "--subject", str(folder / "bert.safetensors"), "--name", "bert")
    yield server.url
    server.stop()
    assert "Traceback" not in server.text, server.text[-3000:]


def bert(width: int = 32) -> dict[str, torch.Tensor]:
    tensors = {f"{HOSTILE}.weight": torch.randn(2, width)}
    for i in range(12):
        block = f"encoder.layer.{i}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            tensors[f"{block}.{part}.weight"] = torch.randn(width, width)
        tensors[f"{block}.intermediate.dense.weight"] = torch.randn(4 * width, width)
        tensors[f"{block}.output.dense.weight"] = torch.randn(width, 4 * width)
        tensors[f"{block}.output.LayerNorm.weight"] = torch.ones(width)
    return tensors | {"pooler.dense.weight": torch.randn(width, width), "classifier.weight": torch.randn(2, width)}


def row(page: Page, name: str) -> Locator:
    """The row of a layer or a block, by its full name."""
    return page.get_by_role("treeitem", name=re.compile(f"^{re.escape(name)}, "))


def tick(row: Locator) -> None:
    row.locator(".check").click()


def test_a_block_goes_off_and_on_as_one_and_its_parts_by_themselves(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn", stand=False).stand(cliff=False)
    page = visit.page
    assert page.get_by_role("treeitem").count() == 9
    tick(row(page, "block1"))
    expect(page.locator(COUNT)).to_have_text("4 of 7 layers, 57 % of weights")
    for name in ("conv1", "conv2", "shortcut"):
        expect(row(page, f"block1.{name}.weight")).to_have_attribute("aria-checked", "false")
    visit.address_has("target=block2.conv1.weight&target=block2.conv2.weight&target=conv1.weight&target=fc.weight")
    visit.stand(cliff=False)
    assert list(visit.bars()) == ["conv1.weight", "block2.conv1.weight", "block2.conv2.weight", "fc.weight"]
    row(page, "block1.shortcut.weight").click()  # a layer's name is as good as its box
    expect(row(page, "block1")).to_have_attribute("aria-checked", "mixed")
    expect(row(page, "block1")).to_have_accessible_name("block1, 1 of 3, 43 % of weights")
    tick(row(page, "block1"))
    expect(page.locator(COUNT)).to_have_text("7 of 7 layers, 100 % of weights")
    expect(page.locator(".layer-list .row")).to_have_count(7)
    visit.stand(cliff=False)
    expect(page).to_have_url(re.compile(r"\?subject=digits-cnn$"))


def test_what_a_search_finds_is_chosen_together(explore: Explore) -> None:
    visit = explore("/?subject=digits-vit", stand=False).stand(cliff=False)
    page = visit.page
    search = page.get_by_role("searchbox", name="Search layers")
    search.fill("fc1 linear")
    items = page.get_by_role("treeitem")
    assert [each.get_attribute("aria-label") for each in items.all()] == [
        "blocks, 2 layers, 33 % of weights",
        "blocks.0.fc1.weight, Linear, 192×48, 16 % of weights",
        "blocks.1.fc1.weight, Linear, 192×48, 16 % of weights",
    ]
    page.get_by_role("button", name="Only 2").click()
    visit.address_has("target=blocks.0.fc1.weight&target=blocks.1.fc1.weight")
    expect(page.locator(COUNT)).to_have_text("2 of 10 layers, 33 % of weights")
    search.fill("no such layer")
    expect(page.get_by_text("No layer has that in its name or type.")).to_be_visible()
    search.press("Escape")
    expect(items).to_have_count(15)
    page.get_by_role("button", name="By type").click()
    page.get_by_role("button", name="Only Conv2d: 1 layer").click()
    visit.address_has("?subject=digits-vit&target=patches.weight")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(COUNT)).to_have_text("10 of 10 layers, 100 % of weights")
    visit.stand(cliff=False)
    expect(page).to_have_url(re.compile(r"\?subject=digits-vit$"))


def test_the_keyboard_goes_everywhere(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn", stand=False).stand(cliff=False)
    page = visit.page
    press = page.keyboard.press
    focused = page.locator("[role=treeitem]:focus")

    def stands_on(name: str) -> None:
        expect(focused).to_have_attribute("title", name)
        assert page.locator("[role=treeitem][tabindex='0']").count() == 1

    row(page, "conv1.weight").focus()
    press("ArrowDown")
    stands_on("block1")
    press("ArrowLeft")
    expect(row(page, "block1")).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("treeitem")).to_have_count(6)
    press("ArrowRight")
    press("ArrowRight")
    stands_on("block1.conv1.weight: Conv2d 32×16×3×3")
    press("ArrowLeft")
    stands_on("block1")
    press("Space")
    visit.address_has("target=fc.weight")
    stands_on("block1")
    expect(row(page, "block1")).to_have_attribute("aria-checked", "false")
    press("End")
    stands_on("fc.weight: Linear 10×32")
    press("Home")
    press("b")
    stands_on("block1")
    press("Enter")
    expect(row(page, "block1")).to_have_attribute("aria-expanded", "false")
    visit.stand(cliff=False)
    stands_on("block1")  # also after the page has been drawn anew
    # what is open is remembered where one goes away and comes back
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(row(page, "block1")).to_have_attribute("aria-expanded", "false")


def test_quick_ticks_all_count(explore: Explore) -> None:
    visit = explore("/?subject=digits-vit", stand=False).stand(cliff=False)
    page = visit.page
    names = [f"blocks.{i}.{part}.weight" for i in (0, 1) for part in ("fc1", "fc2", "attention.out_proj")]
    for name in names:
        tick(row(page, name))
        page.wait_for_timeout(90)
    expect(page.locator(COUNT)).to_contain_text("4 of 10 layers")
    visit.stand(cliff=False)
    expect(page.locator(COUNT)).to_contain_text("4 of 10 layers")
    for name in names:
        expect(row(page, name)).to_have_attribute("aria-checked", "false")
    assert set(visit.bars()) == {
        "patches.weight",
        "blocks.0.attention.in_proj_weight",
        "blocks.1.attention.in_proj_weight",
        "head.weight",
    }


def test_a_tick_beside_another_control_counts_with_it(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn", stand=False).stand(cliff=False)
    page = visit.page
    tick(row(page, "block1"))
    visit.choose("Scope", "Global")
    tick(row(page, "fc.weight"))
    visit.address_has("scope=global")
    visit.address_has("target=block2.conv1.weight&target=block2.conv2.weight&target=conv1.weight")
    visit.stand(cliff=False)
    expect(page.locator(COUNT)).to_contain_text("3 of 7 layers")


def test_what_differs_is_marked_without_moving_anything_and_goes_back(explore: Explore) -> None:
    visit = explore("/?subject=digits-cnn", stand=False).stand(cliff=False)
    page = visit.page
    sidebar = page.get_by_test_id("stSidebar")
    page.evaluate(WATCH)
    visit.choose("Scope", "Global")
    tick(row(page, "block1"))
    expect(sidebar.get_by_role("button", name="2 changed: take all back")).to_be_visible()
    for name in ("Back to the default: Each layer", "Back to the default: all"):
        expect(sidebar.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    visit.stand(cliff=False)
    seen = page.evaluate("endWatch()")
    # What torch calls it, below these, is said in more lines
    controls = (
        "st-key-subject",
        "st-key-layer_tree",
        "st-key-criterion_open",
        "st-key-granularity-0",
        "st-key-scope-0",
    )
    assert not set(seen["moved"]) & set(controls)
    assert violations(visit, "[data-testid=stSidebar]") == []
    sidebar.get_by_role("button", name="Back to the default: Each layer").click()
    expect(page.get_by_role("radio", name="Layer", exact=True)).to_be_checked()
    sidebar.get_by_role("button", name="1 changed: take all back").click()
    expect(page.locator(COUNT)).to_have_text("7 of 7 layers, 100 % of weights")
    expect(sidebar.get_by_role("button", name="take all back")).to_have_count(0)


@pytest.mark.parametrize("name", [*sample_names(), "bert"])
def test_the_sidebar_fits_a_window_900_pixels_high(explore: Explore, name: str) -> None:
    visit = explore(f"/?subject={name}", stand=False, viewport=DESKTOP)
    page = visit.page
    expect(page.locator(COUNT)).to_contain_text("100 % of weights")
    settled(page)
    # The amount is set on the cliff as well; what sets it here, and the gap below, is not counted
    used = page.get_by_test_id("stSidebarUserContent").evaluate(
        "e => e.getBoundingClientRect().bottom - (10 + e.querySelector('.st-key-amount')?.offsetHeight || 0)"
    )
    assert used <= DESKTOP["height"]
    box = page.locator(".layer-tree .box")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    rows = page.get_by_role("treeitem").count()
    assert box.bounding_box()["height"] >= min(rows, 8) * 24  # type: ignore[index]


def test_74_layers_of_a_file_begin_as_blocks_and_its_names_are_words(explore: Explore) -> None:
    visit = explore("/?subject=bert&biases=true", stand=False)
    page = visit.page
    expect(page.get_by_role("treeitem", name="encoder.layer, ")).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("treeitem", name="encoder.layer.11, 6 layers, 8.3 % of weights")).to_be_attached()
    expect(page.locator(COUNT)).to_have_text("75 of 75 layers, 100 % of weights")
    hostile = page.get_by_role("treeitem", name=f"{HOSTILE}.weight, ")
    expect(hostile).to_be_attached()
    assert page.locator(".layer-tree img").count() == 0
    assert page.title() == "Pruning Explorer"
    row(page, "encoder.layer.3").click()
    tick(row(page, "encoder.layer.3.attention"))
    expect(row(page, "encoder.layer.3")).to_have_accessible_name("encoder.layer.3, 2 of 6, 8.3 % of weights")
    expect(row(page, "encoder.layer")).to_have_attribute("aria-checked", "mixed")
    expect(page.locator(COUNT)).to_have_text("71 of 75 layers, 97 % of weights")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_and_passes_axe(explore: Explore, viewport: dict[str, int]) -> None:
    visit = explore("/?subject=bert&norms=true&scope=global", stand=False, viewport=viewport)
    page = visit.page
    if viewport is PHONE:
        page.get_by_role("button", name="Network and method").click()
    expect(page.locator(COUNT)).to_be_in_viewport()
    tick(row(page, "encoder.layer.0"))
    settled(page)
    found = []
    search = page.get_by_role("searchbox", name="Search layers")
    for scheme in ("light", "dark"):
        if scheme == "dark":
            visit.turn("dark")
        for words in ("", "query", "none of these"):
            search.fill(words)
            found += violations(visit, "[data-testid=stSidebar]")
    assert not found, "\n".join(found)
    assert page.evaluate(TOO_WIDE) == []


def test_a_finger_finds_the_boxes(explore: Explore) -> None:
    visit = explore("/?subject=bert", browser="touch", stand=False, viewport=PHONE, has_touch=True, is_mobile=True)
    page = visit.page
    page.get_by_role("button", name="Network and method").tap()
    row(page, "encoder.layer.2").locator(".check").tap()
    expect(page.locator(COUNT)).to_contain_text("of 75 layers, 92 % of weights")
    row(page, "encoder.layer.2").locator(".label").tap()
    expect(row(page, "encoder.layer.2.attention")).to_be_visible()
    assert row(page, "encoder.layer.2").locator(".check").bounding_box()["width"] >= 24  # type: ignore[index]
