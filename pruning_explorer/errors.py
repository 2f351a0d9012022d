"""One family of errors; each message says what is wrong and what to do next."""

import errno
import threading

NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
"""The system's error numbers for a full disk, a full quota, and a file larger than the disk allows."""


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


OUR_OWN = ("pruning_explorer.", "streamlit.")


def theirs(error: BaseException) -> bool:
    """Whether code that is not ours raised it for reasons of its own: then it is told, and ends nothing of ours.

    What is no ``Exception`` ends a program, as ``SystemExit`` does in a forward pass. Not theirs is what we, or
    Streamlit, stop work with, and Ctrl-C, which comes to the main thread alone.
    """
    if isinstance(error, Exception):
        return True
    if isinstance(error, KeyboardInterrupt):
        return threading.current_thread() is not threading.main_thread()
    return not f"{type(error).__module__}.".startswith(OUR_OWN)
