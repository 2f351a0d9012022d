"""Text in columns, as a terminal shows it."""

import textwrap
from collections.abc import Sequence

WIDTH = 96


def entry(name: str, text: str, indent: int = 15) -> str:
    """A name, and beside it a text as a block of its own."""
    return textwrap.fill(text, WIDTH, initial_indent=f"{name:<{indent}}", subsequent_indent=" " * indent)


def in_columns(rows: Sequence[Sequence[str]], right: Sequence[bool], gap: str = "  ") -> str:
    """Rows of cells as lines, each column as wide as its widest cell.

    Args:
        rows: equally long.
        right: of each column, whether its cells end below each other rather than begin.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        gap.join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )
