"""The amount's curve in a real Chromium: hands at it, what it says, and that nothing moves while points come."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import wait_until_settled

APP = "tests/browser/amount_curve_app.py"
ONE_PAGE = True
Open = Callable[..., Page]

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) for (const { node } of entry.sources) shifts.push(String(node?.className));
  }).observe({ type: 'layout-shift' });
}"""


@pytest.fixture
def show(app: Open) -> Open:
    def start(**asked: object) -> Page:
        page = app("/?" + "&".join(f"{name}={value}" for name, value in asked.items()))
        page.wait_for_selector(".amount-curve .amount:not(:empty)")
        frames(page)
        return page

    return start


@pytest.fixture
def touch(browsers: Callable[..., BrowserContext], base_url: str, watch: Callable[[Page], Page]) -> Iterator[Page]:
    page = watch(browsers("touch", base_url, has_touch=True, viewport={"width": 390, "height": 844}).new_page())
    page.goto(f"{base_url}/?width=358")
    wait_until_settled(page)
    page.wait_for_selector(".amount-curve .amount:not(:empty)")
    yield page
    page.close()


def frames(page: Page, count: int = 3) -> None:
    for _ in range(count):
        page.evaluate("new Promise(requestAnimationFrame)")


def hand(page: Page) -> Locator:
    return page.get_by_role("slider", name="Amount to remove")


def box(page: Page) -> Locator:
    return page.get_by_role("spinbutton", name="Amount, exact, %")


def says(page: Page) -> str:
    frames(page)
    return hand(page).get_attribute("aria-valuetext") or ""


def place(page: Page, percent: float, above: float = 0) -> tuple[float, float]:
    """Where an amount is on the track, or so many pixels above it."""
    track = page.locator(".track").bounding_box()
    assert track is not None
    return track["x"] + track["width"] * percent / 100, track["y"] + track["height"] / 2 - above


def python_sees(page: Page) -> tuple[float, int]:
    found = re.search(r"Python sees ([\d.]+) %, run (\d+)", page.locator("[data-testid=stMain]").inner_text())
    assert found
    return float(found[1]), int(found[2])


def test_one_drags_anywhere_on_the_curve_and_python_hears_of_the_end(show: Open) -> None:
    page = show(amount=40)
    assert says(page) == "40.0 %: accuracy 90.0 %, 0 of 200 flip"
    _, runs = python_sees(page)
    page.mouse.move(*place(page, 20, above=60))
    page.mouse.down()
    assert says(page).startswith("20.0 %")  # a press goes there
    for percent in (30, 65, 75):
        page.mouse.move(*place(page, percent, above=60))
    # 75 % lies between two measured points: 0.9 * 0.5 and half of 200
    assert says(page) == "75.0 %: accuracy ≈ 45.0 %, ≈ 100 of 200 flip"
    amount, words = (page.locator(f".readout {part}").inner_text().strip() for part in (".amount", ".words"))
    assert f"{amount}: {words}" == f"{says(page)}, drift ≈ 1.5 nats"
    assert box(page).input_value() == "75.0"
    assert python_sees(page) == (40, runs)
    page.mouse.move(*place(page, 80))
    page.mouse.up()
    expect(page.get_by_text("Python sees 80.0 %")).to_be_visible()
    assert python_sees(page) == (80, runs + 1)
    assert says(page) == "80.0 %: accuracy 36.0 %, 120 of 200 flip"


def test_the_handle_is_taken_hold_of_where_it_is_grabbed(show: Open) -> None:
    page = show(amount=40)
    x, y = place(page, 40)
    page.mouse.move(x + 9, y)
    page.mouse.down()
    assert says(page).startswith("40.0 %")
    page.mouse.move(place(page, 70)[0] + 9, y)
    assert says(page).startswith("70.0 %")
    page.mouse.up()
    expect(page.get_by_text("Python sees 70.0 %")).to_be_visible()


def test_a_drag_beyond_the_ends_stops_there_and_one_that_ends_where_it_began_is_none(show: Open) -> None:
    page = show(amount=40)
    _, runs = python_sees(page)
    page.mouse.move(*place(page, 40))
    page.mouse.down()
    page.mouse.move(*place(page, 130))
    assert says(page).startswith("100.0 %")
    page.mouse.move(*place(page, -30))
    assert says(page).startswith("0.0 %")
    page.mouse.move(*place(page, 40))
    page.mouse.up()
    page.wait_for_timeout(500)
    assert python_sees(page) == (40, runs)


def test_the_mark_holds_what_comes_close_and_a_click_on_its_words_goes_there(show: Open) -> None:
    page = show(amount=20)
    x, y = place(page, 50.5)
    page.mouse.click(x + 5, y - 60)
    expect(page.get_by_text("Python sees 50.5 %")).to_be_visible()
    page.mouse.click(x + 12, y - 60)  # from 50.5 it is within the handle's own reach
    hand(page).press("Home")
    expect(page.get_by_text("Python sees 0.0 %")).to_be_visible()
    page.locator(".flag", has_text="most for 1 point").click()
    expect(page.get_by_text("Python sees 50.5 %")).to_be_visible()
    hand(page).press("ArrowRight")  # a key goes past it
    expect(page.get_by_text("Python sees 50.6 %")).to_be_visible()


def test_keys_move_it_and_python_hears_once(show: Open) -> None:
    page = show(amount=40)
    _, runs = python_sees(page)
    hand(page).focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowRight", "PageUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.get_by_text("Python sees 51.1 %")).to_be_visible()
    assert python_sees(page) == (51.1, runs + 1)
    expect(hand(page)).to_be_focused()
    expect(hand(page)).to_have_attribute("aria-valuenow", "51.1")


def test_an_amount_is_typed(show: Open) -> None:
    page = show(amount=40)
    box(page).fill("130")
    box(page).press("Enter")
    problem = page.locator(".problem")
    expect(problem).to_have_text("130 is not between 0 and 100. The amount is still 40.0 %.")
    box(page).fill("33,33 %")
    expect(problem).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Python sees 33.3 %")).to_be_visible()
    expect(box(page)).to_have_value("33.3")
    box(page).press("ArrowUp")
    expect(page.get_by_text("Python sees 33.4 %")).to_be_visible()
    assert says(page) == "33.4 %: accuracy ≈ 90.0 %, ≈ 0 of 200 flip"


def test_while_one_points_it_says_what_is_there_and_stays(show: Open) -> None:
    page = show(amount=40)
    page.mouse.move(*place(page, 90, above=50))
    frames(page)
    assert page.locator(".hover span").inner_text() == "90.0 %: accuracy 18.0 %, 160 of 200 flip"
    assert says(page).startswith("40.0 %")
    assert page.locator(".hover").evaluate("e => getComputedStyle(e).opacity") == "1"
    page.mouse.move(5, 5)
    frames(page)
    assert page.locator(".hover").evaluate("e => getComputedStyle(e).opacity") == "0"


def test_without_a_curve_it_is_a_plain_track_that_sets_the_amount(show: Open) -> None:
    page = show(amount=40, points="none")
    assert says(page) == "40.0 %"
    expect(page.locator(".note")).to_have_text("There is no curve.")
    page.mouse.click(*place(page, 70))
    expect(page.get_by_text("Python sees 70.0 %")).to_be_visible()
    page = show(amount=40, points="begun")
    expect(page.locator(".note")).to_have_text("Measuring …")


def test_points_come_and_nothing_moves(show: Open) -> None:
    page = show(amount=80, points="half")
    page.evaluate(SHIFTS)
    before = page.locator(".amount-curve").bounding_box()
    assert says(page) == "80.0 %: not measured yet"
    assert page.locator(".lines .dots").count() == 2
    assert page.locator(".flag").count() == 0
    page.get_by_role("button", name="More points").click()
    expect(hand(page)).to_have_attribute("aria-valuetext", "80.0 %: accuracy 36.0 %, 120 of 200 flip")
    expect(page.locator(".flag")).to_have_text("most for 1 point")
    wait_until_settled(page)
    frames(page)
    assert page.locator(".amount-curve").bounding_box() == before
    assert page.evaluate("shifts") == []


def test_a_drag_moves_nothing_else(show: Open) -> None:
    page = show(amount=80)
    page.evaluate(SHIFTS)
    page.mouse.move(*place(page, 80))
    page.mouse.down()
    for percent in range(80, 0, -7):
        page.mouse.move(*place(page, percent))
        frames(page, 1)
    page.mouse.up()
    wait_until_settled(page)
    frames(page)
    assert page.evaluate("shifts") == []


def test_without_labels_it_shows_how_many_answers_stay(show: Open) -> None:
    page = show(amount=75, unlabelled=1)
    assert says(page) == "75.0 %: same answer as dense ≈ 50.0 %, ≈ 100 of 200 flip"
    assert page.locator(".lines .quality").count() == 0


def test_of_several_recipes_each_has_a_mark_until_a_hand_sets_one_amount_for_all(show: Open) -> None:
    page = show(several=1)
    assert says(page) == "Each its own: A 80.0 %, B 60.0 %"
    assert box(page).input_value() == ""
    expect(page.locator(".own .flag")).to_have_text(["A", "B"])
    expect(page.locator(".letter .chip")).to_have_text(["A", "B"])
    expect(page.locator(".stand")).to_be_hidden()
    page.mouse.move(*place(page, 30, above=50))
    page.mouse.down()
    expect(page.locator(".stand")).to_be_visible()
    page.mouse.move(*place(page, 75, above=50))
    # 0.9 * 0.5, and half of that with 0.45
    assert says(page) == "75.0 %: accuracy A ≈ 45.0 %, B ≈ 67.5 %"
    page.mouse.up()
    expect(page.get_by_text("Python sees 75.0 %")).to_be_visible()
    expect(page.locator(".own .flag")).to_have_count(0)


def test_while_amounts_differ_a_mark_can_be_clicked_a_key_starts_there_and_one_can_type(show: Open) -> None:
    page = show(several=1)
    page.locator(".own .flag", has_text="B").click()
    expect(page.get_by_text("Python sees 60.0 %")).to_be_visible()
    page = show(several=1)
    hand(page).press("ArrowLeft")
    expect(page.get_by_text("Python sees 79.9 %")).to_be_visible()
    page = show(several=1)
    box(page).fill("x")
    box(page).press("Enter")
    expect(page.locator(".problem")).to_have_text("“x” is no number and not between 0 and 100.")
    box(page).fill("12")
    box(page).press("Enter")
    expect(page.get_by_text("Python sees 12.0 %")).to_be_visible()


def finger(page: Page, *moves: tuple[str, float, float]) -> None:
    """What a finger does, as the browser hears of it from a screen: it may scroll the page."""
    session = page.context.new_cdp_session(page)
    for kind, x, y in moves:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        frames(page, 1)


def test_a_finger_drags_along_and_a_tap_goes_there(touch: Page) -> None:
    page = touch
    (x, y), (end, _) = place(page, 40, above=30), place(page, 80)
    steps = [("touchMove", x + (end - x) * i / 6, y + i) for i in range(1, 7)]
    finger(page, ("touchStart", x, y), *steps, ("touchEnd", 0, 0))
    expect(page.get_by_text("Python sees 80.0 %")).to_be_visible()
    x, y = place(page, 20, above=30)
    finger(page, ("touchStart", x, y), ("touchEnd", 0, 0))
    expect(page.get_by_text("Python sees 20.0 %")).to_be_visible()


def test_a_finger_that_scrolls_across_it_sets_nothing(touch: Page) -> None:
    page = touch
    _, runs = python_sees(page)
    x, y = place(page, 75, above=30)
    steps = [("touchMove", x, y - 12 * i) for i in range(1, 8)]
    finger(page, ("touchStart", x, y), *steps, ("touchEnd", 0, 0))
    page.wait_for_timeout(500)
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollTop") > 20
    assert says(page).startswith("40.0 %")
    assert python_sees(page) == (40, runs)


@pytest.mark.parametrize("width", [300, 1000])
@pytest.mark.parametrize(
    ("scheme", "more"), [("light", {}), ("dark", {}), ("light", {"several": 1}), ("dark", {"several": 1})]
)
def test_it_fits_and_passes_axe(show: Open, page: Page, width: int, scheme: str, more: dict[str, object]) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show(width=width, amount=75, **more)
    expect(page.locator(".flag").first).to_be_visible()
    found = Axe().run(page, context={"include": [[".st-key-curve"]]}, options={"resultTypes": ["violations"]})
    assert found.response["violations"] == []
    inside = page.locator(".amount-curve").evaluate(
        """root => {
          const { left, right, height } = root.getBoundingClientRect();
          const wide = [...root.querySelectorAll('span, input, svg, .track')].filter(each => {
            const box = each.getBoundingClientRect();
            return box.width && (box.left < left - 1 || box.right > right + 1);
          });
          return [height, wide.map(each => each.outerHTML)];
        }"""
    )
    assert inside[0] <= 170
    assert inside[1] == []
