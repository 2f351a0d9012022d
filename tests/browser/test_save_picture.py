"""Charts saved as pictures in a real Chromium: the files stand alone and show what the page shows."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.save_picture_app import CHARTS, HEIGHT, TITLE

APP = "tests/browser/save_picture_app.py"
ONE_PAGE = True
Open = Callable[..., Page]
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture
def show(app: Open, page: Page) -> Open:
    def start(scheme: str = "light") -> Page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        app()
        stands(page)
        return page

    return start


def stands(page: Page) -> None:
    for key in CHARTS:
        expect(page.locator(f".st-key-{key} .main-svg")).to_have_count(3)
        expect(page.locator(f".st-key-{key} .px-save")).to_have_count(1)
    page.evaluate("document.fonts.ready")


def button(page: Page, key: str, kind: str) -> Locator:
    return page.get_by_role("button", name=f"Save {CHARTS[key]} as {kind.upper()}", exact=True)


def saved(page: Page, key: str, kind: str) -> tuple[str, bytes]:
    with page.expect_download() as event:
        button(page, key, kind).click()
    return event.value.suggested_filename, Path(event.value.path()).read_bytes()


def size_on_page(page: Page, key: str) -> tuple[int, int]:
    svg = page.locator(f".st-key-{key} .main-svg").first
    return int(svg.get_attribute("width") or 0), int(svg.get_attribute("height") or 0)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def colours(png: np.ndarray) -> int:
    return len(np.unique(png.reshape(-1, 3), axis=0))


def texts(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("key", CHARTS)
def test_an_svg_stands_alone(show: Open, page: Page, key: str) -> None:
    show()
    width, height = size_on_page(page, key)
    name, content = saved(page, key, "svg")
    assert name == f"{CHARTS[key].replace(': ', '- ').replace('/', '-')}.svg"
    svg = ET.fromstring(content)
    assert (svg.get("width"), svg.get("height")) == (str(width), str(height))
    assert svg.get("viewBox") == f"0 0 {width} {height}"
    assert height == HEIGHT
    assert TITLE in texts(svg)
    assert svg.findtext(f"{SVG}title") == CHARTS[key]
    assert svg.find(f"{SVG}rect").get("fill") == "rgb(255, 255, 255)"  # type: ignore[union-attr]

    known = {element.get("id") for element in svg.iter()} - {None}
    text = content.decode()
    wanted = re.findall(r"url\((?:&quot;|[\"'])?([^)\"'&]+)", text)
    inside = {address[1:] for address in wanted if address.startswith("#")}
    assert inside
    assert inside <= known
    assert all(address.startswith(("#", "data:font/")) for address in wanted)
    images = [image.get(LINK, "") for image in svg.iter(f"{SVG}image")]
    assert len(images) == {"lines": 0, "heat": 1, "photo": 2}[key]
    assert all(address.startswith("data:image/png") for address in images)
    gone = {"hoverlayer", "draglayer", "zoomlayer", "legendtoggle"}
    assert not any(gone & set((element.get("class") or "").split()) for element in svg.iter())
    assert "pointer-events" not in text


def test_a_picture_holds_the_words_of_its_chart(show: Open, page: Page) -> None:
    show()
    assert {"magnitude", "random", "Sparsity"} <= set(texts(ET.fromstring(saved(page, "lines", "svg")[1])))
    assert texts(ET.fromstring(saved(page, "heat", "svg")[1])).count("0.25") == 2


@pytest.mark.parametrize(("key", "scheme"), list(zip(CHARTS, ("light", "dark", "dark"), strict=True)))
def test_files_show_what_the_page_shows(show: Open, page: Page, key: str, scheme: str) -> None:
    show(scheme)
    width, height = size_on_page(page, key)
    png = pixels(saved(page, key, "png")[1])
    svg = saved(page, key, "svg")[1]
    style = page.add_style_tag(content=".px-save { visibility: hidden }")
    seen = pixels(page.locator(f".st-key-{key} .svg-container").screenshot())
    style.evaluate("e => e.remove()")

    assert png.shape == (2 * height, 2 * width, 3)
    assert colours(png) > 40
    assert png[0, 0].tolist() == seen[0, 0].tolist()
    assert png[0, 0].min() == 255 if scheme == "light" else png[0, 0].max() < 40

    other = page.context.new_page()
    other.set_viewport_size({"width": width, "height": height})
    file = page.evaluate("text => URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }))", svg.decode())
    other.goto(file)
    drawn = pixels(other.screenshot())
    other.close()
    halved = png.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    for picture in (halved, drawn):
        # each in its own antialiasing; a word moved or in another font is further off
        off = np.abs(picture.astype(float) - seen[:height, :width]).max(axis=2) > 100
        assert off.mean() < 0.002, f"{off.mean():.4f}"


def test_a_chart_drawn_anew_is_saved_as_it_is_now(show: Open, page: Page) -> None:
    show()
    page.get_by_text("Another title").click()
    expect(page.get_by_text("run 2")).to_be_visible()
    expect(page.locator(".st-key-lines .gtitle")).to_have_text("Another title")
    stands(page)
    assert "Another title" in texts(ET.fromstring(saved(page, "lines", "svg")[1]))
    page.get_by_text("Show charts").click()
    expect(page.get_by_text("run 3")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(page.get_by_role("button", name="as PNG")).to_have_count(1)
    page.get_by_text("Show charts").click()
    expect(page.get_by_text("run 4")).to_be_visible()
    stands(page)
    assert pixels(saved(page, "heat", "png")[1]).shape[0] == 2 * HEIGHT


def test_saving_asks_nobody(show: Open, own_page: Page, page: Page) -> None:
    show()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        """() => { window.sent = 0; const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (data) { window.sent++; send.call(this, data) } }"""
    )
    for kind in ("png", "svg"):
        saved(page, "photo", kind)
    assert page.evaluate("window.sent") == 0
    assert all(address.startswith(("blob:", "data:")) or "/static/media/" in address for address in asked), asked
    expect(page.get_by_text("run 1")).to_be_visible()


def test_a_font_that_cannot_be_had_is_done_without(show: Open, own_page: Page, page: Page) -> None:
    show()
    page.route("**/*.woff2", lambda route: route.abort())
    page.evaluate("() => { window.fetch = () => Promise.reject(new Error('no network')) }")
    content = saved(page, "lines", "svg")[1]
    assert b"@font-face" not in content
    assert TITLE in texts(ET.fromstring(content))


def test_a_chart_that_is_not_there_says_so(show: Open, page: Page) -> None:
    show()
    assert page.get_by_role("button", name="Nowhere").count() == 0
    page.get_by_role("button", name="Save Absent as PNG").click()
    said = page.locator(".st-key-absent [role=status]")
    expect(said).to_have_text("The chart is not there yet.")
    expect(said).to_have_text("", timeout=10_000)


def test_buttons_move_nothing(app: Open, page: Page) -> None:
    place = "all => all.map(chart => chart.getBoundingClientRect().toJSON())"
    app("/?buttons=0")
    expect(page.locator(".main-svg")).to_have_count(9)
    without = page.locator(".js-plotly-plot").evaluate_all(place)
    app("/")
    stands(page)
    assert page.locator(".js-plotly-plot").evaluate_all(place) == without


def test_buttons_leave_room_for_a_title_on_a_phone(show: Open, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show()
    for key in CHARTS:
        chart, pair = (page.locator(f".st-key-{key} {part}").bounding_box() for part in (".svg-container", ".px-save"))
        assert chart is not None
        assert pair is not None
        assert pair["width"] <= 64
        assert pair["x"] + pair["width"] <= chart["x"] + chart["width"] + 1
        assert pair["y"] + pair["height"] <= chart["y"] + 30, "beside the title, above all that is drawn"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(show: Open, page: Page, scheme: str) -> None:
    show(scheme)
    page.get_by_role("button", name="Save Absent as SVG").click()
    results = Axe().run(page, options={"resultTypes": ["violations"]}, context=".stMain")
    serious = [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]}"
        for rule in results.response["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []
    small = "all => all.map(b => b.getBoundingClientRect()).filter(b => b.width < 24 || b.height < 24).length"
    assert page.locator(".px-save button").evaluate_all(small) == 0
