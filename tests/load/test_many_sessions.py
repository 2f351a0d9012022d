"""Ten people on one server move sliders at once, and each sees their own networks and recipes, and no fault."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Server
from tests.load.answers import faults
from tests.load.crowd import Crowd, gather

SECONDS = 12
VISITORS = 10
CACHE_MIB = "64"
"""So little that the caches are full, and drop what is oldest, within the first seconds."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log.txt"


@pytest.fixture(scope="module")
def crowd(log: Path) -> Iterator[Crowd]:
    server = Server("app.py", log, "--cache-mib", CACHE_MIB)
    try:
        yield asyncio.run(gather(server.url, server.process.pid, SECONDS, VISITORS))
    finally:
        server.stop()


def test_everybody_sees_what_they_asked_for_and_nothing_else(crowd: Crowd) -> None:
    assert [fault for diary in crowd.diaries for fault in faults(diary)] == []


def test_everybody_is_answered_again_and_again(crowd: Crowd) -> None:
    assert len(crowd.diaries) == VISITORS
    assert all(len(diary.waits) >= 2 and len(diary.seen) > len(diary.waits) for diary in crowd.diaries)
    of_whom = [{recipe.subject for _, asked in diary.seen for recipe in asked} for diary in crowd.diaries]
    assert len(set().union(*of_whom)) == 3


def test_the_server_is_level_after_the_first_round(crowd: Crowd) -> None:
    _, second, third = crowd.floors()
    assert third <= 1.1 * second, [(round(at), held >> 20) for at, held in crowd.memory]


def test_the_server_counts_nobody_once_all_have_left(crowd: Crowd) -> None:
    assert crowd.sessions == (VISITORS, 0)


def test_nothing_went_wrong_on_the_server(crowd: Crowd, log: Path) -> None:
    assert "Traceback" not in log.read_text(errors="replace")
