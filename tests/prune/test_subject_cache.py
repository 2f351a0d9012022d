"""What is kept of a subject: as long as it lives, within one bound for all, and until it is forgotten."""

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject
from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.curves import CurveQueue
from pruning_explorer.measure.forward import DENSE_OUTPUTS
from pruning_explorer.measure.report import REPORTS, report_of
from pruning_explorer.prune.cache import ALL_CACHES, set_cache_limit
from pruning_explorer.prune.engine import RANKINGS
from pruning_explorer.prune.subject_cache import SubjectCache, forget, on_forget


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """The caches of the process as they are when it starts."""
    limit = ALL_CACHES.limit
    set_cache_limit(0)
    ALL_CACHES.set_limit(None)
    yield
    ALL_CACHES.set_limit(limit)


def subject_of(seed: int, width: int = 40) -> Subject:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 3))
    return Subject.from_module(network, torch.randn(20, 8), torch.arange(20) % 3, name=f"net-{seed}")


def look_at(subject: Subject, criterion: str = "magnitude") -> None:
    shown = report_of(subject, Recipe(criterion, amount=0.4))
    assert shown.sparsity["removed"] > 0
    assert shown.drift is not None
    assert shown.cost is not None


def test_a_subject_that_is_gone_takes_its_value_along() -> None:
    cache: SubjectCache[bytes] = SubjectCache(100, len)
    one, other = subject_of(0), subject_of(1)
    assert cache.get(one, lambda: b"one") == b"one"
    assert cache.get(other, lambda: b"other") == b"other"
    assert cache.get(one, lambda: b"again") == b"one"
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
    assert len(cache) == 1
    assert cache.get(other, lambda: b"again") == b"other"


def test_a_subject_that_is_gone_while_the_caches_are_busy_takes_its_value_along_later() -> None:
    cache: SubjectCache[bytes] = SubjectCache(100, len, "busy")
    one = subject_of(0)
    cache.get(one, lambda: b"one")
    with ALL_CACHES.lock:
        del one
        gc.collect()
    assert len(cache) == 0


def test_equal_networks_have_values_of_their_own() -> None:
    cache: SubjectCache[bytes] = SubjectCache(100, len)
    one, same = subject_of(0), subject_of(0)
    assert one.id == same.id
    cache.get(one, lambda: b"one")
    assert cache.get(same, lambda: b"same") == b"same"
    cache.forget(one)
    assert cache.get(same, lambda: b"again") == b"same"
    assert cache.get(one, lambda: b"again") == b"again"


@pytest.mark.usefixtures("nothing_kept")
def test_all_caches_together_stay_below_their_bound() -> None:
    """Twenty networks are looked at, under two criteria each; each needs some 8 kB of rankings and masks alone."""
    needed = 0
    set_cache_limit(50_000)
    assert ALL_CACHES.limit == 50_000
    for seed in range(20):
        look_at(subject_of(seed))
        look_at(subject_of(seed), "random")
        needed += 2 * 8 * (8 * 40 + 40 * 3)
        assert sum(ALL_CACHES.usage().values()) <= 50_000
    assert needed > 50_000
    assert RANKINGS.nbytes > 0
    set_cache_limit(1000)
    assert sum(ALL_CACHES.usage().values()) <= 1000
    with pytest.raises(PruningExplorerError, match="cannot hold -1 bytes; give 0 to keep nothing"):
        set_cache_limit(-1)


def test_every_cache_counts_towards_the_bound() -> None:
    """The bound is known, and each cache says what it holds; two of one name would hide each other."""
    names = [cache.name for cache in ALL_CACHES.caches]
    assert len(names) == len(set(names))
    assert {"rankings", "masks", "dense outputs", "gradients", "multiply-adds"} <= set(names)
    assert set(ALL_CACHES.usage()) == set(names)


@pytest.mark.usefixtures("nothing_kept")
def test_to_forget_a_subject_drops_what_is_its_own() -> None:
    one, other = subject_of(0), subject_of(1)
    look_at(one)
    forget(one)
    assert set(ALL_CACHES.usage().values()) == {0}, "nothing is left"
    look_at(other)
    kept = ALL_CACHES.usage()
    assert kept["rankings"] == 8 * (8 * 40 + 40 * 3)
    look_at(one)
    assert ALL_CACHES.usage() != kept
    forget(one)
    assert ALL_CACHES.usage() == kept
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None, "nobody holds it"
    assert (len(REPORTS), len(DENSE_OUTPUTS)) == (1, 1)


@pytest.mark.usefixtures("nothing_kept")
def test_a_desk_keeps_no_job_of_what_is_forgotten() -> None:
    one, other = subject_of(0), subject_of(1)
    queue = CurveQueue(lambda: (0.0, 0.5), seeds=1)
    jobs = [queue.ask(each, Recipe(), f"{each.name}'s") for each in (one, other)]
    assert all(job.wait(30) for job in jobs)
    forget(one)
    assert jobs[0].stopped.is_set()
    assert queue.ask(other, Recipe(), "somebody") is jobs[1]
    gone = weakref.ref(one)
    del one, jobs
    gc.collect()
    assert gone() is None, "nobody holds it"


def test_who_asked_to_be_told_is_told_as_long_as_it_lives() -> None:
    class Listener:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def hear(self, subject: Subject) -> None:
            self.heard.append(subject.name)

    listener = Listener()
    on_forget(listener.hear)
    forget(subject_of(0))
    assert listener.heard == ["net-0"]
    gone = weakref.ref(listener)
    del listener
    assert gone() is None
    forget(subject_of(0))
