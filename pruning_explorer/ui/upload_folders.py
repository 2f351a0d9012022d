"""Where uploads lie: in one folder of this process, which a later start removes should this process be killed."""

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from pruning_explorer.errors import SubjectError, not_written

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves there stays
    fcntl = None  # type: ignore[assignment]

PREFIX = "pruning-explorer-server-"
_TRIES = 10


class UploadFolders:
    """A folder of this process, locked as long as the process lives, and in it one for each upload.

    The system itself lets go of the lock, however the process ends; so a folder whose lock is free is nobody's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._held: int | None = None

    def new(self) -> "tempfile.TemporaryDirectory[str]":
        """A folder that nobody else on this machine can read, deleted with what lies in it when nobody holds it.

        Raises:
            SubjectError: the disk is full, or cannot be written to.
        """
        try:
            with self._lock:
                if self._home is None or not Path(self._home.name).is_dir():
                    self._let_go()
                    self._home, self._held = _locked_folder()
                return tempfile.TemporaryDirectory(dir=self._home.name, ignore_cleanup_errors=True)
        except OSError as error:
            raise SubjectError(not_written(error)) from None

    def remove_all(self) -> None:
        """Delete what is left, because the process ends."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._home is not None:
            self._home.cleanup()
        if self._held is not None:
            os.close(self._held)
        self._home = self._held = None


def remove_abandoned() -> int:
    """Delete the folders of processes that are gone, never one that lives; how many those were.

    Only folders of this user's are looked at, so nobody else can put a link in their place.
    """
    if fcntl is None:
        return 0
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or locked by the process that it is of
            if folder.lstat().st_uid != os.getuid() or not folder.is_dir():
                continue
            held = _lock(folder)
            try:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
            finally:
                os.close(held)
    return removed


def _locked_folder() -> "tuple[tempfile.TemporaryDirectory[str], int | None]":
    for _ in range(_TRIES):
        folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        if fcntl is None:
            return folder, None
        # Between these two steps another process may have taken it for an abandoned one
        with suppress(OSError):
            held = _lock(Path(folder.name))
            if Path(folder.name).is_dir():
                return folder, held
            os.close(held)
    raise SubjectError("no folder for uploads could be made; whoever started the app finds room for temporary files")


def _lock(folder: Path) -> int:
    """An open folder that nobody else can lock until it is closed.

    Raises:
        OSError: somebody has locked it, or it is gone.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


FOLDERS = UploadFolders()
