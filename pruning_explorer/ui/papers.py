"""Papers that a text names, as links to them."""

import re


def link_papers(text: str) -> str:
    """Markdown with a link for each arXiv id.

    >>> link_papers("from arXiv 1803.03635")
    'from [arXiv 1803.03635](https://arxiv.org/abs/1803.03635)'
    """
    return re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)
