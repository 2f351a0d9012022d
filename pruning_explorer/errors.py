"""One family of errors; each message says what is wrong and what to do next."""

import errno

NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
"""What a system says where a disk is full, or a person's share of it, or a file may not become so large."""


class PruningExplorerError(Exception):
    """Base of every error that this package raises on purpose; its text is fit to be shown to a person."""


class RecipeError(PruningExplorerError):
    """A recipe, or one of its parameters, makes no sense."""


class TargetError(PruningExplorerError):
    """A target does not exist in the subject, or cannot be pruned as asked."""


class ScoreError(PruningExplorerError):
    """A criterion gave scores that cannot be ranked."""


class MaskError(PruningExplorerError):
    """A mask does not fit the subject it is meant for."""


class SubjectError(PruningExplorerError):
    """A subject cannot be made, found or run."""


class LessonError(PruningExplorerError):
    """A lesson's file cannot be read, or names what there is not."""


class ExportError(PruningExplorerError):
    """A result cannot be saved: it does not fit the file's format, or the file cannot be written."""


def not_written(error: OSError) -> str:
    """Why a file could not be written on the machine that this program runs on, and what to do about it."""
    if error.errno in NO_ROOM:
        return (
            "the server's disk is full, so nothing was kept; try again once whoever runs the server has freed some, or "
            "forget a network that you brought"
        )
    return f"the server cannot write to its disk ({error.strerror or error}); whoever runs it can mend that"
