"""Draw time of a frame while the slider of the live mask is dragged, in a real Chromium.

``python -m tests.benchmarks.live_mask_frames``: every frame counts the kept weights, draws mask, remaining weights,
histogram and bars; the bar to clear is 20 ms at 1024 x 1024.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server, wait_until_settled

LAYERS = ["square-256", "square-512", "square-1024", "conv-64k", "conv-256k", "conv-1m"]
LIMIT_MS = 20.0


def drag(page: Page, moves: int = 240) -> np.ndarray:
    """Sweep there and back with small and large steps; ms per drawn frame."""
    slider = page.locator(".slider")
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.locator(".live-mask").evaluate("root => { root.frames.count = 0 }")
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for i in range(moves):
        share = 0.5 - 0.48 * np.cos(i / moves * 6 * np.pi)
        page.mouse.move(box["x"] + box["width"] * float(share), middle)
        page.evaluate("new Promise(requestAnimationFrame)")
    page.mouse.up()
    wait_until_settled(page)
    times = page.locator(".live-mask").evaluate(
        "root => Array.from(root.frames.times.slice(0, Math.min(512, root.frames.count)))"
    )
    return np.array(times)


def main() -> int:
    """Exit code 1 if the median frame at 1024 x 1024 is over the limit."""
    slow = False
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server("tests/browser/live_mask_app.py", Path(folder) / "log.txt")
        browser = playwright.chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
        print(f"{'layer':<12} {'cells':>9} {'zoom':>6} {'frames':>7} {'median ms':>10} {'p95 ms':>8} {'max ms':>8}")
        for layer in LAYERS:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{server.url}/?layer={layer}&amount=50")
            page.wait_for_selector(".live-mask .kept:not(:empty)", timeout=60_000)
            wait_until_settled(page)
            for zoom in ("whole", "x4"):
                if zoom == "x4":
                    for _ in range(2):
                        page.locator("[data-zoom=in]").click()
                times = drag(page)
                cells = int(page.locator(".live-mask .kept").inner_text().split(" of ")[1].split()[0].replace(",", ""))
                p95 = np.quantile(times, 0.95)
                numbers = f"{np.median(times):>10.2f} {p95:>8.2f} {times.max():>8.2f}"
                print(f"{layer:<12} {cells:>9,} {zoom:>6} {times.size:>7} {numbers}", flush=True)
                slow |= cells >= 1024 * 1024 and float(np.median(times)) > LIMIT_MS
            page.close()
        browser.close()
        server.stop()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
