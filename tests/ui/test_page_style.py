"""The style goes into what Streamlit answers with, and into nothing else."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pruning_explorer.ui.page_style import STYLE, StyledFromTheStart

PAGE = "<html><head></head><body><p>é</p></body></html>"


def answer(request: Request) -> Response:
    if request.url.path == "/text":
        return PlainTextResponse(PAGE)
    if request.headers.get("if-none-match"):
        return Response(status_code=304)
    return HTMLResponse(PAGE, headers={"etag": '"file"', "last-modified": "Tue, 01 Dec 2026 00:00:00 GMT"})


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    return TestClient(
        Starlette(
            routes=routes, middleware=[Middleware(StyledFromTheStart), Middleware(GZipMiddleware, minimum_size=0)]
        )
    )


def test_a_page_ends_in_the_style_and_says_its_new_length(client: TestClient) -> None:
    found = client.get("/compare", headers={"accept": "text/html", "accept-encoding": "gzip"})
    assert found.content == PAGE.encode().replace(b"</body>", STYLE + b"</body>")
    assert int(found.headers["content-length"]) == len(found.content)


def test_a_browser_that_has_the_page_of_another_version_gets_the_new_one(client: TestClient) -> None:
    found = client.get("/", headers={"accept": "text/html", "if-none-match": '"file"'})
    assert found.status_code == 200
    assert not {"etag", "last-modified"} & set(found.headers)


def test_what_is_no_page_stays_as_it_is(client: TestClient) -> None:
    assert client.get("/text").text == PAGE
    assert client.post("/").text == PAGE
