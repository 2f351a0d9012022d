"""Keep what is measured once per subject, in bounded memory."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from pruning_explorer.prune.subject import Subject

V = TypeVar("V")


class SubjectCache(Generic[V]):
    """One value per living subject, the least recently used dropped beyond ``limit`` bytes. Safe among threads.

    Subjects are told apart by identity, not by id: two networks of equal weights may still compute differently.
    """

    def __init__(self, limit: int, nbytes: Callable[[V], int]) -> None:
        self._limit = limit
        self._nbytes = nbytes
        self._values: WeakKeyDictionary[Subject, tuple[V, int]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, subject: Subject, make: Callable[[], V]) -> V:
        """The subject's value, made now if it is not there. One larger than the limit is made and not kept."""
        with self._lock:
            if (held := self._values.pop(subject, None)) is not None:
                self._values[subject] = held  # at the end: most recently used
                return held[0]
        made = make()  # outside the lock: others go on meanwhile, and a value made twice is the same
        size = self._nbytes(made)
        with self._lock:
            if size <= self._limit:
                self._values[subject] = (made, size)
                while sum(each for _, each in self._values.values()) > self._limit:
                    self._values.pop(next(iter(self._values.keys())))
        return made

    def clear(self) -> None:
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
