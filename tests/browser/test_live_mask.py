"""The live mask in a real Chromium: what moves while the pointer moves, and when Python hears of it."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.live_mask_app import ranking

APP = "tests/browser/live_mask_app.py"
ONE_PAGE = True
Open = Callable[..., Page]
Settle = Callable[..., None]


@pytest.fixture
def show(app: Open, settle: Settle) -> Open:
    def start(layer: str, amount: float = 50, **more: str) -> Page:
        page = app(f"/?layer={layer}&amount={amount}" + "".join(f"&{name}={value}" for name, value in more.items()))
        page.wait_for_selector(".live-mask .kept:not(:empty)")
        frames(page)
        return page

    return start


def frames(page: Page, count: int = 3) -> None:
    for _ in range(count):
        page.evaluate("new Promise(requestAnimationFrame)")


def canvas(page: Page, pane: str) -> Locator:
    return page.locator(f"[data-pane={pane}] canvas")


def picture(page: Page, pane: str) -> str:
    return str(canvas(page, pane).evaluate("c => c.toDataURL()"))


def kept(page: Page) -> int:
    return int(page.locator(".kept").inner_text().split()[1].replace(",", ""))


def python_sees(page: Page) -> tuple[float, int]:
    found = re.search(r"Python sees ([\d.]+) %, run (\d+)", page.locator("[data-testid=stMain]").inner_text())
    assert found
    return float(found[1]), int(found[2])


def grab(page: Page, percent: float) -> None:
    """Press on the slider's thumb where it stands, and keep holding."""
    x, y = slider_place(page, percent)
    page.mouse.move(x, y)
    page.mouse.down()


def slider_place(page: Page, percent: float) -> tuple[float, float]:
    box = page.locator(".slider").bounding_box()
    assert box is not None
    return box["x"] + 12 + (box["width"] - 24) * percent / 100, box["y"] + box["height"] / 2


def drag(page: Page, start: float, end: float, steps: int = 12) -> None:
    grab(page, start)
    for i in range(1, steps + 1):
        page.mouse.move(*slider_place(page, start + (end - start) * i / steps))
    frames(page)


def amount(page: Page) -> float:
    return float(page.locator(".amount").inner_text().removesuffix(" %"))


def expected_kept(layer: str, percent: float, channels: bool = False, cap: float = 1.0) -> int:
    parts = ranking(layer, channels, cap)
    return int(np.count_nonzero(parts["ranks"] >= parts["removed_at"][round(percent * 10)]))


def test_everything_moves_while_dragging_and_python_hears_on_release(show: Open, settle: Settle) -> None:
    page = show("conv")
    before = {pane: picture(page, pane) for pane in ("weights", "mask", "remains", "exit")}
    drag(page, 50, 80)
    after = {pane: picture(page, pane) for pane in before}
    assert after["mask"] != before["mask"]
    assert after["remains"] != before["remains"]
    assert after["weights"] == before["weights"]
    assert after["exit"] == before["exit"]
    held = amount(page)
    assert held == pytest.approx(80, abs=1)
    assert kept(page) == expected_kept("conv", held)
    assert python_sees(page) == (50.0, 1)
    page.mouse.up()
    expect(page.get_by_text(f"Python sees {held:.1f} %, run 2")).to_be_visible()
    settle(page)
    assert amount(page) == held, "the slider must not jump back"
    assert picture(page, "mask") == after["mask"]


@pytest.mark.parametrize("layer", ["tiny", "bias", "narrow", "conv-1m", "conv-large"])
def test_the_kept_count_is_numpys(show: Open, layer: str) -> None:
    page = show(layer, 33.3)
    assert kept(page) == expected_kept(layer, 33.3)
    drag(page, 33.3, 71.7, steps=3)
    assert kept(page) == expected_kept(layer, amount(page))
    page.mouse.up()


@pytest.mark.parametrize("layer", ["conv", "square-512"])
def test_small_steps_count_as_exactly_as_one_large_one(show: Open, layer: str) -> None:
    page = show(layer, 50)
    drag(page, 50, 58, steps=20)
    moved, stepped = amount(page), picture(page, "mask")
    page.mouse.up()
    page.goto(page.url.split("?")[0] + f"?layer={layer}&amount={moved}")
    page.wait_for_selector(".live-mask .kept:not(:empty)")
    expect(page.locator(".amount")).to_have_text(f"{moved:.1f} %")
    frames(page)
    assert picture(page, "mask") == stepped


def test_whole_channels_and_a_cap(show: Open) -> None:
    page = show("conv", 90, channels="1", cap="0.5")
    assert kept(page) == expected_kept("conv", 90, channels=True, cap=0.5) == 4608 // 2
    expect(page.locator("[data-chart=channels] .aside")).to_have_text("16 of 32 empty")
    expect(page.locator(".never")).to_be_visible()


def test_where_low_scores_do_not_simply_go_first_every_bar_may_hold_both(show: Open) -> None:
    page = show("linear", 50, by_row="1")
    expect(page.locator("[data-chart=histogram] .aside")).to_have_text("")
    both = page.locator("[data-chart=histogram] canvas").evaluate(
        """c => {
          const x = Math.floor(c.width * 0.3), data = c.getContext('2d').getImageData(x, 0, 1, c.height).data;
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data[i] > 150 ? 'gone' : 'kept');
          return [...seen].sort();
        }"""
    )
    assert both == ["gone", "kept"]
    assert kept(page) == 15_000


def test_the_mask_is_that_of_the_ranks(show: Open) -> None:
    page = show("conv", 40)
    drag(page, 40, 70)
    parts = ranking("conv", False, 1.0)
    keep = parts["ranks"] >= parts["removed_at"][round(amount(page) * 10)]
    # the picture fills its pane: 32 filters of 3 rows, 16 of 3 columns; the middle of every cell is read
    blue_over_red = canvas(page, "mask").evaluate(
        """(c, [rows, cols]) => {
          const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, out = [];
          for (let r = 0; r < rows; r++) for (let k = 0; k < cols; k++) {
            const x = Math.floor((k + 0.5) * c.width / cols), y = Math.floor((r + 0.5) * c.height / rows);
            const at = 4 * (y * c.width + x);
            out.push(data[at + 2] > data[at]);
          }
          return out;
        }""",
        [96, 48],
    )
    mosaic = keep.reshape(32, 16, 3, 3).transpose(0, 2, 1, 3).reshape(96, 48)
    assert np.array(blue_over_red).reshape(96, 48).tolist() == mosaic.tolist()
    page.mouse.up()


def test_arrow_keys_read_the_weights(show: Open) -> None:
    page = show("tiny", 50)
    parts = ranking("tiny", False, 1.0)
    weights = np.asarray(parts["weights"])
    canvas(page, "weights").focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowDown"]:
        page.keyboard.press(key)
    frames(page)
    text = page.locator(".readout").inner_text()
    assert "[1, 1]" in text
    number = f"{float(weights[1, 1]):.5g}".replace("-", "−")
    assert number in text
    assert ("kept" in text) == bool(parts["ranks"][6] >= parts["removed_at"][500])  # type: ignore[index]
    expect(page.locator(".said")).to_have_text(re.compile(r"^\[1, 1\]: value .* score .* exit amount [\d.]+ %"))
    page.keyboard.press("End")
    page.keyboard.press("PageDown")
    frames(page)
    assert "[3, 4]" in page.locator(".readout").inner_text()


def test_hover_reads_a_convolution_by_its_four_indices(show: Open) -> None:
    page = show("conv", 50)
    box = canvas(page, "exit").bounding_box()
    assert box is not None
    # the picture fills its pane: 32 * 3 rows, 16 * 3 columns
    row, col = 37, 20
    page.mouse.move(box["x"] + (col + 0.5) / 48 * box["width"], box["y"] + (row + 0.5) / 96 * box["height"])
    frames(page)
    assert "[12, 6, 1, 2]" in page.locator(".readout").inner_text()


@pytest.mark.parametrize(
    ("layer", "cells", "row", "col", "index"),
    [
        # rows and columns of the picture, worked by hand in tests/ui/test_live_mask.py
        ("first-conv", (12, 12), 7, 5, (9, 0, 1, 2)),
        ("first-conv", (12, 12), 0, 9, (3, 0, 0, 0)),
        ("first-conv", (12, 12), 11, 11, (15, 0, 2, 2)),
        ("first-conv-rgb", (112, 84), 30, 54, (18, 1, 2, 5)),
    ],
)
def test_outputs_side_by_side_keep_their_indices(
    show: Open, layer: str, cells: tuple[int, int], row: int, col: int, index: tuple[int, ...]
) -> None:
    page = show(layer, 50)
    rows, cols = cells
    expect(page.locator(".region")).to_have_text(f"{rows} × {cols} cells")
    box = canvas(page, "weights").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + (col + 0.5) / cols * box["width"], box["y"] + (row + 0.5) / rows * box["height"])
    frames(page)
    parts = ranking(layer, False, 1.0)
    text = page.locator(".readout").inner_text()
    assert f"[{', '.join(map(str, index))}]" in text
    assert f"{float(np.asarray(parts['weights'])[index]):.5g}".replace("-", "−") in text


def bar_heights(page: Page, count: int) -> np.ndarray:
    """Kept fraction of each channel, read off its bar."""
    drawn = page.locator("[data-chart=channels] canvas").evaluate(
        """(c, count) => {
          const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return Array.from({ length: count }, (_, b) => {
            const x = Math.floor((b + 0.4) * c.width / count);
            let tall = 0;
            for (let y = 0; y < c.height; y++) {
              const at = 4 * (y * c.width + x);
              if (data[at + 3] === 255 && data[at + 2] > data[at]) tall++;
            }
            return tall / (c.height - 4);
          });
        }""",
        count,
    )
    return np.array(drawn)


@pytest.mark.parametrize("layer", ["first-conv", "first-conv-rgb", "conv", "conv-large-tall"])
@pytest.mark.parametrize("dim", [0, 1])
def test_bars_are_numpys_after_many_small_steps(show: Open, layer: str, dim: int) -> None:
    page = show(layer, 40, dim=str(dim))
    page.set_viewport_size({"width": 2400, "height": 900})  # 256 bars of whole pixels
    frames(page)
    drag(page, 40, 48, steps=20)
    parts = ranking(layer, False, 1.0)
    keep = np.asarray(parts["ranks"] >= parts["removed_at"][round(amount(page) * 10)]).reshape(parts["shape"])  # type: ignore[call-overload]
    shares = np.moveaxis(keep, dim, 0).reshape(keep.shape[dim], -1).mean(axis=1)
    bars = shares.reshape(min(256, len(shares)), -1).mean(axis=1)
    assert np.abs(bar_heights(page, len(bars)) - bars).max() < 0.02
    if layer != "conv-large-tall":
        empty = np.count_nonzero(shares == 0)
        expect(page.locator("[data-chart=channels] .aside")).to_have_text(f"{empty} of {len(shares)} empty")
    page.mouse.up()


def test_zoom_and_cursor_survive_release_and_rerun(show: Open, settle: Settle) -> None:
    page = show("linear", 50)
    canvas(page, "weights").focus()
    for key in ["ArrowRight", "ArrowDown", "+", "+", "+"]:
        page.keyboard.press(key)
    frames(page)
    region, cursor = page.locator(".region").inner_text(), page.locator(".readout").inner_text().split("\n")[0]
    assert region.startswith("rows ")
    drag(page, 50, 60)
    page.mouse.up()
    expect(page.get_by_text(re.compile("run 2"))).to_be_visible()
    settle(page)
    assert page.locator(".region").inner_text() == region
    page.get_by_text("Whole channels").click()  # another ranking of the same layer
    expect(page.get_by_text(re.compile("run 3"))).to_be_visible()
    expect(page.locator(".note")).to_have_text("whole output channels go together")
    assert page.locator(".region").inner_text() == region
    assert page.locator(".readout").inner_text().split("\n")[0] == cursor
    page.keyboard.press("Tab")
    page.locator("[data-zoom=whole]").click()
    expect(page.locator(".region")).to_have_text(re.compile("^1 × 1.3 weights per pixel"))


def test_another_layer_starts_whole(show: Open) -> None:
    page = show("linear", 50)
    page.locator("[data-zoom=in]").click()
    page.get_by_role("combobox", name="Layer").click()
    page.get_by_role("option", name="narrow", exact=True).click()
    expect(page.locator(".title")).to_have_text("narrow.weight")
    expect(page.locator(".region")).to_have_text(re.compile("^1.3 × 1 weights per pixel"))


def test_the_slider_follows_python(show: Open) -> None:
    page = show("tiny", 50)
    other = page.get_by_role("slider", name="Amount in the sidebar")
    other.focus()
    for _ in range(3):
        other.press("PageUp")
    expect(page.locator(".amount")).to_have_text("80.0 %")
    expect(page.get_by_text("Python sees 80.0 %")).to_be_visible()
    drag(page, amount(page), 20)
    page.mouse.up()
    expect(page.get_by_text(f"Python sees {amount(page):.1f} %")).to_be_visible()


def test_keys_move_the_slider_and_python_hears_once(show: Open) -> None:
    page = show("conv", 50)
    page.locator(".slider").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    frames(page)
    assert amount(page) == 50.5
    assert kept(page) == expected_kept("conv", 50.5)
    assert python_sees(page) == (50.0, 1)
    expect(page.get_by_text("Python sees 50.5 %, run 2")).to_be_visible()
    assert (
        page.locator(".slider").get_attribute("aria-valuetext") == f"50.5 percent, {kept(page):,} of 4,608 weights kept"
    )
    expect(page.locator(".said")).to_have_text(re.compile("weights kept, sparsity 50"))


def test_a_release_sends_little(app: Open, own_page: Page, settle: Settle) -> None:
    page, received = own_page, list[int]()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    app("/?layer=square-512&amount=50")
    page.wait_for_selector(".live-mask .kept:not(:empty)")
    assert max(received) > 2 * 512 * 512 * 4, "the layer travels once"
    for end in (80, 30):
        received.clear()
        drag(page, amount(page), end)
        page.mouse.up()
        expect(page.get_by_text(f"Python sees {amount(page):.1f} %")).to_be_visible()
        settle(page)
        # the sidebar, the text and the session's bookkeeping of this app are in it too
        assert sum(received) < 12_000
        assert max(received) < 5_000


def test_nothing_shifts(show: Open, settle: Settle) -> None:
    page = show("conv", 50)
    page.evaluate(
        """window.shifts = []; new PerformanceObserver(list => {
          for (const entry of list.getEntries()) for (const { node } of entry.sources)
            // the value above Streamlit's own slider moves with its thumb
            if (!node?.closest?.('[data-testid=stSidebar]')) window.shifts.push(node?.textContent ?? '?');
        }).observe({type: 'layout-shift'})"""
    )
    height = page.locator(".live-mask").evaluate("e => e.getBoundingClientRect().height")
    drag(page, 50, 99)
    page.mouse.up()
    expect(page.get_by_text(re.compile("run 2"))).to_be_visible()
    settle(page)
    canvas(page, "mask").hover()
    frames(page)
    assert page.locator(".live-mask").evaluate("e => e.getBoundingClientRect().height") == height
    assert page.evaluate("window.shifts") == []


def test_the_view_never_pales_while_python_works(show: Open) -> None:
    page = show("conv", 50)
    opacity = "e => getComputedStyle(e.getRootNode().host.closest('[data-testid=stElementContainer]')).opacity"
    drag(page, 50, 60)
    page.mouse.up()
    for _ in range(5):
        assert page.locator(".live-mask").evaluate(opacity) == "1"
        page.wait_for_timeout(50)


def test_a_plain_wheel_scrolls_and_one_with_ctrl_zooms(show: Open) -> None:
    page = show("linear", 50)
    page.set_viewport_size({"width": 1440, "height": 500})
    canvas(page, "weights").hover()
    page.mouse.wheel(0, 200)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 50")
    expect(page.locator(".region")).to_have_text(re.compile("^1 × 1.3 weights per pixel"))
    canvas(page, "weights").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(page.locator(".region")).to_have_text(re.compile("^rows"))


def test_drag_pans_when_zoomed(show: Open) -> None:
    page = show("linear", 50)
    for _ in range(3):
        page.locator("[data-zoom=in]").click()
    frames(page)
    before = page.locator(".region").inner_text()
    box = canvas(page, "remains").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=5)
    page.mouse.up()
    frames(page)
    assert page.locator(".region").inner_text() != before


def test_a_large_layer_gives_single_weights_where_one_looks(show: Open) -> None:
    page = show("large", 60)
    expect(page.locator("[data-pane=mask] .aside")).to_have_text("density per block")
    for _ in range(7):
        page.locator("[data-zoom=in]").click()
    expect(page.locator("[data-pane=mask] .aside")).to_have_text("", timeout=60_000)
    canvas(page, "weights").focus()
    page.keyboard.press("ArrowDown")
    frames(page)
    text = page.locator(".readout").inner_text()
    found = re.match(r"\[(\d+), (\d+)\]", text)
    assert found
    parts = ranking("large", False, 1.0)
    row, col = int(found[1]), int(found[2])
    value = np.asarray(parts["weights"])[row, col]
    assert f"{float(value):.5g}".replace("-", "−") in text
    fate = parts["ranks"][row * 4096 + col] >= parts["removed_at"][600]  # type: ignore[index]
    assert ("kept" in text) == bool(fate)
    region = page.locator(".region").inner_text()
    drag(page, 60, 62)
    page.mouse.up()
    expect(page.get_by_text(f"Python sees {amount(page):.1f} %")).to_be_visible()
    assert page.locator(".region").inner_text() == region


def test_leaving_cleans_up(show: Open) -> None:
    page = show("tiny", 50)
    assert page.evaluate("[...globalThis.pruningExplorerStores.keys()]") == ["mask"]
    page.get_by_text("Show the layer").click()
    expect(page.locator(".live-mask")).to_have_count(0)
    page.wait_for_function("globalThis.pruningExplorerStores.size === 0")
    page.get_by_text("Show the layer").click()
    page.wait_for_selector(".live-mask .kept:not(:empty)")
    assert kept(page) == 10


@pytest.fixture(params=["light", "dark"])
def phone(
    request: pytest.FixtureRequest,
    browsers: Callable[..., BrowserContext],
    base_url: str,
    watch: Callable[[Page], Page],
) -> Iterator[Page]:
    touch = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    size = {"width": 390, "height": 844}
    page = browsers("phone", base_url, viewport=size, color_scheme=request.param, base_url=base_url, **touch).new_page()
    yield watch(page)
    page.close()


@pytest.mark.parametrize("layer", ["tiny", "square-1024"])
def test_on_a_phone_nothing_overflows_and_a_tap_reads(phone: Page, settle: Settle, layer: str) -> None:
    phone.goto(f"/?layer={layer}&amount=50")
    phone.wait_for_selector(".live-mask .kept:not(:empty)")
    settle(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    wide = phone.locator(".live-mask").evaluate(
        "root => [...root.querySelectorAll(':not(.here)')].filter(e => e.getBoundingClientRect().right > 391).length"
    )
    assert wide == 0
    canvas(phone, "mask").tap()
    frames(phone)
    text = phone.locator(".readout").inner_text()
    assert re.match(r"\[\d+, \d+\]", text)
    box = phone.locator(".readout").bounding_box()
    assert box is not None
    inside = phone.locator(".readout").evaluate(
        "e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth"
    )
    assert inside, "the line of facts fits"
    small = phone.locator(".live-mask").evaluate(
        "root => [...root.querySelectorAll('button, input')].map(e => e.getBoundingClientRect())"
        ".filter(b => b.width < 24 || b.height < 24).length"
    )
    assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("layer", ["tiny", "conv"])
def test_axe_finds_nothing_serious(show: Open, page: Page, scheme: str, layer: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show(layer, 50)
    canvas(page, "weights").focus()
    page.keyboard.press("ArrowRight")
    frames(page)
    results = Axe().run(page, options={"resultTypes": ["violations"]}, context=".stMain")
    serious = [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in results.response["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []
