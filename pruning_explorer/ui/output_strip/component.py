"""The strip as a Streamlit component.

The view draws in the browser. Through the page's store (``ui/browser/channel.py``) come the inputs with what the dense
network answers, once per network, the answers at one amount, and, from other parts of the page, where the amount stands
and which samples flip at each point of the curve.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pruning_explorer.ui.browser import THEME, colour_variables, declare_component, send_arrays, send_state

_HERE = Path(__file__).parent
_VIEW = declare_component(
    "output_strip",
    _HERE / "js/main.js",
    html=_HERE / "output_strip.html",
    css=(THEME, colour_variables(), _HERE / "output_strip.css"),
)

CARDS = 24
"""Most samples in the strip."""


def output_strip(*, key: str, page: str, missing: str, tab: str) -> None:
    """Show the strip, with what is in the store of a page: nothing yet, or what is sent there next.

    Args:
        key: identity on the page.
        page: name of the store.
        missing: why there are no outputs, in a sentence that stands in their place; empty where there are some.
        tab: label of the page's tab that its button opens, where all outputs are.
    """
    _VIEW(key=key, data={"page": page, "missing": missing, "tab": tab})


def send_inputs(page: str, payload: bytes, subject: str) -> None:
    """Send what goes into a network, from :func:`~pruning_explorer.ui.output_strip.payload.build_inputs`."""
    send_arrays(page, "inputs", payload, subject)


def send_answers(
    page: str,
    *,
    amount: float,
    of: str,
    subject: str,
    order: Sequence[int],
    flipped: int,
    samples: int,
    answers: Sequence[Mapping[str, str | bool]],
) -> None:
    """Send the answers at an amount.

    Args:
        amount: in [0, 1].
        of: the network and its recipe without the amount.
        subject: id of the network, whose inputs were sent.
        order: sample numbers, flipped ones first.
        flipped, samples: how many flip, and of how many.
        answers: of the first samples in that order: ``answer`` of the pruned network, its
            ``probability`` and whether it is ``flipped``.
    """
    told = {"amount": amount, "of": of, "subject": subject, "order": list(order)}
    send_state(page, "answers", {**told, "flipped": flipped, "samples": samples, "answers": list(answers)})
