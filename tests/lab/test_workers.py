import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import joblib
import pytest
import torch

from pruning_explorer.lab import workers
from pruning_explorer.lab.workers import BACKGROUND, spread, step_back, workers_at_once


def test_every_item_once() -> None:
    assert sorted(spread(lambda x: x * x, range(20))) == [x * x for x in range(20)]


def test_nothing_to_do() -> None:
    assert list(spread(abs, [])) == []


def test_items_end_when_stopped_and_what_has_begun_is_waited_for() -> None:
    stopped = threading.Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            stopped.set()
        return item

    with joblib.parallel_config(n_jobs=2):
        done = list(spread(work, count(), stopped.is_set))  # of endless items
    assert sorted(done) == sorted(begun)
    # Up to two a worker were taken before
    assert 4 <= len(done) <= 10


def test_threads_begin_nothing_once_stopped_of_what_they_have_taken() -> None:
    stopped, both = threading.Event(), threading.Barrier(2)

    def work(item: int) -> int:
        both.wait(20)
        stopped.set()
        return item

    with joblib.parallel_config(n_jobs=2):
        done = list(spread(work, count(), stopped.is_set))  # two are at work, and two more taken
    assert sorted(done) == [0, 1]


def test_what_a_worker_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(spread(lambda x: 1 / x, [1, 0, 1]))


def test_workers_and_torch_share_the_cores() -> None:
    assert workers_at_once() * torch.get_num_threads() <= max(joblib.cpu_count(), torch.get_num_threads())
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert workers_at_once() == joblib.cpu_count()
    finally:
        torch.set_num_threads(before)


def test_as_many_at_once_as_there_are_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "workers_at_once", lambda: 3)
    together = threading.Barrier(3)  # which opens for three at once only
    assert sorted(spread(lambda item: item + 0 * together.wait(30), range(6))) == [0, 1, 2, 3, 4, 5]
    two = threading.Barrier(2)
    with joblib.parallel_config(n_jobs=2):
        assert sorted(spread(lambda item: item + 0 * two.wait(30), range(4))) == [0, 1, 2, 3]


def test_a_surrounding_choice_of_workers_holds() -> None:
    seen: set[str] = set()
    with joblib.parallel_config(backend="sequential"):
        list(spread(lambda _: seen.add(threading.current_thread().name), range(5)))
    assert seen == {threading.current_thread().name}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all threads of a process have one priority")
def test_stepping_back_is_for_one_thread_and_those_it_starts() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def stepped_back() -> list[int]:
        step_back()
        return [priority(), *spread(lambda _: priority(), range(3))]

    before = priority()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(stepped_back).result() == [max(BACKGROUND, before)] * 4
    assert priority() == before
