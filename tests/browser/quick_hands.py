"""Hands that are quicker than a run of the script, and where all that shows the amount stands in the end."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Error, Locator

from tests.browser.explore_page import ExplorePage

STEP = 0.1
"""Percent that a key moves."""


@dataclass(frozen=True)
class Try:
    """Two keys, one after the other.

    Attributes:
        first, second: where each is pressed: ``curve`` or ``box``.
        gap: milliseconds between them.
        expected: the amount, in percent, that all must show in the end.
        shown: what shows the amount, and which.
    """

    first: str
    second: str
    gap: int
    expected: str
    shown: dict[str, str]

    @property
    def wrong(self) -> dict[str, str]:
        """What shows another amount."""
        return {name: amount for name, amount in self.shown.items() if amount != self.expected}


def control(visit: ExplorePage, name: str) -> Locator:
    """The curve, or the box beside it."""
    return visit.box if name == "box" else visit.hand


def press_twice(visit: ExplorePage, first: str, second: str, gap: int) -> Try:
    """Press a key up twice, and wait until the page is at rest; the page must be so before."""
    before = float(visit.box.input_value())
    control(visit, first).focus()
    visit.page.keyboard.press("ArrowUp")
    time.sleep(gap / 1000)
    if second != first:
        control(visit, second).focus()
    visit.page.keyboard.press("ArrowUp")
    expected = f"{before + 2 * STEP:.1f}"
    rest(visit)
    return Try(first, second, gap, expected, amounts(visit))


def amounts(visit: ExplorePage) -> dict[str, str]:
    """Each place on the page that shows the amount, and which it shows."""
    asked = re.search(r"[?&]amount=([\d.]+)", visit.page.url)
    requested = visit.figures()["Sparsity"][1].removeprefix("requested ")
    return {
        "curve": f"{float(visit.hand.get_attribute('aria-valuenow') or 'nan'):.1f}",
        "readout": visit.curve.locator(".amount").inner_text().removesuffix(" %"),
        "box": visit.box.input_value(),
        "open layer": visit.live_amount.removesuffix(" %"),
        "address": f"{float(asked[1] if asked else 0.5) * 100:.1f}",
        "figures": requested.removesuffix(" %"),
        "marker": visit.marker().removesuffix(" %"),
    }


def rest(visit: ExplorePage, quiet: float = 0.6, patience: float = 40) -> None:
    """Wait until nothing that shows the amount has changed for some seconds, and the page stands."""
    end = time.monotonic() + patience
    last: object = None
    since = time.monotonic()
    while time.monotonic() < end:
        now = steady(lambda: amounts(visit))
        if now is None or now != last or visit.page.locator("[data-test-script-state=running]").count():
            last, since = now, time.monotonic()
        elif time.monotonic() - since > quiet:
            break
        time.sleep(0.05)
    visit.stand(cliff=False)


def steady(look: Callable[[], object]) -> object:
    """What one sees; None where something is just being drawn anew."""
    try:
        return look()
    except (Error, LookupError, ValueError):  # an element that has gone, a figure that is not there, an empty number
        return None
