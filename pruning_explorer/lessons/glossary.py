"""The words of the whole app. A file says them; what the package already says of a choice is taken from there."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pruning_explorer.errors import LessonError
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS
from pruning_explorer.prune.schedule import SCHEDULES, STEPS

FILE = Path(__file__).with_name("glossary.toml")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
QUOTE = re.compile(r"\{([^{}]*)\}")
"""A placeholder in a glossary text, such as ``{criterion:wanda}``, in whose place the package's own description is
put."""


@dataclass(frozen=True)
class Word:
    """One entry.

    Attributes:
        name: as links call it, ``"exit-amount"``.
        title: as pages write it.
        text: one to three sentences, in Markdown.
        also: what others call it.
        see: names of related words.
        lesson: name of the lesson that shows it; empty for none.
    """

    name: str
    title: str
    text: str
    also: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    lesson: str = ""

    def speaks_of(self, sought: str) -> bool:
        """Whether every word that was typed occurs somewhere in this one."""
        whole = " ".join((self.name, self.title, *self.also, self.text)).casefold()
        return all(part in whole for part in sought.casefold().split())


@dataclass(frozen=True)
class Glossary:
    """All words, in the order of their titles.

    Attributes:
        words: by name.
        quoted: what each quotes, to the word's name: ``"criterion:wanda"`` -> ``"wanda"``.
    """

    words: Mapping[str, Word]
    quoted: Mapping[str, str]

    def word(self, name: str) -> Word:
        """Raises LessonError where there is no such word, with those that are close."""
        if name not in self.words:
            close = self.close_to(name)
            hint = f"did you mean {', '.join(close)}?" if close else "search it by another name"
            raise LessonError(f"the glossary has no word {name!r}; {hint}")
        return self.words[name]

    def word_for(self, kind: str, name: str) -> str | None:
        """Name of the word that says what a choice is: of the kind ``"criterion"`` and the name ``"mask"``, own-mask.

        None where no word quotes it, as it may be with what another package offers.
        """
        return self.quoted.get(f"{kind}:{name}")

    def close_to(self, name: str, most: int = 4) -> tuple[str, ...]:
        """Names of words that someone may have meant, by any of their names; the closest first."""
        known = {spelling.casefold(): word.name for word in self.words.values() for spelling in _spellings(word)}
        found = get_close_matches(name.casefold(), known, n=3 * most, cutoff=0.7)
        return tuple(dict.fromkeys(known[each] for each in found))[:most]

    def matching(self, sought: str) -> tuple[Word, ...]:
        """Words that speak of what was typed, those that are called so first; all where nothing was typed."""
        found = [word for word in self.words.values() if word.speaks_of(sought)]
        typed = " ".join(sought.casefold().split())
        return tuple(sorted(found, key=lambda word: not any(typed in each.casefold() for each in _spellings(word))))


@lru_cache(maxsize=1)
def glossary() -> Glossary:
    """The words that come with the program."""
    return read_glossary(FILE.read_text(encoding="utf-8"))


def read_glossary(text: str, lessons: Iterable[str] | None = None) -> Glossary:
    """Read a file of words.

    Args:
        text: TOML, a table for each word.
        lessons: names of all lessons there are; None leaves it open whether those that words name are there.

    Raises:
        LessonError: it is not TOML; a word lacks its title or text, has an unknown part, or one of the wrong kind; it
            names a word, a lesson or a choice that there is not.
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LessonError(f"the glossary is not TOML: {error}") from None
    said = _said()
    quoted: dict[str, str] = {}
    words = [_word(name, part, said, quoted) for name, part in content.items()]
    ordered = {word.name: word for word in sorted(words, key=lambda word: word.title.casefold())}
    known = None if lessons is None else set(lessons)
    for word in words:
        for other in word.see:
            if other not in ordered or other == word.name:
                raise LessonError(f"{word.name} refers to {other!r}, which is no other word of the glossary")
        if word.lesson and known is not None and word.lesson not in known:
            raise LessonError(f"{word.name} names a lesson {word.lesson!r}; there are {', '.join(sorted(known))}")
    return Glossary(MappingProxyType(ordered), MappingProxyType(quoted))


def _said() -> dict[str, str]:
    """What the package says of each setting and choice, by kind and name."""
    settings = {**SETTINGS, STEPS.name: STEPS, **{s.name: s for s in GRANULARITIES["channel"].settings}}
    said = {f"setting:{name}": setting.help for name, setting in settings.items()}
    said |= {f"criterion:{name}": _of_criterion(each) for name, each in CRITERIA.items()}
    for kind, choices in (
        ("granularity", GRANULARITIES),
        ("scope", SCOPES),
        ("schedule", SCHEDULES),
        ("allocation", ALLOCATIONS),
    ):
        said |= {f"{kind}:{name}": choice.help for name, choice in choices.items()}
    return said


def _of_criterion(criterion: Criterion) -> str:
    paper = f"From {criterion.paper}." if criterion.paper else ""
    return " ".join(filter(None, (criterion.help, criterion.advice, paper)))


def _word(name: str, part: object, said: Mapping[str, str], quoted: dict[str, str]) -> Word:
    if not NAME.fullmatch(name) or not isinstance(part, dict):
        raise LessonError(f"{name!r} is no word of the glossary; write a table [some-word] with a title and a text")
    unknown = set(part) - {"title", "text", "also", "see", "lesson"}
    if unknown:
        raise LessonError(f"{name} has an unknown part {min(unknown)!r}; it may have title, text, also, see, lesson")

    def quote(found: re.Match[str]) -> str:
        if found[1] not in said:
            close = get_close_matches(found[1], said, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise LessonError(f"{name} quotes {found[1]!r}, of which the package says nothing{hint}")
        quoted.setdefault(found[1], name)
        return said[found[1]]

    return Word(
        name,
        _text(name, part, "title"),
        QUOTE.sub(quote, _text(name, part, "text")),
        _texts(name, part, "also"),
        _texts(name, part, "see"),
        _text(name, part, "lesson") if "lesson" in part else "",
    )


def _text(name: str, part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    if not isinstance(value, str) or not value.strip():
        raise LessonError(f"{name}: {key} must be text, not {value!r}")
    return " ".join(value.split())


def _texts(name: str, part: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = part.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise LessonError(f'{name}: {key} must be a list of texts, ["…"], not {value!r}')
    return tuple(value)


def _spellings(word: Word) -> tuple[str, ...]:
    return (word.name, word.title, *word.also)
