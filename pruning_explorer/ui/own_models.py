"""The networks that a browser session has brought, and the files they lie in, which go when the session goes."""

import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import streamlit as st

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import forget
from pruning_explorer.ui.saved_files import SavedFiles
from pruning_explorer.ui.session import session_id

GRACE = 120.0
"""Seconds for which the networks of a session that lost its connection are kept for its return."""

MOST = 12
"""Most networks of one session."""


@dataclass(eq=False)
class OwnModels:
    """What one session has brought.

    Attributes:
        subjects: by name, in the order in which they came.
        saved: files that it has made.
    """

    subjects: dict[str, Subject] = field(default_factory=dict)
    saved: SavedFiles = field(default_factory=SavedFiles)
    _folders: dict[str, tempfile.TemporaryDirectory[str]] = field(default_factory=dict)

    def keep(self, subject: Subject, folder: "tempfile.TemporaryDirectory[str] | None" = None) -> None:
        """Keep a network under its name, in the place of one that had it; with the folder of its files."""
        if subject.name not in self.subjects and len(self.subjects) >= MOST:
            raise SubjectError(f"this session has {MOST} networks of its own, which is the most; forget one first")
        earlier = self.subjects.get(subject.name)
        if earlier is not None and earlier is not subject and not SHARED.holds(earlier):
            forget(earlier)
        self.subjects[subject.name] = subject
        if folder is not None:
            self._folders[subject.name] = folder

    def rename(self, name: str, new: str) -> None:
        """Call a network ``new``, which no other is called; it stays in its place."""
        subject = replace(self.subjects[name], name=new)
        self.subjects = {each.name: each for each in (subject if n == name else s for n, s in self.subjects.items())}
        if name in self._folders:
            self._folders[new] = self._folders.pop(name)

    def forget(self, name: str) -> None:
        """Let a network go, with its files and all that was computed of it."""
        folder = self._folders.pop(name, None)
        if folder is not None:
            folder.cleanup()
        subject = self.subjects.pop(name, None)
        if subject is not None and not SHARED.holds(subject):
            forget(subject)

    def forget_all(self) -> None:
        self.saved.clear()
        for name in list(self.subjects):
            self.forget(name)


class SessionModels:
    """Keeps each session's networks until it has been gone for a while.

    Attributes:
        grace: seconds for which it may be gone.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.grace = grace
        self._of: dict[str, OwnModels] = {}
        self._leaving: dict[str, threading.Timer] = {}
        self._lock = threading.Lock()

    def of(self, session: str) -> OwnModels | None:
        """What a session has brought so far; None where it has brought nothing."""
        with self._lock:
            return self._of.get(session)

    def take_in(self, session: str) -> OwnModels:
        """Where to keep what a session brings."""
        with self._lock:
            return self._of.setdefault(session, OwnModels())

    def arrive(self, session: str) -> None:
        """A session is there, or there again."""
        with self._lock:
            leaving = self._leaving.pop(session, None)
        if leaving is not None:
            leaving.cancel()

    def leave(self, session: str) -> None:
        """A session's connection has ended: unless it comes back soon, all that it brought is deleted."""
        timer = threading.Timer(self.grace, self.end, args=(session,))
        timer.daemon = True
        with self._lock:
            self._leaving[session] = timer
        timer.start()

    def end(self, session: str) -> None:
        """Delete what a session brought."""
        with self._lock:
            self._leaving.pop(session, None)
            models = self._of.pop(session, None)
        if models is not None:
            models.forget_all()

    def end_all(self) -> None:
        """Delete what everybody brought, because the app ends: a process that is told to end leaves its files lying."""
        with self._lock:
            sessions = list(self._of)
        for session in sessions:
            self.end(session)


SESSION_MODELS = SessionModels()


@st.cache_resource(scope="session", on_release=SESSION_MODELS.leave, show_spinner=False)
def _check_in(session: str) -> str:
    # Streamlit releases this when the connection ends, and calls it anew should the session come back
    SESSION_MODELS.arrive(session)
    return session


def own_subjects() -> Mapping[str, Subject]:
    """What this browser session has brought, by name, in the order in which it came."""
    models = SESSION_MODELS.of(session_id())
    if models is None:
        return {}
    _check_in(session_id())
    return models.subjects


def own_models() -> OwnModels:
    """Where to keep what this browser session brings."""
    return SESSION_MODELS.take_in(_check_in(session_id()))


class Shared:
    """Networks by words that mean the same to everybody: loaded once for all who hold them at the same time."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[str, Subject] = WeakValueDictionary()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, words: str, load: Callable[[str], Subject]) -> Subject:
        """The network, loaded now if nobody holds it. Who asks for the same meanwhile waits; nobody else does."""
        with self._lock:
            turn = self._turns.setdefault(words, threading.Lock())
        with turn:
            subject = self._held.get(words)
            if subject is None:
                subject = load(words)
                with self._lock:
                    self._held[words] = subject
            return subject

    def holds(self, subject: Subject) -> bool:
        """Whether others may look at it, too."""
        with self._lock:
            return any(each is subject for each in self._held.values())


SHARED = Shared()


def unused_name(wanted: str, taken: Mapping[str, object]) -> str:
    """``wanted``, numbered where it is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name
