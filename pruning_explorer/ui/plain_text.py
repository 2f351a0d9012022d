"""Words that a person typed, or somebody's link or file brought, shown as they are.

Streamlit reads markdown in every message: unescaped, a link that somebody sent could fetch a picture from anywhere.
"""

import re

LONGEST = 300
"""Most characters of one message."""

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$:&^])")
_LINKS = re.compile(r"(?i)(?<=:)(?=//|material/)|(?<=\bwww)(?=\.)|(?<=@)")
_INVISIBLE_GLUE = "\N{WORD JOINER}"


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Markdown that shows ``text`` on one line, letter by letter; a long one without its middle.

    >>> print(plain("no field *x*"))
    no field \*x\*
    """
    line = " ".join(text.split())
    if len(line) > longest:
        line = f"{line[: longest // 2]} … {line[-longest // 2 :]}"
    # Links and icons are made after the backslashes are gone
    return _MARKS.sub(r"\\\1", _LINKS.sub(_INVISIBLE_GLUE, line))
