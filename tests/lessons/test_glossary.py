"""The words of the app: whole, true to what the package itself says, and without a reference that leads nowhere."""

import re

import pytest

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import FILES, lesson_name
from pruning_explorer.lessons.glossary import FILE, glossary, read_glossary
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS
from pruning_explorer.prune.schedule import SCHEDULES

LESSONS = [lesson_name(file.name) for file in FILES.glob("*.toml")]
DESIGN = """
subject target criterion granularity scope amount recipe mask report drift quality run sparsity requested kl cosine
sqnr agreement flipped interval tie macs theoretical dead-channel layer-collapse cap schedule erk recalibrate
calibration-inputs n-m block exit-amount checkpoint exported-program factory sample lottery-ticket rewinding
weight-orig weight-mask pruning-container prune-remove structured unstructured
"""


def test_all_of_it_can_be_read_and_leads_to_lessons_that_are_there() -> None:
    read = read_glossary(FILE.read_text(), LESSONS)
    assert len(read.words) > 90
    titles = [word.title.casefold() for word in read.words.values()]
    assert titles == sorted(set(titles))


def test_every_lesson_is_led_to() -> None:
    led_to = {word.lesson for word in glossary().words.values()}
    lost = [lesson for lesson in LESSONS if lesson not in led_to]
    assert lost == [], f'give a word of glossary.toml lesson = "{lost[0]}"'


@pytest.mark.parametrize("name", DESIGN.split())
def test_the_words_of_the_pages_are_there(name: str) -> None:
    assert glossary().word(name).text


def test_words_are_short() -> None:
    for word in glossary().words.values():
        sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z“`])", word.text.replace("et al. ", "et al ").removesuffix("."))
        # A criterion says where it comes from in a sentence of its own
        assert len(sentences) <= 3 + ("From arXiv" in word.text), word.name
        assert len(word.text.split()) <= 60, word.name
        assert word.text.endswith("."), word.name
        assert "!" not in word.text


@pytest.mark.parametrize(
    ("kind", "choices"),
    [
        ("criterion", CRITERIA),
        ("granularity", GRANULARITIES),
        ("scope", SCOPES),
        ("schedule", SCHEDULES),
        ("allocation", ALLOCATIONS),
    ],
)
def test_every_choice_has_a_word_in_the_packages_own_sentence(kind: str, choices: dict) -> None:
    for name, choice in choices.items():
        named = glossary().word_for(kind, name)
        assert named is not None, (
            f'glossary.toml needs a word for it: [{name.replace("_", "-")}], text = "{{{kind}:{name}}}"'
        )
        word = glossary().word(named)
        assert choice.help in word.text
        assert choice.title in (word.title, *word.also)
    if kind == "criterion":
        assert "arXiv 2306.11695" in glossary().word("wanda").text


def test_every_setting_of_a_recipe_has_a_word() -> None:
    for name, setting in SETTINGS.items():
        word = glossary().word({"embeddings": "embedding", "biases": "bias", "norms": "norm-layer"}.get(name, name))
        assert setting.label in (word.title, *word.also) or setting.label in word.text


def test_words_are_found_by_what_others_call_them() -> None:
    def found(typed: str) -> str:
        return glossary().matching(typed)[0].name

    assert found("2:4") == "n-m"
    assert found("KULLBACK") == "kl"
    assert found("random_unstructured") == "random"
    assert glossary().matching("zebra") == ()
    assert len(glossary().matching("  ")) == len(glossary().words)
    # Those that are called so stand before those that only mention it
    names = [word.name for word in glossary().matching("calibration")]
    assert names[0] == "calibration-inputs"
    assert len(names) > 1


def test_a_misspelt_word_is_told_those_that_are_close() -> None:
    assert glossary().close_to("sparcity")[0] == "sparsity"
    assert "fine-tuning" in glossary().close_to("Fine tuning")
    assert glossary().close_to("xyzzy") == ()
    with pytest.raises(LessonError, match=r"no word 'sparcity'; did you mean sparsity"):
        glossary().word("sparcity")
    with pytest.raises(LessonError, match="no word 'xyzzy'; search it by another name"):
        glossary().word("xyzzy")
    assert glossary().word_for("criterion", "luck") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[amount", "the glossary is not TOML"),
        ('amount = "much"', "'amount' is no word of the glossary; write a table"),
        ('["Big Word"]\ntitle = "a"\ntext = "b."', "'Big Word' is no word"),
        ('[a]\ntext = "b."', "a: title must be text, not None"),
        ('[a]\ntitle = "A"\ntext = 3', "a: text must be text, not 3"),
        ('[a]\ntitle = "A"\ntext = "b."\nalso = "c"', "a: also must be a list of texts, [\"…\"], not 'c'"),
        ('[a]\ntitle = "A"\ntext = "b."\nsea = []', "a has an unknown part 'sea'; it may have title, text, also, see"),
        ('[a]\ntitle = "A"\ntext = "b."\nsee = ["c"]', "a refers to 'c', which is no other word of the glossary"),
        ('[a]\ntitle = "A"\ntext = "b."\nsee = ["a"]', "a refers to 'a', which is no other word of the glossary"),
        ('[a]\ntitle = "A"\ntext = "b."\nlesson = "c"', "a names a lesson 'c'; there are one, two"),
        ('[a]\ntitle = "A"\ntext = "{criterion:wander}"', "a quotes 'criterion:wander', of which the package says"),
    ],
)
def test_what_leads_nowhere_is_refused(text: str, told: str) -> None:
    with pytest.raises(LessonError) as error:
        read_glossary(text, ["one", "two"])
    assert told in str(error.value)
