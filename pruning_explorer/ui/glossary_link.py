"""Links from the help of every control to the words of the glossary."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.ui.browser import declare_component
from pruning_explorer.ui.plain_text import plain

# Streamlit takes a help away as soon as its "?" loses the focus: before a tap on a link in it counts as one, and before
# the tab key could come to it
_REACH = declare_component("glossary_reach", Path(__file__).with_suffix(".js"))
_HINT = """<style>
body:has([data-testid=stTooltipIcon] :focus-visible) [data-testid=stTooltipContent] a:first-of-type::after {
  content: " (Enter)";
}
</style>"""


@dataclass(frozen=True)
class GlossaryLink:
    """A link to a word, as plain text."""

    title: str
    address: str


def glossary_links(*words: str | None) -> tuple[GlossaryLink, ...]:
    """Links to words of the glossary, for where no Markdown is read; None is one that it does not have.

    Raises:
        LessonError: the glossary has no such word.
    """
    known = (word for word in words if word is not None)
    return tuple(GlossaryLink(glossary().word(word).title, word_address(word)) for word in known)


def help_with_glossary_link(help: str, *words: str | None) -> str:
    r"""A control's help with a link to each word of the glossary that it speaks of.

    The link is relative, so that it leads right wherever the app is served; from a help it opens in a tab of its own.

    Args:
        help: Markdown.
        words: names of words; None is one that the glossary does not have, and gives no link.

    Raises:
        LessonError: the glossary has no such word.

    >>> help_with_glossary_link("Drag.", "amount")
    'Drag.\n\n[Glossary: Amount](learn?view=glossary&word=amount)'
    """
    links = " · ".join(f"[Glossary: {plain(each.title)}]({each.address})" for each in glossary_links(*words))
    return f"{help}\n\n{links}" if links else help


def word_address(word: str) -> str:
    """Where a word stands, from any page of the app."""
    return f"learn?view=glossary&word={word}"


def reach_words() -> None:
    """Let a finger and the keyboard reach the links in a help: a tap opens one, and Enter on its "?" the first."""
    st.html(_HINT)
    _REACH(key="glossary_reach")
