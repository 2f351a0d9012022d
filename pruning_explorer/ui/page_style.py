"""The pages' style, in the HTML that a browser gets first: brought by a run, it would come after what it is for."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HERE = Path(__file__).parent
_FILES = ("page_style.css", "controls/sidebar.css", "explore/explore.css", "phone_sidebar.css")
STYLE = f"<style>\n{''.join((_HERE / name).read_text(encoding='utf-8') for name in _FILES)}</style>".encode()
_END = b"</body>"
"""Where it goes: of rules of equal weight the last one holds, and Streamlit writes its own into the head."""

_ABOUT_THE_FILE = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
"""What a browser asks of a page and is not asked of Streamlit: it answers with the whole page, as plain text, and never
that it is as before, which its file may be, and the style not."""


class StyledFromTheStart:
    """Puts the style into each HTML page that Streamlit answers with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def styled(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif message["type"] == "http.response.body" and start:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                await send({**start, "headers": _headers(start, len(STYLE) * (_END in body))})
                await send({"type": "http.response.body", "body": body.replace(_END, STYLE + _END, 1)})
            else:
                await send(message)

        asked = [each for each in scope["headers"] if each[0] not in _ABOUT_THE_FILE]
        html = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
        await self._app({**scope, "headers": asked} if html else scope, receive, styled)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(raw=message["headers"])
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers


def _headers(start: Message, more: int) -> list[tuple[bytes, bytes]]:
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-length"] = str(int(headers["content-length"]) + more)
    for name in ("etag", "last-modified"):
        del headers[name]
    return headers.raw
