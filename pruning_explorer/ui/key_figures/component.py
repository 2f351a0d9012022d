"""The key figures as a Streamlit component.

The view draws in the browser, and what it shows comes through the page's store (``ui/browser/channel.py``): where the
amount stands, figures measured at one amount, and, from other parts of the page, the kept weights of each layer at
every amount and the points of the curve. At an amount that is not measured it shows what these two tell.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pruning_explorer.ui.browser import THEME, declare_component, send_state
from pruning_explorer.ui.glossary_link import GlossaryLink, glossary_links

_HERE = Path(__file__).parent
_VIEW = declare_component(
    "key_figures",
    _HERE / "js/main.js",
    html=_HERE / "key_figures.html",
    css=(THEME, _HERE / "key_figures.css"),
)


@dataclass(frozen=True)
class Figure:
    """One of the five: its text, as plain text.

    Attributes:
        name: ``"sparsity"``, ``"parameters"``, ``"quality"``, ``"drift"`` or ``"macs"``.
        below: the small line below the value.
        help: what its "?" opens.
        words: of the glossary, to which the help leads.
        absent: there is no number at this amount, nor at any other; ``value`` is a dash then and ``below`` says why.
    """

    name: str
    label: str
    value: str
    below: str
    help: str
    words: tuple[str, ...]
    absent: bool = False

    @property
    def links(self) -> tuple[GlossaryLink, ...]:
        """To its words.

        Raises:
            LessonError: the glossary has no such word.
        """
        return glossary_links(*self.words)


@dataclass(frozen=True)
class Basis:
    """What the browser needs, beside the counts of layers, to work out figures at another amount.

    Attributes:
        requested: fraction that is asked of all chosen layers together.
        moving: fraction of their weights that have no amount of their own.
        left: parameters that are not zero; where that is not counted, those that are left.
        nonzero: whether ``left`` counts those that are not zero.
        parameters: all of the network.
        samples: number of them; 0 without.
    """

    requested: float
    moving: float
    left: int
    nonzero: bool
    parameters: int
    samples: int


def key_figures(*, key: str, page: str) -> None:
    """Show the line, with what is in the store of a page: nothing yet, or what is sent there next.

    Args:
        key: identity on the page.
        page: name of the store.
    """
    _VIEW(key=key, data={"page": page})


def send_amount(page: str, *, amount: float, revision: int, group: str, of: str, quality: str) -> None:
    """Say at which amount the page stands, before anything is measured there.

    Args:
        amount: in [0, 1].
        revision: of the last release that Python has taken.
        group: what this is the amount of; all of a group follow a hand at one of its controls.
        of: the network and its recipe without the amount; what was sent of another is not shown.
        quality: label of quality.
    """
    told = {"amount": amount, "revision": revision, "group": group, "of": of, "quality": quality}
    send_state(page, "amount", told)


def send_figures(page: str, figures: Sequence[Figure], basis: Basis, *, amount: float, of: str) -> None:
    """Send what was measured at an amount, in the order in which it is shown."""
    shown = [{**asdict(each), "links": [asdict(link) for link in each.links]} for each in figures]
    send_state(page, "exact", {"amount": amount, "of": of, "figures": shown, **asdict(basis)})


def send_no_figures(page: str) -> None:
    """Say that there are none: what is set cannot be measured."""
    send_state(page, "exact", {"refused": True})
