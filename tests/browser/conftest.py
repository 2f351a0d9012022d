"""A real Chromium on a real server.

A module says which app it drives by ``APP = "path/of/app.py"`` (from the checkout's root; ``app.py`` if it says
nothing) and gets it as ``base_url``; ``app`` opens a path of it on a page that must log no error. With
``ONE_PAGE = True`` the tests of the module do so on one page, emptied in between (``tests/browser/emptied.py``).
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Route, expect

from tests.browser.compare_page import ComparePage
from tests.browser.emptied import ADDRESS as EMPTY
from tests.browser.emptied import empty, fill
from tests.browser.explore_page import ExplorePage, new_page

# Two cores may be busy with other things; what comes sooner costs nothing
expect.set_options(timeout=30_000)

Js = Callable[..., Any]
"""``js(module, expression, x)``: see the fixture of that name."""

ROOT = Path(__file__).resolve().parents[2]
UI = ROOT / "pruning_explorer" / "ui"
ORIGIN = "http://modules.test"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # a page that asks anybody but us fails, here as on a machine without a network
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

# Opened below its root, Streamlit first looks for itself below that page, and finds itself above it
PROBES = re.compile(r"/(compare|learn|models)/_stcore/(health|host-config)$")


class Server:
    """One Streamlit process on a free port."""

    def __init__(self, app: str, log: Path, *arguments: str, **variables: str) -> None:
        """Start it and wait until it answers.

        Args:
            arguments: for the app itself, ``"--subject", "module:function"``.
            variables: of its environment.
        """
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        options = {
            "server.headless": "true",
            "server.address": "127.0.0.1",
            "server.port": port,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        command = [sys.executable, "-m", "streamlit", "run", app, *(f"--{name}={v}" for name, v in options.items())]
        command += ["--", *arguments] if arguments else []
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
        with log.open("wb") as sink:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self.text[-3000:]}")

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start an app by its path, once a session, and get its address; a traceback in its log fails the session."""
    servers: dict[str, Server] = {}

    def start(app: str) -> str:
        if app not in servers:
            servers[app] = Server(app, tmp_path_factory.mktemp("server") / "log.txt")
        return servers[app].url

    yield start
    for server in servers.values():
        server.stop()
    for app, server in servers.items():
        assert "Traceback" not in server.text, f"{app}:\n{server.text[-3000:]}"


@pytest.fixture(scope="module")
def base_url(request: pytest.FixtureRequest, serve: Callable[[str], str]) -> str:
    return serve(getattr(request.module, "APP", "app.py"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    arguments = [*ARGUMENTS, "--process-per-site"]
    return {**browser_type_launch_args, "args": arguments, **({"executable_path": CHROMIUM} if CHROMIUM else {})}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    # not on top of the plugin's: that one wants one base_url for the whole session
    return {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "color_scheme": "light"}


@pytest.fixture
def watch() -> Iterator[Callable[[Page], Page]]:
    """Mark a page as one that must log no error by the end of the test; for pages beyond the first."""
    errors: list[str] = []
    watched: list[Page] = []

    def note(message: ConsoleMessage) -> None:
        probe = "404" in message.text and PROBES.search(message.location.get("url", ""))
        if message.type == "error" and not probe:
            errors.append(message.text)

    def note_error(error: Error) -> None:
        errors.append(str(error))

    def start(page: Page) -> Page:
        page.on("pageerror", note_error)
        page.on("console", note)
        watched.append(page)
        return page

    yield start
    for page in watched:
        page.remove_listener("pageerror", note_error)
        page.remove_listener("console", note)
    assert not errors, errors


@pytest.fixture(scope="module")
def one_page(request: pytest.FixtureRequest, browsers: Callable[..., BrowserContext], base_url: str) -> Iterator[Page]:
    """The page that the tests of a module share."""
    page = browsers(request.module.__name__, base_url).new_page()
    page.goto(base_url + EMPTY)
    wait_until_settled(page)
    yield page
    page.close()


@pytest.fixture
def emptied_page(one_page: Page, browser_context_args: dict[str, Any]) -> Page:
    """It, as a new one is."""
    empty(one_page)
    if one_page.viewport_size != browser_context_args["viewport"]:
        one_page.set_viewport_size(browser_context_args["viewport"])
    one_page.emulate_media(media="screen", color_scheme=browser_context_args["color_scheme"])
    return one_page


@pytest.fixture
def own_page(request: pytest.FixtureRequest, browsers: Callable[..., BrowserContext], base_url: str) -> Iterator[Page]:
    """A page of its own, in a browser that the tests of a module share: Streamlit is fetched and compiled once."""
    page = browsers(request.module.__name__, base_url).new_page()
    yield page
    page.close()


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Page:
    """The page on which ``app`` opens what it is asked for: the module's one, or one of its own."""
    name = "emptied_page" if uses_one_page(request) else "own_page"
    return cast("Page", request.getfixturevalue(name))


def uses_one_page(request: pytest.FixtureRequest) -> bool:
    """A test that asks for ``own_page`` gets it in any module."""
    return getattr(request.module, "ONE_PAGE", False) and "own_page" not in request.fixturenames


@pytest.fixture
def app(
    request: pytest.FixtureRequest, page: Page, base_url: str, watch: Callable[[Page], Page]
) -> Callable[..., Page]:
    """Open a path of the module's app and wait until it is at rest."""
    watch(page)

    def goto(path: str = "/") -> Page:
        if not uses_one_page(request):
            page.goto(base_url + path)
        else:
            if page.url != base_url + EMPTY:
                empty(page)
            fill(page, path)
        wait_until_settled(page)
        return page

    return goto


@pytest.fixture(scope="session")
def browsers(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Callable[..., BrowserContext]]:
    """A browser by its name and options, kept for the session: what it has fetched once it need not fetch again.

    A page of the server stays open in it. With the last page its window would go, and the process that all pages of the
    site share (``--process-per-site``); to read and compile Streamlit anew takes longer than all else on a page.
    """
    known: dict[str, BrowserContext] = {}

    def find(name: str, url: str, **options: Any) -> BrowserContext:
        key = repr((name, sorted(options.items())))
        if key not in known:
            known[key] = browser.new_context(**{**browser_context_args, **options})
            known[key].new_page().goto(f"{url}/_stcore/health")
        return known[key]

    yield find
    for context in known.values():
        context.close()


@pytest.fixture
def visits(
    browsers: Callable[..., BrowserContext], base_url: str, watch: Callable[[Page], Page]
) -> Iterator[Callable[..., ExplorePage]]:
    """Open a page in a session of its own; none may log an error or ask anybody but our server.

    Size and colours are the page's, not the browser's: what one page has read and compiled, the next has at hand.
    """
    opened: list[ExplorePage] = []

    def start(path: str, browser: str = "first", **options: Any) -> ExplorePage:
        size, scheme = options.pop("viewport", None), options.pop("color_scheme", None)
        visit = new_page(browsers(browser, base_url, **options), base_url)
        watch(visit.page)
        opened.append(visit)
        if size:
            visit.page.set_viewport_size(size)
        if scheme:
            visit.page.emulate_media(color_scheme=scheme)
        visit.page.goto(base_url + path)
        return visit

    yield start
    foreign = [url for visit in opened for url in visit.foreign_requests()]
    for visit in opened:
        visit.page.close()
    assert not foreign, foreign


@pytest.fixture
def explore(visits: Callable[..., ExplorePage]) -> Callable[..., ExplorePage]:
    """Open a page of the app; ``stand``: wait until all of Explore is drawn."""

    def start(path: str = "/", stand: bool = True, **options: Any) -> ExplorePage:
        visit = visits(path, **options)
        return visit.stand() if stand else visit

    return start


@pytest.fixture
def comparison(visits: Callable[..., ExplorePage]) -> Callable[..., ComparePage]:
    """Open the Compare page; ``stand``: wait until all of it is drawn."""

    def start(path: str, stand: bool = True, **options: Any) -> ComparePage:
        visit = visits(path, **options)
        page = ComparePage(visit.page, visit.base_url, visit.requests)
        return page.stand() if stand else page

    return start


@pytest.fixture
def settle() -> Callable[..., None]:
    return wait_until_settled


def wait_until_settled(page: Page, timeout: float = 60_000) -> None:
    """At rest: the script is not running and no element waits for its successor."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=timeout)
    page.wait_for_function("!document.querySelector('[data-stale=true]')", timeout=timeout)


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """An empty page that can import the modules as they lie in the package."""

    def serve(route: Route) -> None:
        file = UI / urlparse(route.request.url).path.removeprefix("/")
        if file.is_file():
            route.fulfill(body=file.read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page = browser.new_page()
    page.route(f"{ORIGIN}/**", serve)
    page.goto(ORIGIN)
    yield page
    page.close()


@pytest.fixture(scope="module")
def js(blank: Page) -> Js:
    """The value of a JavaScript expression in which ``m`` is a module and ``x`` what is handed over."""

    def run(module: str, expression: str, x: Any = None) -> Any:
        code = f"async (x) => {{ const m = await import('/{module}'); return ({expression}); }}"
        return blank.evaluate(code, x)

    return run
