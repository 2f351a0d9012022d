"""A cache that is bounded in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    """A value that knows its size."""

    @property
    def nbytes(self) -> int:
        """Bytes that this value holds in memory."""


Value = TypeVar("Value", bound=Weighed)


class ByteBoundedCache(Generic[Value]):
    """Values by key, the least recently used evicted once they exceed ``limit`` bytes. Safe among threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.nbytes = 0
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under ``key``, made now if it is not there. One larger than the limit is made and not kept."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        made = make()  # outside the lock: others go on meanwhile, and what is made twice is the same
        with self._lock:
            if key not in self._entries and made.nbytes <= self.limit:
                self._entries[key] = made
                self.nbytes += made.nbytes
                while self.nbytes > self.limit:
                    self.nbytes -= self._entries.popitem(last=False)[1].nbytes
        return made

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)
