"""Files that a browser session has made, and the address from which its browser fetches them.

Streamlit's own downloads lie in the server's memory, each as long as its button is drawn. These lie on the disk and are
sent from there, whatever their size.
"""

import secrets
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from pruning_explorer.exports.saving import Saved

MOST = 1 << 30
"""Most bytes of one session's files; beyond, the oldest are deleted first. The newest one stays, whatever its size."""

Key = tuple[str, ...]

_BY_TOKEN: "WeakValueDictionary[str, SavedFile]" = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class SavedFile:
    """A file, as long as its session keeps it.

    Attributes:
        token: part of its address that nobody can guess.
    """

    saved: Saved
    folder: "tempfile.TemporaryDirectory[str]"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def address(self) -> str:
        """Beside the address of any page."""
        return f"saved/{self.token}/{quote(self.saved.path.name)}"


class SavedFiles:
    """The files of one session, by what they are of."""

    def __init__(self) -> None:
        self._files: OrderedDict[Key, SavedFile] = OrderedDict()

    def get(self, key: Key) -> SavedFile | None:
        """The file of that key, if it was made and is still there."""
        return self._files.get(key)

    def keep(self, key: Key, saved: Saved, folder: "tempfile.TemporaryDirectory[str]") -> SavedFile:
        """Keep a file with the folder that it lies in alone."""
        self._drop(key)
        made = self._files[key] = SavedFile(saved, folder)
        _BY_TOKEN[made.token] = made
        while len(self._files) > 1 and sum(each.saved.nbytes for each in self._files.values()) > MOST:
            self._drop(next(iter(self._files)))
        return made

    def clear(self) -> None:
        """Delete all of them."""
        for key in list(self._files):
            self._drop(key)

    def _drop(self, key: Key) -> None:
        file = self._files.pop(key, None)
        if file is not None:
            _BY_TOKEN.pop(file.token, None)
            file.folder.cleanup()


async def _send(request: Request) -> Response:
    file = _BY_TOKEN.get(request.path_params["token"])
    path: Path | None = None if file is None else file.saved.path
    if path is None or not path.is_file():
        return PlainTextResponse("This file is no longer here. Go back to the page and make it again.", 404)
    headers = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        # It would otherwise be compressed on its way, which takes longer than to send it, and hides its size
        "content-encoding": "identity",
    }
    return FileResponse(path, headers=headers, media_type="application/octet-stream", filename=path.name)


ROUTE = Route("/{base:path}saved/{token}/{name}", _send)
"""The app's route to saved files, below whatever path the app is served at."""
