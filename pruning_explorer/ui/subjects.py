"""Every network that a browser session can choose: the samples, the operator's, and its own."""

import shlex
from difflib import get_close_matches

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.library import load_by_name
from pruning_explorer.sources.samples import load_sample, sample_names
from pruning_explorer.sources.words import load_subject, names_a_library
from pruning_explorer.ui.options import Asked
from pruning_explorer.ui.own_models import SHARED, own_models, own_subjects

DEFAULT_SUBJECT = "digits-cnn"

_OPERATORS: dict[str, Subject] = {}
"""Of the one who started the app, by name; for every visitor."""


def open_for_all(asked: Asked) -> Subject:
    """Open a network for every visitor, as long as the app runs.

    Raises:
        SubjectError: it cannot be had.
    """
    subject = load_subject(asked.words, asked.samples)
    if subject.name in sample_names() or subject.name in _OPERATORS:
        raise SubjectError(f"there is a network called {subject.name} already; rename the file or the function")
    _OPERATORS[subject.name] = subject
    return subject


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
