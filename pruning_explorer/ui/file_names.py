"""Names of the files that a page offers, made of words that came from strangers' files."""

import re

LONGEST = 80
"""Most characters of the network's name in a file name."""


def file_name(network: str, *parts: str, ending: str) -> str:
    """What a file is called: by the last part of the network's name, without anything that a path could be made of.

    What is left are letters, digits, ``_``, ``.`` and ``-``, none of the last two at the beginning: nothing that a
    shell, a spreadsheet or a system reads otherwise, and no character that one cannot see.

    Args:
        parts: what else it says, in words of our own: the recipe's id, ``"weights"``.

    >>> file_name("hf:../models/Größe 2", "ab12", "weights", ending=".pt"), file_name("=cmd|", "curves", ending=".csv")
    ('Größe-2-ab12-weights.pt', 'cmd-curves.csv')
    """
    last = re.split(r"[/\\:]", network)[-1]
    stem = re.sub(r"[^\w.-]+", "-", last)[:LONGEST].strip("-.") or "network"
    return f"{'-'.join((stem, *parts))}{ending}"
