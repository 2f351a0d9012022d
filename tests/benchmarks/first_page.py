"""From a server that is up to a first page that stands, in a real Chromium that has never seen it.

``python -m tests.benchmarks.first_page``: at most 4 s until everything but the points of the cliff is drawn. Server
and browser are new in every round; beside it, a bare Streamlit page that echoes its slider.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.pages import BARE, ROOT, serve
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.explore_page import ExplorePage

ROUNDS = 5
LIMIT_S = 4.0


def explore_stands(page: Page) -> None:
    ExplorePage(page, "", []).stand(cliff=False)


def bare_stands(page: Page) -> None:
    page.get_by_text("Amount 50.0 %").wait_for()


def seconds(browser: Browser, script: Path, stands: Callable[[Page], object]) -> float:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    with serve(script) as served:
        page.goto(served.url, wait_until="commit")
        stands(page)
        return time.perf_counter() - served.up


def main() -> int:
    """Exit code 1 if the median is over the limit."""
    taken: dict[str, list[float]] = {"Explore, digits-cnn": [], "bare page": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        pages = [(ROOT / "app.py", explore_stands), (bare, bare_stands)]
        for _ in range(ROUNDS):
            for name, (script, stands) in zip(taken, pages, strict=True):
                browser = playwright.chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
                taken[name].append(seconds(browser, script, stands))
                browser.close()
    print(f"seconds from a server that is up to a page that stands, {ROUNDS} rounds")
    print(f"{'page':<22} {'median':>7} {'least':>7} {'most':>7}")
    for name, each in taken.items():
        print(f"{name:<22} {statistics.median(each):>7.2f} {min(each):>7.2f} {max(each):>7.2f}")
    median = statistics.median(taken["Explore, digits-cnn"])
    print(f"{'met' if median <= LIMIT_S else 'MISSED'}: at most {LIMIT_S:.0f} s")
    return 0 if median <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
