"""From the first paint to the last point of the curve nothing on Explore moves that a person sees."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, wait_until_settled
from tests.browser.explore_page import ExplorePage

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}

# All of them, with and without a hand before; a shift inside of a component has no node, but a place
LISTEN = """window.shifts = [];
new PerformanceObserver(list => { for (const { value, sources } of list.getEntries()) shifts.push(
  [value, ...sources.map(({ node, previousRect: from, currentRect: to }) =>
    `${node?.className ?? 'in a component'}: ${Object.values(from.toJSON())} to ${Object.values(to.toJSON())}`)]);
}).observe({ type: 'layout-shift', buffered: true });"""


@pytest.fixture(scope="module")
def many_layers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Explore's address for a checkpoint of 74 layers, large enough for a line that says what the page waits for."""
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("many_layers")
    torch.manual_seed(0)
    names = [
        f"layer.{i}.{name}.weight" for i in range(12) for name in ("query", "key", "value", "output", "up", "down")
    ]
    save_file(
        {name: torch.randn(192, 192) for name in [*names, "pooler.weight", "classifier.weight"]},
        folder / "many_layers.safetensors",
    )
    server = Server("app.py", folder / "log.txt", "--subject", str(folder / "many_layers.safetensors"))
    targets = "&".join(f"target={name}" for name in [*names, "pooler.weight", "classifier.weight"])
    yield f"{server.url}/?subject=many_layers.safetensors&scope=global&{targets}"
    server.stop()
    assert "Traceback" not in server.text


def arrive(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    """By a browser that has fetched nothing yet."""
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.add_init_script(LISTEN)
    page.goto(url)
    return page


def assert_still(page: Page) -> None:
    ExplorePage(page, "", []).next_frame()
    if page.viewport_size and page.viewport_size["width"] > 1000:
        expect(page.get_by_test_id("stSidebar").get_by_text("Schedule, cap, seed")).to_be_visible()
    assert page.evaluate("shifts") == []
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("query", ["subject=digits-cnn&scope=global", "subject=digits-vit&criterion=random&seed=3"])
def test_nothing_moves_while_a_page_and_its_curve_come(browser: Browser, base_url: str, query: str, size: str) -> None:
    page = arrive(browser, f"{base_url}/?{query}", SIZES[size])
    ExplorePage(page, "", []).stand()
    assert_still(page)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_while_many_layers_are_ranked(browser: Browser, many_layers: str, size: str) -> None:
    page = arrive(browser, many_layers, SIZES[size])
    page.wait_for_selector(".live-mask .kept:not(:empty)", timeout=90_000)
    wait_until_settled(page)
    expect(page.locator(".layer-list .row").first).to_be_visible()
    assert_still(page)
