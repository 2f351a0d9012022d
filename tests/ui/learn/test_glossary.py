"""The glossary on the Learn page: searched, asked for by address, and a way into the lessons."""

import re

import pytest

from pruning_explorer.lessons.glossary import glossary
from tests.ui.learn.learn_page import LearnPage


def titles(page: LearnPage) -> list[str]:
    return [each.value.replace("\\", "") for each in page.app.header]


def open_glossary(**address: str) -> LearnPage:
    return LearnPage(view="glossary", **address)


def search(page: LearnPage, typed: str) -> None:
    page.app.text_input(key="learn_glossary_search").set_value(typed).run()


def test_all_words_stand_in_alphabetical_order() -> None:
    page = open_glossary()
    words = list(glossary().words.values())
    assert titles(page) == [word.title for word in words]
    assert f"{len(words)} words, in alphabetical order" in page.text
    assert glossary().word("kl").text in page.text
    assert "Also called: Kullback-Leibler, relative entropy." in page.text
    assert page.warnings == []


def test_the_word_of_the_address_comes_first_and_is_marked() -> None:
    page = open_glossary(word="sqnr")
    assert titles(page)[0] == "SQNR"
    assert titles(page)[1] == "Accuracy"
    assert len(set(titles(page))) == len(glossary().words)
    assert "The word you asked for" in page.text
    assert page.address == {"view": "glossary", "word": "sqnr"}


@pytest.mark.parametrize(("word", "told"), [("sparcity", "Close to it: Sparsity"), ("<b>xyzzy", "by another name")])
def test_an_unknown_word_is_said_and_close_ones_are_offered(word: str, told: str) -> None:
    page = open_glossary(word=word)
    assert f"The glossary has no word “{word}”" in re.sub(r"\]\([^)]*\)|\[", "", page.warnings[0])
    assert told in re.sub(r"\]\([^)]*\)|\[", "", page.warnings[0])
    assert len(titles(page)) == len(glossary().words)
    assert "The word you asked for" not in page.text


def test_a_search_shows_what_speaks_of_it() -> None:
    page = open_glossary(word="amount")
    search(page, "2:4")
    assert titles(page)[0] == "N of every M"
    assert f"{len(titles(page))} of {len(glossary().words)} words speak of “2:4”" in page.text
    assert len(titles(page)) < 10
    search(page, "*zebra*")
    assert titles(page) == []
    assert "No word speaks of “*zebra*”" in page.text
    search(page, "")
    assert titles(page)[0] == "Amount"


def test_related_words_lead_to_where_they_stand() -> None:
    page = open_glossary()
    anchors = {each.proto.anchor for each in page.app.header}
    text = "\n".join(each.value for each in page.app.markdown)
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) > 100
    assert set(links) <= anchors
    # What the search has left out is opened by its address
    search(page, "sqnr")
    assert len(titles(page)) < 20
    text = "\n".join(each.value for each in page.app.markdown)
    anchors = {each.proto.anchor for each in page.app.header}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    left_out = re.findall(r"\]\(\?view=glossary&word=([^)]+)\)", text)
    assert left_out
    assert {f"word-{name}" for name in left_out}.isdisjoint(anchors)
    assert set(left_out) <= set(glossary().words)


def test_a_word_leads_into_its_lesson() -> None:
    page = open_glossary(word="mask")
    page.click("learn_glossary_lesson_mask")
    assert page.address == {"lesson": "a-mask"}
    assert page.app.title[0].value == "1. A mask"


def test_papers_can_be_looked_up() -> None:
    page = open_glossary(word="lottery-ticket")
    assert "[arXiv 1803.03635](https://arxiv.org/abs/1803.03635)" in page.text
