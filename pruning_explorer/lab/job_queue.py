"""Background jobs: those who ask for the same work share one job; it is cancelled once nobody waits for it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import on_forget

TURN = 1.0
"""Seconds that a job may work while others wait; then, after its present step, the next job has its turn."""


class Job:
    """Work that can be stopped and resumed, and whose partial results can be read while it runs.

    Attributes:
        stopped: set it to end the job after what it is at.
        wanted_by: who waits for it.
        declined_by: who has cancelled it, for themselves.
    """

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.wanted_by: set[str] = set()
        self.declined_by: set[str] = set()
        self._at_rest = threading.Event()
        self._others_turn: Callable[[], bool] = lambda: False
        self._made_way = False

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        raise NotImplementedError

    def run(self) -> None:
        """Do what is left, until all is done or the job is to :meth:`pause`."""
        raise NotImplementedError

    def pause(self) -> bool:
        """Whether to end after what it is at: it is stopped for good, or it is the turn of others."""
        self._made_way = self._made_way or self._others_turn()
        return self._made_way or self.stopped.is_set()

    def fail(self, error: Exception) -> None:
        """Record why it has failed; it is done then."""
        raise NotImplementedError

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is done, at most ``seconds``; returns whether it is done."""
        self._at_rest.wait(seconds)
        return self.done

    def work(self, others_turn: Callable[[], bool] = lambda: False) -> bool:
        """:meth:`run`, unless it is stopped already; an exception is passed to :meth:`fail`.

        Returns:
            Whether it has paused for other jobs, and is to be resumed.
        """
        self._others_turn, self._made_way = others_turn, False
        try:
            if not self.stopped.is_set():
                self.run()
        except Exception as error:  # nobody looks at a worker's own exceptions
            self.fail(error)
        goes_on = self._made_way and not self.done and not self.stopped.is_set()
        if not goes_on:
            self._at_rest.set()
        return goes_on


Work = TypeVar("Work", bound=Job)
Key = tuple[str, ...]


class JobQueue(Generic[Work]):
    """Hands out jobs and has them done in turns; keeps the most recent of them. Safe among threads.

    A job that takes minutes lets waiting ones go first, if its ``run`` checks :meth:`Job.pause`.
    """

    def __init__(self, name: str, *, keep: int = 64, workers: int = 1, begin: Callable[[], None] | None = None) -> None:
        """Open a queue.

        Args:
            name: of its threads.
            workers: how many jobs are done at once.
            begin: what each thread does first.
        """
        self._keep = keep
        self._jobs: OrderedDict[Key, Work] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting = 0
        self._worker = ThreadPoolExecutor(workers, thread_name_prefix=name, initializer=begin)
        on_forget(self.forget)

    def take(
        self, key: Key, asker: str, make: Callable[[], Work], resume: Callable[[Work], Work] | None = None
    ) -> Work:
        """The job under ``key``, begun if nobody has it.

        What else the asker was waiting for is cancelled, unless somebody else waits for it too. A job that the asker
        has cancelled is handed out as it stands, and not gone on with.

        Args:
            key: begins with the id of a subject.
            make: plans the job.
            resume: plans what is left of a job that was stopped; None plans it anew.
        """
        return self.take_all({key: make}, asker, resume)[key]

    def take_all(
        self, wanted: Mapping[Key, Callable[[], Work]], asker: str, resume: Callable[[Work], Work] | None = None
    ) -> dict[Key, Work]:
        """Several jobs at once, by key; else as :meth:`take`."""
        with self._lock:
            for other, job in self._jobs.items():
                if other not in wanted and not job.done:
                    self._leave(job, asker)
            return {key: self._take(key, asker, make, resume) for key, make in wanted.items()}

    def cancel(self, job: Work, asker: str) -> None:
        """The asker wants no more of it; it stops after what it is at, unless somebody else waits for it."""
        with self._lock:
            job.declined_by.add(asker)
            self._leave(job, asker)

    def go_on(self, job: Work, asker: str) -> None:
        """Withdraw a cancellation: the job is resumed when the asker takes it next."""
        with self._lock:
            job.declined_by.discard(asker)

    def forget(self, subject: Subject) -> None:
        """Stop the subject's jobs and keep none of them."""
        with self._lock:
            for key in [key for key in self._jobs if key[0] == subject.id]:
                self._jobs.pop(key).stopped.set()

    def _take(self, key: Key, asker: str, make: Callable[[], Work], resume: Callable[[Work], Work] | None) -> Work:
        """Take one. To be called with the lock held."""
        known = self._jobs.get(key)
        declined = known is not None and asker in known.declined_by
        if known is None or (known.stopped.is_set() and not known.done and not declined):
            job = self._jobs[key] = make() if known is None or resume is None else resume(known)
            if known is not None:
                job.declined_by |= known.declined_by
            self._submit(job)
            while len(self._jobs) > self._keep:
                self._jobs.popitem(last=False)[1].stopped.set()
        else:
            job = known
        if not declined:
            job.wanted_by.add(asker)
        self._jobs.move_to_end(key)
        return job

    def _submit(self, job: Work) -> None:
        """Put a job at the end of the line. To be called with the lock held."""
        self._waiting += 1
        self._worker.submit(self._work, job)

    def _work(self, job: Work) -> None:
        with self._lock:
            self._waiting -= 1
        end = time.monotonic() + TURN
        if job.work(lambda: self._waiting > 0 and time.monotonic() > end):
            with self._lock:
                self._submit(job)

    def _leave(self, job: Work, asker: str) -> None:
        job.wanted_by.discard(asker)
        if not job.wanted_by and not job.done:
            job.stopped.set()
