"""Many visitors at once on one server, and what the server's memory does meanwhile."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from pruning_explorer import Recipe
from tests.load.visitor import MODELS, Asked, Diary, Enough, Visitor
from tests.load.wire import visit


@dataclass
class Crowd:
    """What came of it.

    Attributes:
        diaries: of each visitor.
        memory: resident bytes of the server, and when, in seconds since all visitors had arrived.
        files: how many folders with uploads lay on the server while all were there, and how many in the end.
        sessions: how many the server counted while all were there, and after all had left.
    """

    diaries: list[Diary] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    files: tuple[int, int] = (0, 0)
    sessions: tuple[int, int] = (0, 0)

    @property
    def waits(self) -> list[float]:
        """Seconds from slider to answer, of all visitors."""
        return [wait for diary in self.diaries for _, wait in diary.waits]

    @property
    def unanswered(self) -> int:
        """How often somebody had to ask again."""
        return sum(diary.unanswered for diary in self.diaries)

    def floors(self, parts: int = 3) -> list[int]:
        """The least memory in each of so many parts of the time, the first of which fills the caches.

        What a run needs for a moment comes and goes, a quarter of a GiB of it; what is lost stays.
        """
        size = len(self.memory) // parts
        return [min(held for _, held in self.memory[i * size : (i + 1) * size]) for i in range(parts)]


async def gather(url: str, process: int, enough: Enough, visitors: int = 10, folder: Path | None = None) -> Crowd:
    """Let so many visitors loose on a server.

    Args:
        process: the server's, whose memory is watched.
        folder: its folder for temporary files, if the visitors are to bring networks: all but the first do, each
            their own under the same name.
    """
    crowd = Crowd()
    async with AsyncExitStack() as tabs:
        people, arrivals = [], []
        for number in range(visitors):
            asked = Asked(MODELS[number % len(MODELS)], Recipe(amount=round(0.5 + number / 1000, 3)))
            if brings := folder is not None and number > 0:
                session = await tabs.enter_async_context(visit(url, "models"))
            else:
                query = urlencode({"subject": asked.subject, "amount": asked.recipe.amount})
                session = await tabs.enter_async_context(visit(url, query=query))
            person = Visitor(session, number, asked)
            arrivals.append(person.bring() if brings else person.arrive())
            people.append(person)
        await asyncio.gather(*arrivals)
        start = time.perf_counter()
        watch = asyncio.create_task(_watch(crowd.memory, process, start))
        await asyncio.gather(*(person.wander(enough) for person in people))
        watch.cancel()
        there = await asyncio.to_thread(connected, url)
        lying = uploads(folder)
        crowd.diaries = [person.diary for person in people]
    crowd.sessions = (there, await _at_last(0, lambda: connected(url)))
    crowd.files = (lying, await _at_last(0, lambda: uploads(folder)))
    return crowd


async def _watch(memory: list[tuple[float, int]], process: int, start: float) -> None:
    while True:
        memory.append((time.perf_counter() - start, resident(process)))
        await asyncio.sleep(0.25)


async def _at_last(wanted: int, look: Callable[[], int]) -> int:
    """What one sees once it is as wanted; or still, when the server has had a moment to notice that all hung up."""
    for _ in range(100):
        if (seen := await asyncio.to_thread(look)) == wanted:
            break
        await asyncio.sleep(0.1)
    return seen


def uploads(folder: Path | None) -> int:
    """How many folders the server has for what was uploaded."""
    return 0 if folder is None else len(list(folder.glob("pruning-explorer-*/*")))


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
