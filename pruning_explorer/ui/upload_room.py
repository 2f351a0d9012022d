"""An upload as it arrives: Streamlit's web server lays it on the disk first, which may be full, while others wait."""

import asyncio
import shutil
import tempfile
import time
from typing import Any

from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pruning_explorer.errors import NO_ROOM, not_written

ROUTE = "/_stcore/upload_file/"
SPARE = 64 << 20
"""Bytes of the disk that an upload leaves free."""
IN_MEMORY = 1 << 20
"""Bytes up to which an upload stays in memory where the disk has space; Starlette's own default."""

SHARED_RATE = 48 << 20
"""Bytes a second that are taken of an upload while others are on the server too: each chunk takes its turn in the one
loop that answers everybody."""


class RoomForUploads:
    """Takes uploads no faster than others on the server can bear, and says so where the disk has no room for one.

    Such an upload is kept in memory, and the page tells when it has arrived. Should the disk fill up meanwhile, it is
    answered with a status that says it (507, insufficient storage) once all of it has been sent: a browser whose
    sending is cut off shows an error of the network.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._visitors = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "websocket":  # each open page holds one
            self._visitors += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._visitors -= 1
            return
        if scope["type"] != "http" or scope["method"] != "PUT" or ROUTE not in scope["path"]:
            await self._app(scope, receive, send)
            return
        size = _said_size(scope)
        MultiPartParser.spool_max_size = IN_MEMORY if _free() > size + SPARE else max(size, IN_MEMORY)
        try:
            await self._app(scope, self._in_turn(receive), send)
        except ClientDisconnect:
            return  # the page was closed before all of it had come: nobody waits for an answer
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            while (await receive()).get("more_body"):
                pass
            await PlainTextResponse(not_written(error), 507)(scope, receive, send)

    def _in_turn(self, receive: Receive) -> Receive:
        """What comes in, with a pause after each chunk that came too fast."""
        next_at = 0.0

        async def in_turn() -> Message:
            nonlocal next_at
            message = await receive()
            if self._visitors > 1:
                next_at = max(next_at, time.monotonic()) + len(message.get("body", b"")) / SHARED_RATE
                await asyncio.sleep(next_at - time.monotonic())
            return message

        return in_turn


def _said_size(scope: Scope) -> int:
    headers: dict[bytes, Any] = dict(scope["headers"])
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() else 0


def _free() -> int:
    return shutil.disk_usage(tempfile.gettempdir()).free
