"""A look that may have cost the browser the end of a run has the page drawn anew; any other draws its own part."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.browser.conftest import Server
from tests.load.drawn import Asking, Run
from tests.load.wire import Session, visit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server("tests/browser/look_again_app.py", tmp_path_factory.mktemp("server") / "log.txt")
    yield server
    server.stop()
    assert "Traceback" not in server.text


def said(run: Run) -> list[str]:
    return [each.body for each in run.all("markdown")]


async def look(session: Session, asking: Asking, run: int) -> None:
    saying = json.dumps([{"event": "look", "value": run}])
    await session.act(asking.trigger, fragment=asking.fragment, json_trigger_value=saying)


def test_it_looks_until_all_is_there_in_one_run_of_the_script(server: Server) -> None:
    async def ask() -> tuple[int, list[str], list[Asking]]:
        async with visit(server.url) as tab:
            shown = await tab.until(lambda run: "look 5" in said(run), 20)
            await asyncio.sleep(0.5)
            return tab.runs, said(shown), shown.asking()

    assert asyncio.run(ask()) == (1, ["look 5", "run 1"], [])


def test_a_look_from_before_the_latest_run_has_the_page_drawn_anew(server: Server) -> None:
    async def ask() -> tuple[list[str], list[str]]:
        async with visit(server.url, looks=False) as tab:
            (asking,) = (await tab.until(bool, 20)).asking()
            await look(tab, asking, asking.run)
            own = said(await tab.until(lambda run: "look 2" in said(run), 20))
            await look(tab, asking, asking.run - 1)
            return own, said(await tab.until(lambda run: run.number > 1, 20))

    own, anew = asyncio.run(ask())
    assert own == ["look 2", "run 1"]
    assert anew == ["look 3", "run 2"]
