"""Spread independent work over the cores, or over the workers of a chosen joblib backend."""

import ctypes
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pickle import PicklingError
from typing import Any, TypeVar

import joblib
import torch
from joblib.parallel import get_active_backend

Item = TypeVar("Item")
Result = TypeVar("Result")

# glibc's mallopt parameters, from malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_ON_HEAP = 32 << 20
HELD_BACK = 256 << 20


class _NotBegun:
    """The result of an item that was taken but not begun before the work was stopped."""


NOT_BEGUN = _NotBegun()

BACKGROUND = 5
"""Niceness of the worker processes: about a quarter of a core where another process wants it, else all of it."""


def tune_process() -> None:
    """Set this process up to run many small networks at once; call it once, when a program starts.

    Torch gets half of its threads, since a page and the work behind it, or two workers, run at once: two teams of
    threads on the same cores only wait for one another. On Linux with glibc, memory of up to 32 MiB a piece that is
    freed stays with the process, up to 256 MiB: a forward pass frees its activations, and asking the system for them
    anew, page by page, takes longer than the pass itself.
    """
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    if sys.platform == "linux" and "CS_GNU_LIBC_VERSION" in os.confstr_names:
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_ON_HEAP)
        libc.mallopt(M_TRIM_THRESHOLD, HELD_BACK)


def step_back() -> None:
    """Lower the priority of this thread and of those that it starts, for good; on Linux only."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(BACKGROUND, os.getpriority(os.PRIO_PROCESS, thread)))


def workers_at_once() -> int:
    """Number of workers that keep all cores busy, each using torch's own threads."""
    return max(1, int(joblib.cpu_count()) // torch.get_num_threads())


def spread(
    function: Callable[[Item], Result], items: Iterable[Item], stopped: Callable[[], bool] = lambda: False
) -> Iterator[Result]:
    """``function`` of each item, as results come, in whatever order.

    Threads of this process do it, unless a surrounding ``joblib.parallel_config`` names another backend (loky, Dask,
    Ray); then function, items and results must be picklable. Items are taken from ``items`` only shortly before their
    turn. Once ``stopped()`` no further one is, threads begin none that they have, and what has begun is waited for:
    nothing is killed.

    Args:
        stopped: called from several threads.

    Raises:
        What ``function`` raises, or an item that is sent away and will not be.
    """
    backend, _ = get_active_backend(prefer="threads")
    _, chosen = get_active_backend()  # asked for threads, joblib says one where nobody has chosen
    shared = bool(getattr(backend, "supports_sharedmem", False))
    if not shared:
        items = _able_to_leave(iter(items))
    jobs = chosen if chosen is not None else workers_at_once() if getattr(backend, "uses_threads", False) else -1

    def wanted() -> Iterator[Any]:
        for item in items:
            if stopped():
                return
            yield joblib.delayed(unless_stopped if shared else function)(item)

    def unless_stopped(item: Item) -> Result | _NotBegun:
        return NOT_BEGUN if stopped() else function(item)

    parallel = joblib.Parallel(
        n_jobs=jobs, return_as="generator_unordered", prefer="threads", batch_size=1, pre_dispatch="2*n_jobs"
    )
    yield from (result for result in parallel(wanted()) if result is not NOT_BEGUN)


def _able_to_leave(items: Iterator[Item]) -> Iterator[Item]:
    """All items, once the first has been written as it will be sent: what joblib says of one that fails is no help."""
    first = list(islice(items, 1))
    with suppress(PicklingError, AttributeError, TypeError):  # what joblib cannot send either, it says itself
        pickle.dumps(first)
    return chain(first, items)
