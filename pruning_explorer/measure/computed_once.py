"""Properties that are computed when first read, each under a lock of its own."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from pruning_explorer.trace import step

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class computed_once(Generic[Owner, Value]):
    """Like ``functools.cached_property``: computed once, then an attribute. Thread-safe.

    Before Python 3.12 that one has a single lock for all objects of a class, so that one object's slow value keeps
    everybody from theirs; from 3.12 on it has none, and several threads do the same work at once. Here each value has
    a lock of its own: only those wait who want the very same. What fails is computed anew the next time.
    """

    def __init__(self, compute: Callable[[Owner], Value]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, _owner: type[Owner], name: str) -> None:
        self._name = name
        self._lock_name = f"_{name}_is_computed"

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> Self: ...

    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> Value: ...

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Self | Value:
        if instance is None:
            return self
        held: dict[str, Any] = vars(instance)  # once it lies there, Python finds it without asking here
        with held.setdefault(self._lock_name, threading.RLock()):
            if self._name not in held:
                with step(self._name.strip("_").replace("_", " ")) as now:
                    now.origin = "computed"
                    held[self._name] = self._compute(instance)
                held.pop(self._lock_name)  # nobody needs it any more, and a lock can be neither copied nor sent
            value: Value = held[self._name]
        return value
