"""Keep what is measured once per subject, in bounded memory."""

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakMethod, WeakSet, ref

from pruning_explorer.prune.cache import ALL_CACHES, ByteBoundedCache
from pruning_explorer.prune.subject import Subject

V = TypeVar("V")


class SubjectCache(Generic[V]):
    """One value per living subject, the least recently used dropped beyond ``limit`` bytes. Safe among threads.

    Subjects are told apart by identity, not by id: two networks of equal weights may still compute differently.
    The value of a subject goes when the subject is garbage-collected.
    """

    def __init__(self, limit: int, nbytes: Callable[[V], int], name: str = "") -> None:
        self._values: ByteBoundedCache[V] = ByteBoundedCache(limit, name, weigh=nbytes)
        self._gone: deque[ref[Subject]] = deque()
        _SUBJECT_CACHES.add(self)

    def get(self, subject: Subject, make: Callable[[], V]) -> V:
        """The subject's value, made now if it is not there. One larger than the limit is made and not kept.

        Raises:
            Exception: what ``make`` raises, in every thread that waits for it; the next call makes it anew.
        """
        self._drop_gone()
        return self._values.get(ref(subject, self._bury), make)

    def forget(self, subject: Subject) -> None:
        """Drop the subject's value; if it is being made it is not kept."""
        self._drop_gone()
        self._values.drop(ref(subject))

    def clear(self) -> None:
        self._values.clear()

    def __len__(self) -> int:
        self._drop_gone()
        return len(self._values)

    def _bury(self, gone: ref[Subject]) -> None:
        # A subject may be collected while this very thread holds the lock: then its value goes at the next call
        if not self._values.drop(gone, wait=False):
            self._gone.append(gone)

    def _drop_gone(self) -> None:
        while self._gone:
            self._values.drop(self._gone.popleft())


_SUBJECT_CACHES: "WeakSet[SubjectCache[Any]]" = WeakSet()
_FORGETTERS: list["WeakMethod[Callable[[Subject], None]]"] = []


def on_forget(forget: Callable[[Subject], None]) -> None:
    """Register a bound method, to be called with each forgotten subject as long as the method's object lives."""
    _FORGETTERS.append(WeakMethod(forget))


def forget(subject: Subject) -> None:
    """Drop all that is kept of a subject, in every cache and by every callback of :func:`on_forget`.

    A page that shows the subject keeps it until it shows another. Of a second subject with the same id, which has the
    same weights and samples, the rankings and masks go too; they are made again when they are asked for.
    """
    ALL_CACHES.forget(subject.id)
    for cache in list(_SUBJECT_CACHES):
        cache.forget(subject)
    for forgetter in list(_FORGETTERS):
        if (call := forgetter()) is not None:
            call(subject)
        else:
            _FORGETTERS.remove(forgetter)
