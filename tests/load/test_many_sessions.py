"""Ten people on one server move sliders at once, and each sees their own networks and recipes, and no fault."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pruning_explorer import Recipe
from tests.browser.conftest import Server
from tests.load.answers import faults
from tests.load.crowd import Crowd, gather, uploads
from tests.load.own_model import NAME
from tests.load.visitor import MODELS, Asked, Diary, Shown, Visitor
from tests.load.wire import visit

ACTS = 12
VISITORS = 10
FAR = 0.6
"""Seconds that a message takes at most to or from somebody far away: quicker hands than answers, and no load."""

LEVEL = 1.25
"""Growth of the server's memory that a visit so short may show: it still warms up. What a minute shows, the benchmark
holds to a tenth.
"""

CACHE_MIB = "64"
"""So little that the caches are full, and drop what is oldest, within the first seconds."""


@dataclass(frozen=True)
class Day:
    """A server, what came of a crowd on it, and where it keeps what is uploaded."""

    server: Server
    crowd: Crowd
    folder: Path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    log, folder = tmp_path_factory.mktemp("server") / "log.txt", tmp_path_factory.mktemp("uploads")
    server = Server("tests/load/hasty_app.py", log, "--cache-mib", CACHE_MIB, TMPDIR=str(folder))
    try:
        crowd = asyncio.run(gather(server.url, server.process.pid, lambda acts, _: acts >= ACTS, VISITORS, folder))
        yield Day(server, crowd, folder)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def crowd(day: Day) -> Crowd:
    return day.crowd


def test_everybody_sees_what_they_asked_for_and_nothing_else(crowd: Crowd) -> None:
    assert [fault for diary in crowd.diaries for fault in faults(diary)] == []


def test_everybody_was_busy_on_several_networks(crowd: Crowd) -> None:
    assert len(crowd.diaries) == VISITORS
    assert all(len(diary.waits) >= ACTS // 2 and len(diary.seen) > ACTS for diary in crowd.diaries)
    assert crowd.unanswered == 0
    seen = {each.subject for diary in crowd.diaries for _, asked in diary.seen for each in asked}
    assert seen == {*MODELS, NAME}


def test_nobody_who_is_far_away_sees_another_page_than_they_asked_for(day: Day) -> None:
    async def move() -> list[Diary]:
        async with AsyncExitStack() as tabs:
            people = []
            for number, model in enumerate(MODELS[:2]):
                query = urlencode({"subject": model, "amount": 0.5})
                tab = await tabs.enter_async_context(visit(day.server.url, query=query, delay=FAR, seed=number))
                people.append(Visitor(tab, number, Asked(model, Recipe(amount=0.5))))
            await asyncio.gather(*(person.arrive() for person in people))
            await asyncio.gather(*(person.wander(lambda acts, _: acts >= ACTS) for person in people))
            return [person.diary for person in people]

    diaries = asyncio.run(move())
    assert [fault for diary in diaries for fault in faults(diary)] == []
    assert [diary.unanswered for diary in diaries] == [0, 0]


def test_the_server_is_level_after_the_first_round(crowd: Crowd) -> None:
    _, second, third = crowd.floors()
    assert third <= LEVEL * second, [(round(at), held >> 20) for at, held in crowd.memory]


def test_the_server_counts_nobody_once_all_have_left(crowd: Crowd) -> None:
    assert crowd.sessions == (VISITORS, 0)


def test_what_each_brought_lies_in_a_folder_of_its_own_until_they_leave(crowd: Crowd) -> None:
    assert sum(diary.brought for diary in crowd.diaries) == VISITORS - 1
    assert crowd.files == (VISITORS - 1, 0)


def test_a_network_that_others_brought_is_no_answer_to_its_name(day: Day) -> None:
    async def ask() -> tuple[Shown, Shown]:
        async with visit(day.server.url, "models") as tab, visit(day.server.url, query=f"subject={NAME}") as other:
            owner = Visitor(tab, 1, Asked(NAME, Recipe(), 1))
            await owner.bring()
            return Shown.on(await tab.until(bool)), Shown.on(await other.until(bool))

    owners, others = asyncio.run(ask())
    assert owners.networks[0] == NAME
    assert owners.alerts == ()
    assert NAME not in others.networks
    assert others.query["subject"] == [MODELS[0]]
    assert NAME in others.alerts[0]


def test_nothing_is_left_of_uploads_when_the_server_is_told_to_end(day: Day) -> None:
    async def bring() -> None:
        async with visit(day.server.url, "models") as tab:
            await Visitor(tab, 1, Asked(NAME, Recipe(), 1)).bring()
            assert uploads(day.folder) >= 1
            await asyncio.to_thread(day.server.stop)

    asyncio.run(bring())
    assert list(day.folder.glob("pruning-explorer-*")) == []


def test_nothing_went_wrong_on_the_server(day: Day) -> None:
    assert "Traceback" not in day.server.text
