"""Jobs of several askers: one that takes long makes way for others, and is gone on with."""

import threading

from pruning_explorer.lab.job_queue import Job, JobQueue

LIMIT = 60


class Steps(Job):
    """Works until it is told that it is enough; counts its turns."""

    def __init__(self, enough: threading.Event) -> None:
        super().__init__()
        self.enough, self.begun, self.turns = enough, threading.Event(), 0

    @property
    def done(self) -> bool:
        return self.enough.is_set()

    def run(self) -> None:
        self.turns += 1
        self.begun.set()
        while not self.done and not self.pause():
            self.enough.wait(0.01)

    def fail(self, error: Exception) -> None:
        raise error


class Short(Steps):
    def run(self) -> None:
        self.enough.set()


def test_a_long_job_makes_way_for_a_short_one_and_goes_on() -> None:
    queue: JobQueue[Steps] = JobQueue("test")
    enough = threading.Event()
    try:
        long = queue.take(("a",), "one", lambda: Steps(enough))
        assert long.begun.wait(LIMIT)
        short = queue.take(("b",), "other", lambda: Short(threading.Event()))
        assert short.wait(LIMIT)
        assert not long.done
    finally:
        enough.set()
    assert long.wait(LIMIT)
    assert long.turns == 2


def test_a_job_that_nobody_waits_behind_has_one_turn() -> None:
    queue: JobQueue[Steps] = JobQueue("test")
    enough = threading.Event()
    threading.Timer(1.5, enough.set).start()
    alone = queue.take(("a",), "one", lambda: Steps(enough))
    assert alone.wait(LIMIT)
    assert alone.turns == 1


def test_a_job_that_is_stopped_while_others_wait_does_not_go_on() -> None:
    queue: JobQueue[Steps] = JobQueue("test")
    long = queue.take(("a",), "one", lambda: Steps(threading.Event()))
    assert long.begun.wait(LIMIT)
    queue.cancel(long, "one")
    short = queue.take(("b",), "other", lambda: Short(threading.Event()))
    assert short.wait(LIMIT)
    assert not long.wait(0)
    assert long.turns == 1


def test_several_that_are_taken_at_once_do_not_cancel_each_other() -> None:
    queue: JobQueue[Steps] = JobQueue("test", workers=2)
    enough = threading.Event()
    try:
        jobs = queue.take_all({("a",): lambda: Steps(enough), ("b",): lambda: Steps(enough)}, "one")
        assert all(job.begun.wait(LIMIT) for job in jobs.values())
        again = queue.take_all({("b",): lambda: Steps(enough), ("c",): lambda: Steps(enough)}, "one")
        assert again[("b",)] is jobs[("b",)]
        assert [jobs[key].stopped.is_set() for key in (("a",), ("b",))] == [True, False]
        assert again[("c",)].begun.wait(LIMIT)
    finally:
        enough.set()
