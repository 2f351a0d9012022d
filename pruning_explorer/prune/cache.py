"""Caches bounded in bytes: each has a limit, and all together have one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.trace import step

Value = TypeVar("Value")

_STOPPED: Final = object()
"""In place of a value, where the thread that made it was stopped."""


class CachePool:
    """Caches that share one limit: above it, the least recently used value of any of them is dropped first.

    Attributes:
        limit: bytes that all of them may hold together; None where each has its own limit only.
        lock: guards all of them. It is not reentrant: a callback of a garbage-collected object must not enter.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.lock = threading.Lock()
        self.clock = count()
        self.caches: WeakSet[ByteBoundedCache[Any]] = WeakSet()

    def usage(self) -> dict[str, int]:
        """Bytes held, by the name of the cache; the largest first."""
        with self.lock:
            held = [(cache.name, cache.nbytes) for cache in self.caches]
        return dict(sorted(held, key=lambda each: (-each[1], each[0])))

    def set_limit(self, limit: int | None) -> None:
        """Hold at most ``limit`` bytes from now on; what exceeds it is dropped at once."""
        with self.lock:
            self.limit = limit
            self.shrink()

    def forget(self, owner: Hashable) -> None:
        """Drop every value whose key is a tuple that begins with ``owner``; one that is being made is not kept."""
        for cache in list(self.caches):
            cache.forget(owner)

    def shrink(self) -> None:
        """Drop what was used longest ago until the rest is within the limit. To be called with the lock held."""
        while self.limit is not None and sum(cache.nbytes for cache in self.caches) > self.limit:
            min((cache for cache in self.caches if len(cache)), key=lambda cache: cache.oldest).drop_oldest()


ALL_CACHES = CachePool()
"""All caches of the process, for all subjects and all sessions."""


class _Entry(Generic[Value]):
    __slots__ = ("nbytes", "used", "value")

    def __init__(self, value: Value, nbytes: int) -> None:
        self.value, self.nbytes, self.used = value, nbytes, 0


class _Making:
    """A value that one thread makes and others wait for."""

    def __init__(self) -> None:
        self.maker = threading.get_ident()
        self.future: Future[Any] = Future()


class ByteBoundedCache(Generic[Value]):
    """Values by key, the least recently used evicted once they exceed ``limit`` bytes. Safe among threads.

    A value that several threads ask for at once is made by the first of them, and the others wait for it.

    Attributes:
        limit: bytes that this cache may hold.
        nbytes: bytes that it holds.
        name: what it holds, for reports; only a cache with a name counts towards :func:`set_cache_limit`.
        pool: the caches it shares a limit with; a cache without a name belongs to none.

    Args:
        weigh: bytes that a value holds in memory; without it, its ``nbytes``.
    """

    def __init__(
        self,
        limit: int,
        name: str = "",
        pool: CachePool | None = None,
        weigh: Callable[[Value], int] = attrgetter("nbytes"),
    ) -> None:
        self.limit, self.name, self._weigh = limit, name, weigh
        self.nbytes = 0
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self.pool = pool or (ALL_CACHES if name else CachePool())
        with self.pool.lock:
            self.pool.caches.add(self)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under ``key``, made now if it is not there. One larger than the limit is made and not kept.

        Raises:
            Exception: what ``make`` raises, in every thread that waits for it; the next call makes it anew.
        """
        with step(self.name) as now:
            now.origin = "cache"

            def made_now() -> Value:
                now.origin = "computed"
                return make()

            return self._get(key, made_now)

    def _get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        while True:
            with self.pool.lock:
                if (entry := self._entries.get(key)) is not None:
                    self._entries.move_to_end(key)
                    entry.used = next(self.pool.clock)
                    return entry.value
                making = self._making.get(key)
                if making is None:
                    making = self._making[key] = _Making()
                    break
            if making.maker == threading.get_ident():
                return make()  # to wait for itself would be forever
            if (other := making.future.result()) is not _STOPPED:
                made_by_other: Value = other
                return made_by_other
        with self._passing_errors_on(key, making):
            made = make()  # outside the lock: others go on meanwhile
            self._keep(key, made, making)
        making.future.set_result(made)
        return made

    @contextmanager
    def _passing_errors_on(self, key: Hashable, making: _Making) -> Iterator[None]:
        """Those who wait hear of what goes wrong."""
        try:
            yield
        except BaseException as error:
            self._done(key, making)
            if isinstance(error, Exception):
                making.future.set_exception(error)
            else:
                making.future.set_result(_STOPPED)  # only this thread is stopped: one of the others makes it
            raise
        self._done(key, making)

    def _done(self, key: Hashable, making: _Making) -> None:
        with self.pool.lock:
            if self._making.get(key) is making:
                del self._making[key]

    def _keep(self, key: Hashable, made: Value, making: _Making) -> None:
        entry = _Entry(made, self._weigh(made))
        with self.pool.lock:
            most = self.limit if self.pool.limit is None else min(self.limit, self.pool.limit)
            # It may have been forgotten while it was made
            if self._making.get(key) is not making or entry.nbytes > most:
                return
            entry.used = next(self.pool.clock)
            self._entries[key] = entry
            self.nbytes += entry.nbytes
            while self.nbytes > self.limit:
                self.drop_oldest()
            self.pool.shrink()

    @property
    def oldest(self) -> int:
        """When the least recently used was used, on the pool's clock. To be asked with the lock held."""
        return next(iter(self._entries.values())).used

    def drop_oldest(self) -> None:
        """Drop the least recently used. To be called with the lock held."""
        self.nbytes -= self._entries.popitem(last=False)[1].nbytes

    def forget(self, owner: Hashable) -> None:
        """Drop every value whose key is a tuple that begins with ``owner``; one that is being made is not kept."""
        with self.pool.lock:
            for key in [*self._entries, *self._making]:
                if isinstance(key, tuple) and key and key[0] == owner:
                    self._drop(key)

    def drop(self, key: Hashable, *, wait: bool = True) -> bool:
        """Drop one value; if it is being made it is not kept.

        Returns:
            Whether it was done: not if the lock was taken and ``wait`` is False.
        """
        if not self.pool.lock.acquire(blocking=wait):
            return False
        try:
            self._drop(key)
        finally:
            self.pool.lock.release()
        return True

    def _drop(self, key: Hashable) -> None:
        self._making.pop(key, None)
        if (entry := self._entries.pop(key, None)) is not None:
            self.nbytes -= entry.nbytes

    def clear(self) -> None:
        with self.pool.lock:
            self._entries.clear()
            self._making.clear()
            self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)


def set_cache_limit(total: int) -> None:
    """Bound what all caches hold together, in bytes; each keeps its own limit too.

    It bounds what is kept for later, not what is in use: a layer whose ranking is larger than the bound is still
    shown, and ranked anew at each move of the slider.

    Raises:
        PruningExplorerError: it is negative.
    """
    if total < 0:
        raise PruningExplorerError(f"the caches cannot hold {total} bytes; give 0 to keep nothing, or more")
    ALL_CACHES.set_limit(total)
