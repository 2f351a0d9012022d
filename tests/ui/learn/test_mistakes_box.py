"""The box of common errors: nothing is computed before it is opened, and there are ways on."""

from pruning_explorer.lessons.mistakes import MISTAKES, find_out
from tests.ui.learn.learn_page import LearnPage


def open_fold(page: LearnPage, name: str) -> None:
    page.app.session_state[f"learn_mistake_{name}"] = True
    page.run()


def test_each_claim_is_a_fold_and_only_the_open_one_is_computed() -> None:
    find_out.cache_clear()
    page = LearnPage(view="mistakes")
    assert [fold.label for fold in page.app.expander] == [mistake.claim for mistake in MISTAKES]
    assert (page.panels, find_out.cache_info().currsize) == ([], 0)
    open_fold(page, "half-twice")
    assert find_out.cache_info().currsize == 1
    assert [panel["title"] for panel in page.panels] == ["50 % twice", "The same in torch"]
    assert "10 and 5 are 15 of 20, 75.0 %" in page.text


def test_every_error_can_be_opened() -> None:
    page = LearnPage(view="mistakes")
    for mistake in MISTAKES:
        page.app.session_state[f"learn_mistake_{mistake.name}"] = True
    page.run()
    assert page.errors == []
    for mistake in MISTAKES:
        assert mistake.tell(find_out(mistake)) in page.text
        assert page.app.button(key=f"learn_mistake_{mistake.name}_explore")
    assert "{" not in page.text


def test_a_lesson_shows_more() -> None:
    page = LearnPage(view="mistakes")
    open_fold(page, "half-twice")
    page.click("learn_mistake_half-twice_lesson")
    assert page.address == {"lesson": "again-and-again"}
    assert page.app.title[0].value.endswith("Again and again")
