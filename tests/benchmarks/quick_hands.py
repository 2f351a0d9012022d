"""Two keys in quick succession on what sets the amount, in a real Chromium: how often the end is not theirs.

``python -m tests.benchmarks.quick_hands [TRIES [PAIR ...]]``: so many tries for each pair of controls (``curve+box``)
at each gap. Curve, box, open layer, address, figures and Python must all show the amount that the two keys make.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server
from tests.browser.explore_page import new_page
from tests.browser.quick_hands import press_twice

GAPS = (60, 120, 180, 250, 320, 450)
"""Milliseconds. Python hears of a key 250 ms after it, if no other follows: beyond that, the runs overlap."""

PAIRS = (
    ("curve", "curve"),
    ("box", "box"),
    ("curve", "box"),
    ("box", "curve"),
)


def main() -> int:
    """Exit code 1 if any end was wrong."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    pairs = [tuple(pair.split("+")) for pair in sys.argv[2:]] or list(PAIRS)
    wrong, done = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server("app.py", Path(folder) / "log.txt")
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            visit = new_page(browser.new_context(viewport={"width": 1440, "height": 900}), server.url)
            visit.page.goto(f"{server.url}/?subject=digits-cnn&amount=0.2")
            visit.stand()
            for _ in range(tries):
                for pair in pairs:
                    for gap in GAPS:
                        found = press_twice(visit, pair[0], pair[1], gap)
                        done[pair] += 1
                        if found.wrong:
                            wrong[pair] += 1
                            print(
                                f"{pair} {gap} ms: {found.expected} was meant, and shown is {found.shown}", flush=True
                            )
            browser.close()
        finally:
            server.stop()
        tracebacks = server.text.count("Traceback")
    for pair in pairs:
        print(f"{pair[0]}, then {pair[1]}: {wrong[pair]} of {done[pair]} wrong")
    print(f"tracebacks: {tracebacks}", "MISSED" if wrong.total() or tracebacks else "met")
    return int(bool(wrong.total() or tracebacks))


if __name__ == "__main__":
    sys.exit(main())
