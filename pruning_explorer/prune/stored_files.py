"""The files that a network's weights are mapped from: whether they are still as they were when it was opened.

What is mapped is read when it is looked at. Where the file has become shorter meanwhile the system ends the process
(SIGBUS), and where it was written over, weights are read that belong to no network. So before anything is read, size,
time and inode of the file are looked at.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pruning_explorer.errors import SubjectError


@dataclass(frozen=True)
class StoredFile:
    """A file as it was at one moment.

    Attributes:
        size: in bytes.
        changed: when it was last written to, in nanoseconds.
        inode: device and inode: another file by the same name has another.
    """

    path: Path
    size: int
    changed: int
    inode: tuple[int, int]

    @classmethod
    def now(cls, path: Path) -> Self:
        """The file at ``path``, as it is; to be called before it is opened.

        Raises:
            OSError: there is none.
        """
        return cls(path.absolute(), *_state(os.stat(path)))

    def check(self, name: str) -> None:
        """Check that the file has not changed.

        Args:
            name: of the network.

        Raises:
            SubjectError: it has.
        """
        try:
            size, changed, inode = _state(os.stat(self.path))
        except OSError as error:
            what = f"is no longer there ({error.strerror})"
        else:
            if size < self.size:
                what = f"has been cut short, from {self.size:,} to {size:,} bytes"
            elif inode != self.inode:
                what = "has been replaced by another"
            elif (size, changed) != (self.size, self.changed):
                what = "has been written to"
            else:
                return
        raise SubjectError(
            f"{name} cannot be read any more: since it was opened, its file on the server {what}; bring it again, or "
            "have the program started anew with it"
        )


def _state(found: os.stat_result) -> tuple[int, int, tuple[int, int]]:
    return found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino)
