"""Where the time of a run went: its steps, how long each took, and whether it was found in a cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

Origin = Literal["", "computed", "cache"]


@dataclass
class Step:
    """One step of a run.

    Attributes:
        depth: how many steps it is inside of.
        seconds: it took, with all steps inside of it.
        origin: of a value that caches keep: computed now, or found in a cache.
    """

    name: str
    depth: int = 0
    seconds: float = 0.0
    origin: Origin = ""


@dataclass
class Trace:
    """Steps in the order in which they began.

    Attributes:
        open: how many of them have not ended.
    """

    steps: list[Step] = field(default_factory=list)
    open: int = 0


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Note the steps of this thread from here on, until the block ends."""
    trace = Trace()
    token = _TRACE.set(trace)
    try:
        yield trace
    finally:
        _TRACE.reset(token)


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Note a step, where somebody traces; also a decorator of functions.

    >>> with tracing() as trace, step("page"):
    ...     with step("chart"):
    ...         pass
    >>> [(each.depth, each.name) for each in trace.steps]
    [(0, 'page'), (1, 'chart')]
    """
    trace = _TRACE.get()
    if trace is None:
        yield Step(name)
        return
    own = Step(name, trace.open)
    trace.steps.append(own)
    trace.open += 1
    start = perf_counter()
    try:
        yield own
    finally:
        own.seconds = perf_counter() - start
        trace.open -= 1
