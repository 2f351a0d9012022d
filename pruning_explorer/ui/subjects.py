"""Every network that a browser session can choose: the samples, the operator's, and its own."""

import shlex
from collections.abc import Collection
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pruning_explorer.app_options import Asked
from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.library import load_by_name
from pruning_explorer.sources.samples import load_sample, sample_names
from pruning_explorer.sources.words import load_subject, names_a_library
from pruning_explorer.ui.own_models import SHARED, own_models, own_subjects, unused_name

LONGEST_NAME = 60
"""Most characters of a name that a visitor gives a network."""

DEFAULT_SUBJECT = "digits-cnn"

_OPERATORS: dict[str, Subject] = {}
"""Networks that the operator of the app has opened, by name; every visitor sees them."""

_ASKED: dict[str, str] = {}
"""The reference by which each of the operator's networks was opened, by name."""


def open_for_all(asked: Asked) -> Subject:
    """Open a network for every visitor, as long as the app runs.

    Raises:
        SubjectError: it cannot be had.
    """
    subject = load_subject(
        asked.words,
        asked.samples,
        calibration=asked.calibration,
        calibration_share=asked.calibration_share,
        calibration_seed=asked.calibration_seed or 0,
    )
    taken = {*sample_names(), *_OPERATORS}
    if asked.name is not None and asked.name in taken:
        raise SubjectError(f"there is a network called {asked.name} already; give this one another --name")
    subject = replace(subject, name=asked.name or name_apart(subject.name, asked.words, taken))
    _OPERATORS[subject.name] = subject
    _ASKED[subject.name] = asked.words
    return subject


def name_apart(name: str, words: str, taken: Collection[str]) -> str:
    """A name that no other network has: with as many of the folders before it as tell them apart, else numbered.

    Args:
        words: that it was opened by, a path perhaps.

    >>> name_apart("net", "runs/second/net.pt2", {"net"}), name_apart("pets", "mine:pets", {"pets"})
    ('second/net', 'pets (2)')
    """
    path = Path(words.partition(":")[2] if names_a_library(words) else words)
    folders = [part for part in path.parts[:-1] if part != path.anchor]
    if folders[-1:] == [name]:  # a network in parts is called after its folder
        folders.pop()
    longer = ("/".join((*folders[-count:], name)) for count in range(1, len(folders) + 1))
    return next((each for each in (name, *longer) if each not in taken), unused_name(name, dict.fromkeys(taken)))


def opened_by(name: str) -> str:
    """The words that the operator's network of that name was opened by; empty for all others."""
    return _ASKED.get(name, "")


def first_subject() -> str:
    """The name of the network that a visitor meets first."""
    return next(iter(_OPERATORS), DEFAULT_SUBJECT)


def subject_names() -> list[str]:
    """What can be chosen: own networks, the latest first, then the operator's, then the samples."""
    return [*reversed([*own_subjects()]), *_OPERATORS, *sample_names()]


def is_own(name: str) -> bool:
    """Whether this session brought it, and may forget it."""
    return name in own_subjects()


def is_sample(name: str) -> bool:
    """Whether it is one of those that come with the program."""
    return name in sample_names()


def is_there(name: str) -> bool:
    """Whether it can be had without being brought."""
    return name in subject_names()


def words_in_terminal(name: str) -> str:
    """What to write for it on a command line; where its name is none that a terminal knows, a place for it."""
    return shlex.quote(name) if is_sample(name) or names_a_library(name) else "YOUR-FILE"


def rename_own(name: str, wanted: str) -> str:
    """Call a network of this session something else, which is numbered where another one is called that.

    Returns:
        What it is called now; ``name``, unchanged, where ``wanted`` is empty.
    """
    # With a colon it could be the words of a library's network, which others open by them
    stripped = " ".join(wanted.replace(":", " ").split())[:LONGEST_NAME]
    if not stripped or stripped == name:
        return name
    new = unused_name(stripped, dict.fromkeys(each for each in subject_names() if each != name))
    own_models().rename(name, new)
    return new


def forget_own(name: str) -> None:
    """Let a network of this session go, with its files and all that was computed of it."""
    own_models().forget(name)


def find_subject(name: str) -> Subject:
    """A network by its name; one of a library is loaded if need be, as its words in an address ask for it.

    Raises:
        SubjectError: this session has none of that name.
    """
    own = own_subjects()
    if name in own:
        return own[name]
    if name in _OPERATORS:
        return _OPERATORS[name]
    if names_a_library(name):
        return bring_by_name(name)
    try:
        return load_sample(name)
    except SubjectError as error:
        known = subject_names()
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SubjectError(
            f"no network is called {name!r} here; {hint}One that was uploaded belongs to its browser session, and a "
            "reload begins a new one: bring its file again on Models"
        ) from error


def bring_by_name(words: str) -> Subject:
    """Load a library's network for this session.

    Raises:
        SubjectError: the library cannot be used, or has no such network.
    """
    subject = SHARED.get(words, lambda words: load_by_name(words, browser=True))
    own_models().keep(subject)
    return subject
