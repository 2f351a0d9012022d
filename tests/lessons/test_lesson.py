"""The form in which a lesson is written, and what is said of one that is not in it."""

import re
from dataclasses import replace

import pytest

from pruning_explorer import load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.lesson import begins_at, fill, read_lesson
from pruning_explorer.lessons.scenes import SCENES
from pruning_explorer.lessons.stages import stage_of
from pruning_explorer.ui.plain_text import plain

WHOLE = """
title = "Half of it"
idea = "Half of {weights} is {removed@0.5}."
scene = "mask_by_hand"
text = "Read."
play = "Drag."
question = "How many go?"
truth = "At {amount}, {removed} go."

[values]
amount = 0.25

[[answers]]
text = "None"
why = "Some go."

[[answers]]
text = "Half"
right = true
why = "Yes."
"""


def test_a_lesson_is_what_its_file_says() -> None:
    lesson = read_lesson(WHOLE, "half-of-it")
    assert (lesson.name, lesson.title, lesson.network) == ("half-of-it", "Half of it", "tutorial-mlp")
    assert [answer.right for answer in lesson.answers] == [False, True]
    assert begins_at(lesson, "amount") == 0.25


def test_facts_are_put_where_the_slider_stands_or_where_the_text_says() -> None:
    lesson = read_lesson(WHOLE, "half")
    stage = stage_of(load_subject(lesson.network), lesson.scene, {})
    assert fill(lesson.idea, stage, lesson.scene, 7, str) == "Half of 20 is 10."
    assert fill(lesson.truth, stage, lesson.scene, 25, str) == "At 25 %, 5 go."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("title = ", "tilte = "), "'title'; a lesson must say it"),
        (("truth = ", 'extra = "x"\ntruth = '), "unknown part 'extra'"),
        (("[values]", "[valeus]"), "unknown part 'valeus'; did you mean 'values'?"),
        (('"mask_by_hand"', '"mask_by_foot"'), "no scene 'mask_by_foot'; the scenes are mask_by_hand"),
        (("amount = 0.25", "amount = 25"), "amount 25 is outside [0, 1]"),
        (("amount = 0.25", "speed = 3"), "has no 'speed'; what can be set: amount"),
        (("{weights}", "{wieghts}"), "has no fact 'wieghts'; it has amount, "),
        (("{weights}", "\\\\frac{a}{b}"), "Braces that are no fact are doubled: {{a}}"),
        (('"Read."', '"![](https://example.org/x.png)"'), "text has a picture (“![”)"),
        (("right = true", "right = false"), "“right = true” in exactly one"),
        (("right = true", 'right = "yes"'), "right must be true or false, not 'yes'"),
        (('why = "Yes."', ""), "answer 2 has no 'why'"),
        (('title = "Half of it"', "title = 3"), "title must be text, not 3"),
        (("[values]", "values ="), "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(change: tuple[str, str], told: str) -> None:
    text = WHOLE.replace(*change)
    assert text != WHOLE
    with pytest.raises(LessonError, match=re.escape(told)):
        read_lesson(text, "half")


def test_doubled_braces_are_no_fact() -> None:
    lesson = read_lesson(WHOLE.replace("{weights}", "$\\\\frac{{a}}{{b}}$ of {weights} {{weights}}"), "half")
    stage = stage_of(load_subject(lesson.network), lesson.scene, {})
    assert fill(lesson.idea, stage, lesson.scene, 0, str) == "Half of $\\frac{a}{b}$ of 20 {weights} is 10."


@pytest.mark.parametrize(("place", "told"), [("0.505", "between two stops"), ("half", "is not a number")])
def test_a_fact_is_asked_for_at_a_stop(place: str, told: str) -> None:
    lesson = read_lesson(WHOLE.replace("{removed@0.5}", f"{{removed@{place}}}"), "half")
    stage = stage_of(load_subject(lesson.network), lesson.scene, {})
    with pytest.raises(LessonError, match=told):
        fill(lesson.idea, stage, lesson.scene, 0, str)


def test_a_fact_that_is_a_strangers_word_is_shown_and_not_read() -> None:
    """The name of a class, in a text of Markdown: no picture is fetched, and no other fact is put in."""
    marker = "![marker](https://example.org/marker.png) `{removed}` **m**"
    lesson = built_in_catalog().lessons["what-it-still-knows"]
    stage = stage_of(load_subject(lesson.network), lesson.scene, {})
    strange = replace(stage, facts={**stage.facts, "end_answer": marker})
    filled = fill("It is {end_answer}, `{end_answer}`.", strange, lesson.scene, 0, plain)
    assert filled == f"It is {plain(marker)}, `{plain(marker)}`."
    assert "](" not in filled
    assert "{removed}" not in filled


def test_every_lesson_can_be_read_in_two_minutes() -> None:
    words = {name: lesson.words for name, lesson in built_in_catalog().lessons.items()}
    # 230 words a minute, a slow reader's pace for plain text
    assert {name: count for name, count in words.items() if count > 460} == {}


@pytest.mark.parametrize("name", list(built_in_catalog().lessons))
def test_every_lessons_sentences_are_filled_at_every_stop(name: str) -> None:
    lesson = built_in_catalog().lessons[name]
    knobs = {knob.setting.name: begins_at(lesson, knob.setting.name) for knob in lesson.scene.knobs}
    stage = stage_of(load_subject(lesson.network), lesson.scene, knobs)
    assert set(stage.facts) == set(lesson.scene.facts), "what the scene declares is what it gives"
    answers = [text for answer in lesson.answers for text in (answer.text, answer.why)]
    stops = range(len(stage.slider.stops)) if stage.slider else [0]
    for stop in stops:
        for text in (lesson.idea, lesson.text, lesson.play, lesson.question, lesson.truth, *answers):
            fill(text, stage, lesson.scene, stop, str)
        stage.recipe(stop).chosen(load_subject(lesson.network))


def test_every_scene_is_in_a_lesson() -> None:
    assert {lesson.scene.name for lesson in built_in_catalog().lessons.values()} == set(SCENES)
