"""The glossary: every word of the app, to search and to link to."""

from collections.abc import Callable, Collection

import streamlit as st

from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.glossary import Glossary, Word, glossary
from pruning_explorer.ui.papers import link_papers
from pruning_explorer.ui.plain_text import plain

SEARCH = "learn_glossary_search"

_STYLE = """<style>
.st-key-learn_glossary_words h2 { font-size: 1.25rem; padding: 1.25rem 0 0.35rem; }
.st-key-learn_glossary_words [data-testid=stMarkdownContainer] { max-width: 46rem; }
</style>"""


def draw_glossary(word: str | None, open_lesson: Callable[[str], None]) -> None:
    """All words in alphabetical order, or those that a search finds.

    Args:
        word: the one that the address asks for, which comes first; None for none.
        open_lesson: opens a lesson by its name; called before the next run.
    """
    known = glossary()
    st.html(_STYLE)
    st.title("Glossary", anchor=False)
    sought = st.text_input(
        "Search the glossary",
        key=SEARCH,
        placeholder="KL, 2:4, weight_orig …",
        help="Any part of a word, of what others call it, or of its explanation; press Enter.",
        icon=":material/search:",
        max_chars=80,
        width=420,
    ).strip()
    found = known.matching(sought)
    asked = known.words.get(word) if word is not None else None
    if word is not None and asked is None:
        _tell_unknown(word, known, found)
    if asked in found:
        found = (asked, *(each for each in found if each is not asked))
    st.caption(_how_many(len(found), len(known.words), sought))
    with st.container(key="learn_glossary_words", gap="xsmall"):
        drawn = {each.name for each in found}
        for each in found:
            if each is asked:
                with st.container(border=True, key="learn_glossary_asked", gap="xsmall"):
                    st.caption(":material/bookmark: The word you asked for")
                    _draw(each, drawn, open_lesson)
            else:
                _draw(each, drawn, open_lesson)


def _tell_unknown(word: str, known: Glossary, found: Collection[Word]) -> None:
    drawn = {each.name for each in found}
    close = ", ".join(_link(known.word(name), drawn) for name in known.close_to(word))
    way_out = f"Close to it: {close}." if close else "Search it below by another name."
    st.warning(f"The glossary has no word “{plain(word, longest=60)}”. {way_out}", icon=":material/search_off:")


def _how_many(found: int, of_all: int, sought: str) -> str:
    if not sought:
        return f"{of_all} words, in alphabetical order. The “?” beside every control leads here."
    if not found:
        return f"No word speaks of “{plain(sought)}”. Try fewer letters, or empty the search to see all {of_all}."
    return f"{found} of {of_all} words speak of “{plain(sought)}”; those that are called so come first."


def _draw(word: Word, drawn: Collection[str], open_lesson: Callable[[str], None]) -> None:
    st.header(plain(word.title), anchor=_anchor(word))
    lines = [link_papers(word.text)]
    if word.also:
        lines.append(f"Also called: {', '.join(plain(each) for each in word.also)}.")
    if word.see:
        lines.append(f"See: {', '.join(_link(glossary().word(name), drawn) for name in word.see)}.")
    st.markdown("  \n".join(lines))
    lesson = built_in_catalog().lessons.get(word.lesson)
    if lesson is not None:
        st.button(
            f"Lesson: {plain(lesson.title)}",
            key=f"learn_glossary_lesson_{word.name}",
            type="tertiary",
            icon=":material/school:",
            on_click=open_lesson,
            args=(lesson.name,),
        )


def _anchor(word: Word) -> str:
    return f"word-{word.name}"


def _link(word: Word, drawn: Collection[str]) -> str:
    """To where a word stands on this page; to a page of its own where the search has left it out."""
    address = f"#{_anchor(word)}" if word.name in drawn else f"?view=glossary&word={word.name}"
    return f"[{plain(word.title)}]({address})"
