"""The Learn page: where one is, what one answered, and what a teacher brings."""

import json
from pathlib import Path

import pytest

from pruning_explorer.lessons.catalog import FILES, built_in_catalog
from pruning_explorer.ui.learn.catalogs import add_folder
from tests.ui.hands import controlled
from tests.ui.learn.learn_page import LearnPage

NAMES = list(built_in_catalog().lessons)
FIRST = (FILES / "01-a-mask.toml").read_text()
TRUTH = "The amount is a fraction of the whole tensor"


def test_the_first_lesson_is_shown_and_its_address_says_so() -> None:
    page = LearnPage()
    assert page.address == {"lesson": "a-mask"}
    assert page.app.title[0].value == "1. A mask"
    assert f"Lesson 1 of {len(NAMES)} · 0 answered" in page.text


def test_of_what_an_address_says_twice_the_last_counts() -> None:
    page = LearnPage("a-mask", amount=["0.2", "0.5"], present=["false", "true"])
    assert page.address == {"lesson": "a-mask", "amount": "0.5", "present": "true"}


def test_an_address_opens_a_lesson_as_it_was_left() -> None:
    page = LearnPage("a-mask", amount="0.5", present="true")
    assert page.address == {"lesson": "a-mask", "amount": "0.5", "present": "true"}
    assert page.warnings == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ({"lesson": "a-musk"}, "there is no lesson 'a-musk'; a-mask is shown instead"),
        ({"lesson": "a-mask", "amount": "2"}, "amount was not used: amount 2 is outside [0, 1]"),
        ({"lesson": "a-mask", "speed": "2"}, "speed was not used: mask_by_hand has no 'speed'"),
        ({"lesson": "a-mask", "network": "digits-cnn"}, "network was not used: this lesson is about tutorial-mlp"),
        ({"amount": "nan"}, "amount was not used: no lesson is named"),
        ({"view": "games"}, "there is no part 'games' of this page"),
    ],
)
def test_what_an_address_asks_in_vain_is_told(address: dict[str, str], told: str) -> None:
    page = LearnPage(**address)
    assert told in page.warnings[0]
    assert page.address == {"lesson": "a-mask"}
    page.click("address_read")
    assert page.warnings == []


def test_the_truth_is_told_once_the_question_is_answered() -> None:
    page = LearnPage("a-mask")
    assert TRUTH not in page.text
    assert page.app.button(key="learn_check").disabled
    page.answer(0)
    assert "Not this one." in page.text
    assert TRUTH in page.text
    assert "1 answered, 0 right" in page.text
    page.answer(1)
    assert "Right." in page.text
    assert "1 answered, 1 right" in page.text
    assert controlled(page.app.selectbox, "learn_chosen").options[0] == "1 · A mask ✓"


def test_every_answers_reason_is_told() -> None:
    page = LearnPage("a-mask")
    page.answer(2)
    lesson = built_in_catalog().lessons["a-mask"]
    for answer in lesson.answers:
        assert answer.why.partition("{")[0].strip() in page.text
    assert "Wrong · your answer" in page.text


def test_starting_over_forgets_answers_and_settings() -> None:
    page = LearnPage("a-mask", amount="0.5")
    page.answer(1)
    page.click("learn_start_over")
    assert "0 answered" in page.text
    assert TRUTH not in page.text
    assert page.address == {"lesson": "a-mask"}
    assert page.app.radio[0].value is None


def test_one_turns_from_lesson_to_lesson() -> None:
    page = LearnPage()
    assert page.app.button(key="learn_previous").disabled
    for name in NAMES[1:3]:
        page.click("learn_next")
        assert page.address["lesson"] == name
    page.click("learn_previous")
    assert page.address["lesson"] == NAMES[1]
    controlled(page.app.selectbox, "learn_chosen").select_index(len(NAMES) - 1)
    page.run()
    assert page.address["lesson"] == NAMES[-1]
    assert page.app.button(key="learn_next").disabled


def test_answers_stay_when_one_comes_back() -> None:
    page = LearnPage("a-mask")
    page.answer(1)
    page.click("learn_next")
    assert TRUTH not in page.text
    page.click("learn_previous")
    assert TRUTH in page.text


def open_adding(page: LearnPage) -> None:
    controlled(page.app.button_group, "learn_view_chosen").set_value("add")
    page.run()


def drop(page: LearnPage, name: str, content: str) -> None:
    page.app.file_uploader[0].set_value((name, content.encode(), "application/toml"))
    page.run()


def test_a_dropped_lesson_is_opened_and_listed_last() -> None:
    page = LearnPage(view="add")
    drop(page, "our-class.toml", FIRST.replace('"A mask"', '"Our class"'))
    assert page.address == {"lesson": "our-class"}
    assert page.app.title[0].value == f"{len(NAMES) + 1}. Our class"
    assert page.figure("Removed", 20) == "4"
    open_adding(page)
    page.click("learn_away_our-class")
    open_adding(page)
    assert "Our class" not in page.text
    assert len(page.app.file_uploader) == 1


def test_a_dropped_lesson_that_cannot_be_read_changes_nothing() -> None:
    page = LearnPage(view="add")
    drop(page, "a-mask.toml", FIRST)
    assert "there is a lesson a-mask already" in page.errors[0]
    drop(page, "broken.toml", FIRST.replace("{weights}", "{heavy}"))
    assert "has no fact 'heavy'" in page.errors[0]
    drop(page, "lost.toml", FIRST.replace("scene =", 'network = "resnet50"\nscene ='))
    assert "lost: no network is called 'resnet50' here; there are tutorial-mlp" in page.errors[0]
    assert page.address == {"view": "add"}


def test_a_folders_lesson_is_shown_and_stays_while_its_file_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pruning_explorer.ui.learn.catalogs._FOLDERS", [])
    add_folder(tmp_path)
    file = tmp_path / "our-class.toml"
    file.write_text(FIRST.replace('"A mask"', '"Our class"'))
    page = LearnPage("our-class")
    assert page.app.title[0].value == f"{len(NAMES) + 1}. Our class"
    file.write_text(FIRST.replace('"A mask"', '"Half a'))
    page.run()
    assert page.app.title[0].value == f"{len(NAMES) + 1}. Our class"
    assert "Not every lesson's file could be read" in page.text
    open_adding(page)
    assert "our-class is not TOML" in page.warnings[0]
    file.write_text(FIRST.replace('"A mask"', '"Our school"').replace("amount = 0.0", "amount = 0.4"))
    page = LearnPage("our-class")
    assert page.app.title[0].value == f"{len(NAMES) + 1}. Our school"
    file.unlink()
    assert "there is no lesson 'our-class'" in LearnPage("our-class").warnings[0]


def test_a_hostile_lesson_is_only_words() -> None:
    page = LearnPage(view="add")
    drop(page, "x.toml", FIRST.replace("Pruning deletes nothing", "<script>alert(1)</script> <b>bold</b>"))
    assert page.errors == []
    assert not [each for each in page.app.get("html") if "alert" in str(each.proto)]
    assert all(not each.allow_html for each in page.app.markdown)


def test_the_form_that_is_shown_is_the_one_that_is_read() -> None:
    page = LearnPage(view="add")
    for part in ("title", "idea", "scene", "network", "any_network", "text", "play", "values", "question", "truth"):
        assert f"`{part}`" in page.text or f"`[{part}]`" in page.text
    assert FIRST.strip() in page.text


def test_the_stage_is_sent_once_for_all_stops() -> None:
    page = LearnPage("a-mask", amount="0.5")
    data = next(
        json.loads(each.proto.json) for each in page.app.get("bidi_component") if "panels" in (each.proto.json or "")
    )
    assert len(data["stops"]) == 101
    assert data["start"] == 50
