"""An upload for which the disk has no room is kept in memory, or answered in words."""

import asyncio
import resource
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from pruning_explorer.ui import upload_room
from pruning_explorer.ui.upload_room import IN_MEMORY, ROUTE, SHARED_RATE, RoomForUploads

FILE = bytes(3 << 20)
BODY = b'--cut\r\nContent-Disposition: form-data; name="net.pt"; filename="net.pt"\r\n\r\n' + FILE + b"\r\n--cut--\r\n"


async def receiver(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads an upload as Streamlit does, and answers with its length."""
    form = await Request(scope, receive).form()
    (file,) = (value for value in form.values() if not isinstance(value, str))
    held = await file.read()
    await form.close()
    await PlainTextResponse(str(len(held)))(scope, receive, send)


SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "PUT",
    "path": f"{ROUTE}session/file",
    "query_string": b"",
    "headers": [
        (b"content-type", b"multipart/form-data; boundary=cut"),
        (b"content-length", str(len(BODY)).encode()),
    ],
}


def upload() -> tuple[int, str, int]:
    """Status and text of the answer, and how much of the body was taken."""
    chunks = [BODY[start : start + (1 << 18)] for start in range(0, len(BODY), 1 << 18)]
    answers: list[Message] = []
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": chunks[taken - 1], "more_body": taken < len(chunks)}

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(RoomForUploads(receiver)(SCOPE, receive, send))
    text = b"".join(message.get("body", b"") for message in answers).decode()
    return int(answers[0]["status"]), text, sum(map(len, chunks[:taken]))


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may become larger than 64 KiB, which the system refuses as it refuses to write to a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    MultiPartParser.spool_max_size = IN_MEMORY


def test_with_room_an_upload_takes_the_usual_way() -> None:
    assert upload() == (200, str(len(FILE)), len(BODY))
    assert MultiPartParser.spool_max_size == IN_MEMORY


def test_a_page_closed_in_the_midst_of_an_upload_is_no_fault_of_the_server() -> None:
    coming = [
        {"type": "http.request", "body": BODY[:100_000], "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(RoomForUploads(receiver)(SCOPE, receive, send))
    assert not answers
    assert not coming


def test_a_disk_that_fills_up_meanwhile_is_told_once_all_was_sent(small_disk: None) -> None:
    status, text, taken = upload()
    assert (status, taken) == (507, len(BODY))
    assert "the server's disk is full" in text


def test_without_room_on_the_disk_an_upload_stays_in_memory(small_disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_room, "SPARE", 1 << 62)  # more than any disk has
    assert upload()[:2] == (200, str(len(FILE)))


async def page_left_open(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("visitors", [1, 2])
def test_an_upload_waits_its_turn_where_others_are(visitors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def no_pause(seconds: float) -> None:
        waited.append(seconds)

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(SHARED_RATE), "more_body": True}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    async def take_three() -> None:
        room = RoomForUploads(page_left_open)
        pages = [asyncio.create_task(room({"type": "websocket"}, receive, send)) for _ in range(visitors)]
        await asyncio.sleep(0)
        in_turn = room._in_turn(receive)
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "sleep", no_pause)
            for _ in range(3):
                await in_turn()
        for page in pages:
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)
        await in_turn()  # everybody has gone

    asyncio.run(take_three())
    # No time passes between them, so each waits for all before it, a second each
    assert [round(seconds) for seconds in waited] == ([1, 2, 3] if visitors > 1 else [])
