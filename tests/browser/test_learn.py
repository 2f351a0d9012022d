"""Learn in a real browser: a walk through every lesson, in front of a class, on paper, and on into Explore."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from pruning_explorer.lessons.catalog import built_in_catalog
from tests.browser.conftest import wait_until_settled
from tests.browser.explore_page import ExplorePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, TOO_WIDE, violations

Explore = Callable[..., ExplorePage]
LESSONS = built_in_catalog().lessons


def learn(explore: Explore, query: str = "", **options: Any) -> ExplorePage:
    visit = explore(f"/learn{query}", stand=False, **options)
    expect(readout(visit.page)).not_to_be_empty()
    return visit


def readout(page: Page) -> Locator:
    return page.locator(".st-key-learn_play .controls .readout").first


def title(page: Page, name: str) -> None:
    number = list(LESSONS).index(name) + 1
    expect(page.get_by_role("heading", name=f"{number}. {LESSONS[name].title}")).to_be_visible()
    wait_until_settled(page)  # the stage of the lesson before stands until this one's is prepared


def answer(page: Page, number: int) -> None:
    page.locator(".st-key-learn_question label:has(input[type=radio])").nth(number).click()
    button = page.get_by_role("button", name="Show the truth")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator(".st-key-learn_truth")).to_contain_text("your answer")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_a_walk_through_every_lesson(explore: Explore, viewport: dict[str, int], scheme: str) -> None:
    visit = learn(explore, viewport=viewport, color_scheme=scheme)
    page = visit.page
    found: dict[str, list[str]] = {}
    for number, (name, lesson) in enumerate(LESSONS.items()):
        title(page, name)
        if lesson.scene.slider is not None:
            before = readout(page).inner_text()
            page.locator(".st-key-learn_play .slider").first.press("ArrowRight")
            expect(readout(page)).not_to_have_text(before)
            expect(page).to_have_url(re.compile(rf"lesson={name}&.*{lesson.scene.slider.name}="))
        right = next(place for place, each in enumerate(lesson.answers) if each.right)
        answer(page, right if number % 2 else 0)
        found[name] = [*violations(visit), *page.evaluate(TOO_WIDE)]
        if viewport is DESKTOP and number + 1 < len(LESSONS):
            page.locator(".st-key-learn_play .slider").first.press("n")  # also where one has just dragged
        elif number + 1 < len(LESSONS):
            page.locator(".st-key-learn_onwards button").click()
    expect(page.get_by_text(f"{len(LESSONS)} answered")).to_be_visible()
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_clicker_turns_lessons_in_large_type(explore: Explore) -> None:
    page = learn(explore, "?lesson=a-mask").page
    page.locator("body").press("PageDown")
    title(page, "a-mask")
    page.get_by_text("Large type").click()
    expect(page).to_have_url(re.compile("present=true"))
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    first, second = list(LESSONS)[:2]
    for key, name in (("PageDown", second), ("PageUp", first), ("PageDown", second)):
        page.locator(".st-key-learn_play .slider").first.press(key)  # where one has just dragged
        title(page, name)
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name=LESSONS[first].title).click()
    title(page, first)
    page.keyboard.press("PageDown")  # the list is shut, and has no use for it
    title(page, second)
    page.locator(".st-key-learn_question label:has(input[type=radio])").first.click()
    page.keyboard.press("p")
    title(page, first)


def test_the_browsers_way_back_leads_to_the_lesson_before(explore: Explore) -> None:
    page = learn(explore, "?lesson=a-mask&amount=0.4").page
    page.get_by_role("button", name=re.compile("^Next")).first.click()
    title(page, "what-it-still-knows")
    page.go_back()
    title(page, "a-mask")
    expect(readout(page)).to_have_text("40 %")


def test_the_way_back_takes_back_what_was_set(explore: Explore) -> None:
    page = learn(explore, "?lesson=hardware-patterns&amount=0.3").page
    page.locator(".st-key-learn_play .slider").first.press("ArrowRight")
    expect(page).to_have_url(re.compile("amount=0.31"))
    page.get_by_role("radio", name="1:4").click()
    expect(page).to_have_url(re.compile("pattern=1:4|pattern=1%3A4"))
    wait_until_settled(page)
    page.go_back()
    expect(page.get_by_role("radio", name="2:4").filter(visible=True)).to_be_checked()
    expect(readout(page)).to_have_text("31 %")
    wait_until_settled(page)
    page.go_back()
    expect(readout(page)).to_have_text("30 %")
    assert page.url.endswith("lesson=hardware-patterns&amount=0.3")


def test_a_hand_out_asks_and_does_not_answer(explore: Explore) -> None:
    page = learn(explore, "?lesson=a-mask&amount=0.4", color_scheme="dark").page
    answer(page, 1)
    page.emulate_media(media="print")
    lesson = LESSONS["a-mask"]
    shown = page.locator("body").inner_text()
    for wanted in (lesson.title, "You prune 20 %. What goes?", *["☐"] * len(lesson.answers)):
        assert wanted in shown
        shown = shown.replace(wanted, "", 1)
    for hidden in ("Show the truth", "your answer", "ranked over the whole matrix", "Large type", "Start over"):
        assert hidden not in shown
    expect(page.locator(".st-key-learn_play .slider").first).to_be_hidden()
    expect(page.locator(".st-key-learn_play").get_by_text("40 %").locator("visible=true").first).to_be_visible()
    expect(page.locator(".st-key-learn_play [data-title=weight_mask]")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.st-key-learn_words p')).color") == "rgb(0, 0, 0)"


def test_a_lesson_is_opened_in_explore_as_it_stands(explore: Explore) -> None:
    visit = learn(explore, "?lesson=each-layer-or-all&amount=0.6")
    visit.page.get_by_role("button", name="Open this in Explore").click()
    expect(visit.page.get_by_role("heading", name="Explore")).to_be_visible()
    visit.stand(cliff=False)
    for part in ("subject=digits-mlp", "amount=0.6", "scope=global"):
        assert part in visit.page.url


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_the_other_parts_fit_and_pass_axe(explore: Explore, viewport: dict[str, int], scheme: str) -> None:
    visit = explore("/learn?word=sparsity", stand=False, viewport=viewport, color_scheme=scheme)
    page = visit.page
    expect(page.get_by_role("heading", name="Sparsity").first).to_be_visible()
    found = [*violations(visit), *page.evaluate(TOO_WIDE)]
    page.get_by_role("radio", name="Common errors").click()
    page.get_by_text("removes 20 % of each neuron").click()
    expect(page.locator("details[open] figure").first).to_be_visible()
    found += [*violations(visit), *page.evaluate(TOO_WIDE)]
    page.get_by_role("radio", name="Add a lesson").click()
    expect(page.get_by_role("heading", name="Add a lesson")).to_be_visible()
    page.mouse.move(0, 0)  # off the segment: Streamlit pales it while a pointer is on it
    found += [*violations(visit), *page.evaluate(TOO_WIDE)]
    assert not found, "\n".join(found)


def test_what_was_set_is_still_there_on_coming_back(explore: Explore) -> None:
    visit = learn(explore, "?lesson=a-mask&amount=0.1")
    page = visit.page
    page.locator(".st-key-learn_play .slider").first.press("End")
    expect(page).to_have_url(re.compile("amount=1"))
    page.get_by_role("button", name="Open this in Explore").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    visit.stand(cliff=False)
    page.get_by_role("link", name="Learn").click()
    title(page, "a-mask")
    expect(readout(page)).to_have_text("100 %")
    assert "amount=1" in page.url
