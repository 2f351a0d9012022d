"""The same calls as the pages make, from a terminal: ``python -m pruning_explorer report digits-cnn --amount 0.8``."""

import os
import sys
from collections.abc import Sequence

from pruning_explorer.cli.open_app import open_app
from pruning_explorer.cli.parser import OPEN, make_parser
from pruning_explorer.cli.stderr import complain
from pruning_explorer.errors import PruningExplorerError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; without a command it opens the app.

    Returns:
        The exit code: 0, or 2 where something asked for makes no sense; then one line on stderr says what.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or _is_for_the_app(arguments[0]):
        arguments.insert(0, OPEN)
    if arguments[0] == OPEN:
        open_app(arguments[1:])
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no × or – still gets the rest
    try:
        options = make_parser(arguments).parse_args(arguments)
        print(options.run(options))
        sys.stdout.flush()
    except PruningExplorerError as error:
        complain(error)
        return 2
    except BrokenPipeError:  # `... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _is_for_the_app(argument: str) -> bool:
    return argument.startswith("--") and argument != "--help"
