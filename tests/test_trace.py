"""A trace holds the steps of its own thread, in order, each with where its value came from."""

import threading

import pytest

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.trace import Step, step, tracing


class Kept:
    nbytes = 1


def shape(steps: list[Step]) -> list[tuple[int, str, str]]:
    return [(each.depth, each.name, each.origin) for each in steps]


def test_a_cache_says_whether_it_had_the_value() -> None:
    inner, outer = ByteBoundedCache[Kept](10, "inner"), ByteBoundedCache[Kept](10, "outer")

    def look() -> Kept:
        return outer.get("key", lambda: inner.get("key", Kept))

    with tracing() as first, step("page"):
        look()
    with tracing() as second, step("page"):
        look()
    assert shape(first.steps) == [(0, "page", ""), (1, "outer", "computed"), (2, "inner", "computed")]
    assert shape(second.steps) == [(0, "page", ""), (1, "outer", "cache")]


def test_a_step_takes_as_long_as_all_that_is_inside_it() -> None:
    with tracing() as trace, step("page"), step("part"):
        threading.Event().wait(0.01)
    page, part = trace.steps
    assert page.seconds >= part.seconds >= 0.01


def test_a_step_that_fails_ends_and_the_next_stands_beside_it() -> None:
    with tracing() as trace:
        with pytest.raises(ZeroDivisionError), step("page"), step("part"):
            raise ZeroDivisionError
        with step("next"):
            pass
    assert shape(trace.steps) == [(0, "page", ""), (1, "part", ""), (0, "next", "")]
    assert all(each.seconds > 0 for each in trace.steps)


def test_threads_and_what_comes_later_are_not_in_it() -> None:
    def other() -> None:
        with step("of another thread"):
            pass

    with tracing() as trace:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    with step("later"):
        pass
    assert trace.steps == []
