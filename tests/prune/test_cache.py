"""The cache of rankings: bounded in bytes, the least recently used goes first, one for all threads."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruning_explorer import Recipe, Subject
from pruning_explorer.prune import engine
from pruning_explorer.prune.cache import ByteBoundedCache, CachePool
from tests.prune.oracle import network_of


@dataclass(frozen=True)
class Weight:
    nbytes: int


def never() -> Weight:
    raise AssertionError("this was to be in the cache")


def of(nbytes: int) -> Callable[[], Weight]:
    return lambda: Weight(nbytes)


def test_the_least_recently_used_goes_first() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    cache.get("a", of(40))
    cache.get("b", of(40))
    cache.get("a", never)
    cache.get("c", of(40))
    assert (len(cache), cache.nbytes) == (2, 80)
    cache.get("a", never)
    cache.get("c", never)
    with pytest.raises(AssertionError):
        cache.get("b", never)


def test_one_large_value_evicts_as_many_as_it_must() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    for key in range(10):
        cache.get(key, of(10))
    cache.get("large", of(85))
    assert (len(cache), cache.nbytes) == (2, 95)
    cache.get(9, never)


def test_a_value_larger_than_the_limit_is_made_and_not_kept() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    cache.get("a", of(60))
    assert cache.get("huge", of(101)).nbytes == 101
    assert (len(cache), cache.nbytes) == (1, 60)
    cache.get("a", never)


def test_a_failure_is_not_kept() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    with pytest.raises(AssertionError):
        cache.get("a", never)
    assert cache.get("a", of(5)).nbytes == 5


def test_clear() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    cache.get("a", of(60))
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60))
def test_never_more_than_the_limit_and_the_count_is_true(limit: int, calls: list[tuple[int, int]]) -> None:
    """Against the rule itself: keep the latest calls whose values fit together."""
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(limit)
    held: dict[int, int] = {}
    for key, size in calls:
        cache.get(key, of(size))
        if key in held:
            held[key] = held.pop(key)
        elif size <= limit:
            held[key] = size
            while sum(held.values()) > limit:
                del held[next(iter(held))]
        assert (cache.nbytes, len(cache)) == (sum(held.values()), len(held))
        assert cache.nbytes <= limit
    for key in held:
        cache.get(key, never)


def test_many_threads() -> None:
    """Eight threads over 20 keys, with room for five: sizes stay true and nobody gets another key's value."""
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    wrong: list[str] = []

    def make(key: int) -> Weight:
        time.sleep(0.0001)
        return Weight(10 + key)

    def work(start: int) -> None:
        for step in range(150):
            key = (start * 7 + step * 3) % 20
            if cache.get(key, lambda key=key: make(key)).nbytes != 10 + key:
                wrong.append(f"{key}: another's value")
            if cache.nbytes < 0:
                wrong.append("negative size")

    threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.nbytes == sum(value.nbytes for value in cache._entries.values()) <= cache.limit


def test_what_many_ask_for_at_once_is_made_once() -> None:
    """All eight wait for the first of them, and have the very same value."""
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    waiting, made = threading.Barrier(8), []

    def slow() -> Weight:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return Weight(1)

    def ask(_: int) -> Weight:
        waiting.wait(10)
        return cache.get("slow", slow)

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert len({id(value) for value in values}) == 1


def test_one_too_large_to_keep_is_shared_by_those_who_wait_for_it() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(10)
    waiting, made = threading.Barrier(4), []

    def slow() -> Weight:
        made.append(1)
        time.sleep(0.2)
        return Weight(1000)

    def ask(_: int) -> Weight:
        waiting.wait(10)
        return cache.get("huge", slow)

    with ThreadPoolExecutor(4) as pool:
        assert {value.nbytes for value in pool.map(ask, range(4))} == {1000}
    assert (len(made), len(cache)) == (1, 0)


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()], ids=["failure", "stopped"])
def test_those_who_wait_hear_of_a_failure(failure: BaseException) -> None:
    """What fails, fails for all; where only the thread that made it was stopped, another one makes it."""
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    started, finish = threading.Event(), threading.Event()

    def fail() -> Weight:
        started.set()
        assert finish.wait(10)
        raise failure

    def ask(make: Callable[[], Weight]) -> object:
        try:
            return cache.get("a", make).nbytes
        except (ValueError, KeyboardInterrupt) as error:
            return error

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, fail)
        assert started.wait(10)
        others = [pool.submit(ask, of(7)) for _ in range(2)]
        time.sleep(0.05)
        finish.set()
        assert first.result(10) is failure
        expected = failure if isinstance(failure, Exception) else 7
        assert [other.result(10) for other in others] == [expected] * 2
    assert cache.get("a", of(7)).nbytes == 7


def test_one_who_asks_while_making_it_does_not_wait_for_itself() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    assert cache.get("a", lambda: cache.get("a", of(3))).nbytes == 3


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)

    def make() -> Weight:
        cache.forget("mine")
        return Weight(3)

    cache.get(("other", 1), of(5))
    cache.get(("mine", 1), of(5))
    assert cache.get(("mine", 2), make).nbytes == 3
    assert (len(cache), cache.nbytes) == (1, 5)
    cache.get(("other", 1), never)


@given(
    st.lists(st.integers(0, 50), min_size=3, max_size=3),
    st.integers(0, 100),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 40)), max_size=40),
)
def test_caches_of_one_pool_hold_no_more_together(
    limits: list[int], total: int, calls: list[tuple[int, int, int]]
) -> None:
    """Against the rule itself: each within its own limit, and of all the latest that fit together."""
    pool = CachePool(total)
    caches: list[ByteBoundedCache[Weight]] = [ByteBoundedCache(limit, pool=pool) for limit in limits]
    held: dict[tuple[int, int], int] = {}
    for which, key, size in calls:
        caches[which].get(key, of(size))
        if (which, key) in held:
            held[which, key] = held.pop((which, key))
        elif size <= min(limits[which], total):
            held[which, key] = size
            while sum(size for (cache, _), size in held.items() if cache == which) > limits[which]:
                del held[next(each for each in held if each[0] == which)]
            while sum(held.values()) > total:
                del held[next(iter(held))]
        assert [cache.nbytes for cache in caches] == [
            sum(size for (cache, _), size in held.items() if cache == i) for i in range(3)
        ]
    for which, key in held:
        caches[which].get(key, never)
    pool.set_limit(total // 2)
    assert sum(cache.nbytes for cache in caches) <= total // 2


def test_a_slow_value_does_not_hold_up_the_others() -> None:
    cache: ByteBoundedCache[Weight] = ByteBoundedCache(100)
    cache.get("ready", of(1))
    started, finish = threading.Event(), threading.Event()

    def slow() -> Weight:
        started.set()
        assert finish.wait(10)
        return Weight(1)

    thread = threading.Thread(target=cache.get, args=("slow", slow))
    thread.start()
    assert started.wait(10)
    cache.get("ready", never)
    finish.set()
    thread.join()
    cache.get("slow", never)


def test_rankings_are_made_once_and_for_every_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 bytes a weight; the amount, the cap and the frozen layers do not rank again, the seed of magnitude neither."""
    made: list[str] = []
    rank = engine.rank
    monkeypatch.setattr(engine, "RANKINGS", ByteBoundedCache(1 << 20))
    monkeypatch.setattr(engine, "rank", lambda scores, name, held: made.append(name) or rank(scores, name, held))
    subject = Subject.from_module(network_of(torch.randn(3, 4), torch.randn(5)))
    for recipe in (
        Recipe(amount=0.1),
        Recipe(amount=0.9),
        Recipe(scope="global", cap=0.4),
        Recipe(frozen=("0.weight",)),
        Recipe(amounts={"1.weight": 0.3}, seed=3),
    ):
        engine.compute_masks(subject, recipe)
    assert made == ["0.weight", "1.weight"]
    assert engine.RANKINGS.nbytes == 8 * (12 + 5)
    engine.compute_masks(subject, Recipe("random"))
    engine.compute_masks(subject, Recipe("random", amount=0.2))
    engine.compute_masks(subject, Recipe("random", seed=1))
    assert len(made) == 2 + 2 * 2
