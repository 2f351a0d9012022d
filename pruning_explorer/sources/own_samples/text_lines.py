"""The lines of a text, read one by one: none of them fills the memory."""

import io
from collections.abc import Iterator
from itertools import count

from pruning_explorer.errors import SubjectError

MOST_LINES = 5_000_000
"""Most lines of a file: more of them, even empty, take minutes."""


def text_lines(name: str, content: bytes, longest: int) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1, each with its end; a byte order mark is taken off.

    Only a line feed, alone or after a carriage return, ends a line: other signs that Unicode has for it are in the
    midst of people's sentences.

    Args:
        name: of the file, for messages.
        longest: bytes that a line may have.

    Raises:
        SubjectError: a line is too long, or no UTF-8, or there are too many.
    """
    file = io.BytesIO(content)
    for number in count(1):
        line = file.readline(longest + 1)
        if not line:
            return
        if number > MOST_LINES:
            raise SubjectError(f"{name} has more than {MOST_LINES:,} lines; keep a few thousand of them")
        if len(line) > longest:
            raise SubjectError(f"line {number} of {name} has more than {longest:,} bytes; cut it")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise SubjectError(
                f"{name} is no text in UTF-8 (byte {error.start + 1} of line {number}); save it as UTF-8"
            ) from None
        yield number, text


def is_number(text: str) -> bool:
    """Whether it is written as a number.

    >>> is_number("-3e2"), is_number("three")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
