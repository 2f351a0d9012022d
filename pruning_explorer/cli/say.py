"""What goes to stderr, so that stdout holds nothing but what was asked for."""

import sys

NAME = "python -m pruning_explorer"


def complain(problem: object) -> None:
    """One line that says what is wrong."""
    print(f"{NAME}: {' '.join(str(problem).split())}", file=sys.stderr)


def mention(text: str) -> None:
    """One line on what was done besides: a file that was written, scores that were read."""
    print(text, file=sys.stderr)
