"""An upload as it arrives: Streamlit's web server lays it on the disk first, which may be full."""

import shutil
import tempfile
from typing import Any

from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pruning_explorer.errors import NO_ROOM, not_written

ROUTE = "/_stcore/upload_file/"
SPARE = 64 << 20
"""Bytes of the disk that an upload leaves free."""
IN_MEMORY = 1 << 20
"""Bytes up to which an upload stays in memory where the disk has space; Starlette's own default."""


class RoomForUploads:
    """Keeps an upload in memory for which the disk has no room, so that the page can say so when it has arrived.

    Should the disk fill up meanwhile, the upload is answered with a status that says it (507, insufficient storage)
    once all of it has been sent: a browser whose sending is cut off shows an error of the network.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "PUT" or ROUTE not in scope["path"]:
            await self._app(scope, receive, send)
            return
        size = _said_size(scope)
        MultiPartParser.spool_max_size = IN_MEMORY if _free() > size + SPARE else max(size, IN_MEMORY)
        try:
            await self._app(scope, receive, send)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            while (await receive()).get("more_body"):
                pass
            await PlainTextResponse(not_written(error), 507)(scope, receive, send)


def _said_size(scope: Scope) -> int:
    headers: dict[bytes, Any] = dict(scope["headers"])
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() else 0


def _free() -> int:
    return shutil.disk_usage(tempfile.gettempdir()).free
