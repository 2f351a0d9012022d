"""The stage of a lesson in a real Chromium: what moves while one drags or plays, and when Python hears of it."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils import prune

APP = "tests/browser/lesson_stage_app.py"
Open = Callable[..., Page]
ORIGINAL, MASK, PRODUCT = (
    f'[data-kind=matrix][data-title="{name}"]' for name in ("weight_orig", "weight_mask", "weight")
)
STOPS = 100


@pytest.fixture
def show(app: Open) -> Open:
    def start(stop: int = 20) -> Page:
        page = app(f"/?start={stop}")
        expect(readout(page)).to_have_text(f"{stop} %")
        return page

    return start


def readout(page: Page) -> Locator:
    return page.locator(".controls .readout").first


def standing(page: Page) -> int:
    return int(readout(page).inner_text().removesuffix(" %"))


def frames(page: Page) -> None:
    for _ in range(3):
        page.evaluate("new Promise(requestAnimationFrame)")


def python_sees(page: Page) -> tuple[int, int, list[int]]:
    text = page.locator("[data-testid=stMain]").inner_text()
    found = re.search(r"Python sees stop (\d+), run (\d+), heard \[([\d, ]*)\]", text)
    assert found
    return int(found[1]), int(found[2]), [int(each) for each in found[3].split(",") if each]


def place(page: Page, stop: int) -> tuple[float, float]:
    box = page.locator(".slider").first.bounding_box()
    assert box is not None
    return box["x"] + 12 + (box["width"] - 24) * stop / STOPS, box["y"] + box["height"] / 2


def cells(page: Page, panel: str) -> list[list[str]]:
    """What each cell says, with ``x`` before it where it is struck out."""
    found: list[list[str]] = (
        page.locator(panel)
        .first.locator("tbody tr")
        .evaluate_all(
            """rows => rows.map(row => [...row.querySelectorAll('td')].map(cell =>
                 (getComputedStyle(cell).backgroundImage.startsWith('linear-gradient(to right bottom') ? 'x' : '') +
                 cell.textContent))"""
        )
    )
    return found


def pruned(amount: float) -> nn.Linear:
    """The tutorial's first layer, pruned by torch itself."""
    layer = nn.Linear(5, 4)
    weights = load_file("sample_models/weights/tutorial-mlp.safetensors")
    layer.load_state_dict({name: weights[f"fc1.{name}"] for name in ("weight", "bias")})
    return prune.l1_unstructured(layer, "weight", amount=amount)


def written(values: torch.Tensor, struck: torch.Tensor | None = None, zero: str | None = None) -> list[list[str]]:
    rows: list[list[str]] = []
    for r, row in enumerate(values.tolist()):
        words = [f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−") for value in row]
        if struck is not None:
            words = [f"x{word}" if gone else word for word, gone in zip(words, struck[r].tolist(), strict=True)]
        rows.append(words if zero is None else [zero if value == 0 else w for value, w in zip(row, words, strict=True)])
    return rows


def test_all_three_matrices_are_torchs_while_the_person_drags(show: Open) -> None:
    page = show(20)
    page.mouse.move(*place(page, 20))
    page.mouse.down()
    for target in (10, 45, 80):
        page.mouse.move(*place(page, target), steps=4)
        frames(page)
        amount = standing(page) / 100
        assert amount == pytest.approx(target / 100, abs=0.015)
        layer = pruned(amount)
        mask = layer.get_buffer("weight_mask")
        original = layer.get_parameter("weight_orig").detach()
        assert cells(page, ORIGINAL) == written(original, mask == 0)
        assert cells(page, MASK) == [[str(int(each)) for each in row] for row in mask.tolist()]
        assert cells(page, PRODUCT) == written(original * mask, zero="0")
        assert python_sees(page) == (20, 1, []), "nobody asked the server"
    held = standing(page)
    page.mouse.up()
    expect(page.get_by_text(f"Python sees stop {held}, run 2, heard [{held}]")).to_be_visible()
    assert standing(page) == held, "the slider does not jump back"


def test_keys_move_it_and_python_hears_of_the_last(show: Open) -> None:
    page = show(20)
    slider = page.get_by_role("slider", name="Amount")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        slider.press(key)
    expect(slider).to_have_attribute("aria-valuetext", "23 %")
    # on a busy machine three keys may be further apart than a pause
    expect(page.get_by_text(re.compile(r"Python sees stop 23, run \d, heard \[[\d, ]*23\]"))).to_be_visible()
    expect(page.locator(".said").first).to_have_text(re.compile("^Amount 23 %: Removed 5, Accuracy"))
    # Python moves it, too; and another stage under the same key is drawn where it stands
    page.get_by_role("button", name="Start over").click()
    expect(readout(page)).to_have_text("21 %")
    slider.press("End")
    expect(page.get_by_text(re.compile(r"Python sees stop 100, .* heard \[.*23, 100\]"))).to_be_visible()
    page.get_by_text("Only the matrix").click()
    expect(page.locator("[data-kind=network]")).to_have_count(0)
    expect(readout(page)).to_have_text("100 %")
    assert all(word.startswith("x") for row in cells(page, ORIGINAL) for word in row)


def test_a_play_reaches_the_end_and_tells_python_once(show: Open) -> None:
    page = show(70)
    line = page.locator('[data-kind=curves][data-title="Accuracy"] path.line').first
    before = str(line.get_attribute("d")).count("L")
    page.get_by_role("button", name="Play").press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(readout(page)).to_have_text("100 %")
    expect(page.get_by_text("Python sees stop 100, run 2, heard [100]")).to_be_visible()
    assert str(line.get_attribute("d")).count("L") == before + 30 == STOPS, "the line has grown to where it has been"
    expect(page.locator("[data-kind=network] .aside")).to_have_text("0 of 336 connections kept")
    expect(page.locator("[data-kind=bars] .collapsed")).to_have_text(["collapsed"] * 3)
    # pressed twice within the browser: a busy machine may take longer than the play for two clicks from here
    page.get_by_role("button", name="Play").evaluate(
        """async button => {
          button.click();
          for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame);
          button.click();
        }"""
    )
    expect(page.get_by_text(re.compile(r"Python sees stop \d\d?, run 3, heard"))).to_be_visible()
    frames(page)
    stop = standing(page)
    assert python_sees(page) == (stop, 3, [100, stop])
    assert stop < STOPS, "played again from the beginning"


def test_on_a_logarithmic_axis_equal_factors_are_equal_steps(show: Open) -> None:
    chart = show().locator('[data-kind=curves][data-title="Loss"]')
    heights = chart.locator("path.line").first.evaluate(
        "line => [...line.getAttribute('d').matchAll(/([ML])\\S+ (\\S+?)(?=[MLh]|$)/g)].map(([, pen, y]) => [pen, +y])"
    )
    assert [pen for pen, _ in heights] == ["M", "L", "L", "M"], "1, 0.1, 0.01, nothing at 0, and 0.001 alone"
    steps = [after - before for (_, before), (_, after) in pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.3)
    assert steps[0] > 20
    expect(chart.locator("text", has_text=re.compile(r"^(1|0\.1|0\.01|0\.001)$"))).to_have_text(
        ["0.001", "0.01", "0.1", "1", "1"]  # the last is an epoch
    )
    expect(chart.get_by_text("loss (nats), logarithmic, lower is better")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(show: Open, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show(60)
    results = Axe().run(page, options={"resultTypes": ["violations"]}, context=".stMain")
    serious = [
        f"{rule['id']}: {[(node['target'], node['failureSummary']) for node in rule['nodes']]}"
        for rule in results.response["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []
    names = page.locator(".stage-view [role=img]").evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    assert len(names) == 4 + 6, "network, regions, two charts and six pictures"
    assert all("60 %" in name for name in names[:3])


def test_on_a_phone_nothing_overflows_and_on_paper_there_are_no_controls(show: Open, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(30)
    wide = page.locator(".stage-view").first.evaluate(
        """root => [...root.querySelectorAll('*')].filter(each => !each.closest('.scroll')
             && each.getBoundingClientRect().right > 391).map(each => each.className)"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    scrolls = page.locator(".scroll").evaluate_all(
        "all => all.map(each => [each.scrollWidth > each.clientWidth + 1, each.tabIndex])"
    )
    assert all((tab == 0) == too_wide for too_wide, tab in scrolls), "what has to be scrolled can be reached by key"
    assert not scrolls[0][0], "five columns fit"
    page.emulate_media(media="print", color_scheme="dark")
    for control in (".slider", ".play", ".help"):
        expect(page.locator(control).first).to_be_hidden()
    words = page.locator(".head").first.evaluate(
        "head => getComputedStyle(head.querySelector('.label'), '::after').content + getComputedStyle(head).color"
    )
    assert words == '":"rgb(0, 0, 0)', "Amount: 30 %, in black"
    expect(readout(page)).to_be_visible()
