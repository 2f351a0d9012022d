"""Open the app in a browser, from wherever the package is installed."""

import re
import runpy
import sys
from collections.abc import Sequence
from typing import NoReturn

from pruning_explorer.app_options import read_options
from pruning_explorer.installed import app_script

OF_STREAMLIT = re.compile(r"--[A-Za-z]+\.[A-Za-z.]+(=.*)?", re.DOTALL)
"""Pattern of a flag that is Streamlit's, such as ``--server.port``. Our own flags have no dot before their value."""


def open_app(arguments: Sequence[str]) -> NoReturn:
    """Run the app's server until it is ended.

    Args:
        arguments: ours, as ``--subject model.safetensors``, and Streamlit's own, as ``--server.port 8502``.
    """
    server, ours = split_flags(arguments)
    # Read here already: help and complaints come at once, and no server is started for them
    read_options(ours, "pruning-explorer open", "Flags with a dot are the server's: --server.port 8502.")
    sys.argv = ["streamlit", "run", str(app_script()), *server, "--", *ours]
    runpy.run_module("streamlit", run_name="__main__")
    sys.exit(0)


def split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags of Streamlit with their values, and the rest, each in order.

    ``--``, which stands between the two on a command line of Streamlit, may stand here as well.

    >>> split_flags(["--subject", "a.pt", "--server.port", "8502", "--server.headless=true"])
    (['--server.port', '8502', '--server.headless=true'], ['--subject', 'a.pt'])
    """
    server: list[str] = []
    ours: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        found = OF_STREAMLIT.fullmatch(argument)
        if argument == "--":
            continue
        if found is None:
            ours.append(argument)
            continue
        server.append(argument)
        if found[1] is None:
            server.extend([value] if (value := next(waiting, None)) is not None else [])
    return server, ours
