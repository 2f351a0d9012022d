"""Many visitors at once on one server, and what the server's memory does meanwhile."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from pruning_explorer import Recipe
from tests.load.visitor import MODELS, Asked, Diary, Visitor
from tests.load.wire import visit


@dataclass
class Crowd:
    """What came of it.

    Attributes:
        diaries: of each visitor.
        memory: resident bytes of the server, and when, in seconds since all visitors had arrived.
        sessions: how many the server counted while all were there, and after all had left.
    """

    diaries: list[Diary] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    sessions: tuple[int, int] = (0, 0)

    @property
    def waits(self) -> list[float]:
        """Seconds from slider to answer, of all visitors."""
        return [wait for diary in self.diaries for _, wait in diary.waits]

    def floors(self, parts: int = 3) -> list[int]:
        """The least memory in each of so many parts of the time, the first of which fills the caches.

        What a run needs for a moment comes and goes, a quarter of a GiB of it; what is lost stays.
        """
        size = len(self.memory) // parts
        return [min(held for _, held in self.memory[i * size : (i + 1) * size]) for i in range(parts)]


async def gather(url: str, process: int, seconds: float, visitors: int = 10) -> Crowd:
    """Let so many visitors loose on a server.

    Args:
        process: the server's, whose memory is watched.
    """
    crowd = Crowd()
    async with AsyncExitStack() as tabs:
        people = []
        for number in range(visitors):
            asked = Asked(MODELS[number % len(MODELS)], Recipe(amount=round(0.5 + number / 1000, 3)))
            query = urlencode({"subject": asked.subject, "amount": asked.recipe.amount})
            session = await tabs.enter_async_context(visit(url, query=query))
            people.append(Visitor(session, number, asked))
        await asyncio.gather(*(person.arrive() for person in people))
        start = time.perf_counter()
        watch = asyncio.create_task(_watch(crowd.memory, process, start))
        await asyncio.gather(*(person.wander(start + seconds) for person in people))
        watch.cancel()
        there = await asyncio.to_thread(connected, url)
        crowd.diaries = [person.diary for person in people]
    crowd.sessions = (there, await _left(url))
    return crowd


async def _watch(memory: list[tuple[float, int]], process: int, start: float) -> None:
    while True:
        memory.append((time.perf_counter() - start, resident(process)))
        await asyncio.sleep(0.25)


async def _left(url: str) -> int:
    """How many sessions stay connected once all have hung up; the server is given a moment to notice."""
    for _ in range(100):
        if not (left := await asyncio.to_thread(connected, url)):
            break
        await asyncio.sleep(0.1)
    return left


def connected(url: str) -> int:
    """How many sessions the server counts."""
    with urllib.request.urlopen(f"{url}/_stcore/metrics?families=active_sessions", timeout=30) as answer:
        found = re.search(r"^active_sessions(?:\{[^}]*\})? (\d+)", answer.read().decode(), re.MULTILINE)
    assert found, "the server no longer says how many sessions it has"
    return int(found[1])


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s*(\d+) kB", text)
    assert found
    return int(found[1]) * 1024


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share, in [0, 1), of all values is below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
