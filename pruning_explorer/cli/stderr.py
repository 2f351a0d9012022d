"""What goes to stderr, so that stdout holds nothing but what was asked for."""

import sys
from pathlib import Path

NAME = "pruning-explorer" if Path(sys.argv[0]).stem == "pruning-explorer" else "python -m pruning_explorer"
"""The command as the person typed it, which begins each error message."""


def complain(problem: object) -> None:
    """One line that says what is wrong; lines of code in it stay such, apart by semicolons."""
    said, *code = filter(None, (" ".join(line.split()) for line in str(problem).splitlines()))
    print(f"{NAME}: {' '.join([said, '; '.join(code)]).strip()}", file=sys.stderr)


def mention(text: str) -> None:
    """One line on what was done besides: a file that was written, scores that were read."""
    print(text, file=sys.stderr)
