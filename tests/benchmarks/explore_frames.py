"""Explore as a hand drags: the time of a frame of all that follows it, and what came over for that.

``python -m tests.benchmarks.explore_frames [CHECKOUT]``: ``digits-vit``, and a checkpoint of 74 layers like BERT's with
one of 1024 x 1024 beside them, which is open. A frame is all that runs in one animation frame: curve, key figures, list
of layers, live mask; at most 16.7 ms. In a browser slowed six times the hand moves, waits for a frame, and moves again:
more than 20 frames a second.

With another CHECKOUT of this project its first pages take turns with these: seconds, seconds that the server's
processor worked (which other work hardly changes), and the bytes that came.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, ROOT, Server, wait_until_settled
from tests.browser.explore_page import ExplorePage

LIMIT_MS = 1000 / 60
SLOWER = 6
LEAST_A_SECOND = 20
ROUNDS = 2
MOVES = 240
LARGE = "square.weight"

COUNT = """const request = window.nextFrame = window.requestAnimationFrame.bind(window);
window.frameTimes = new Map();
window.requestAnimationFrame = callback => request(at => {
  const began = performance.now();
  callback(at);
  window.frameTimes.set(at, (window.frameTimes.get(at) ?? 0) + performance.now() - began);
});
window.bytes = 0;
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({ data }) => { window.bytes += data.size ?? data.byteLength ?? data.length });
  }
};"""


def shapes() -> dict[str, tuple[int, int]]:
    """Of 74 layers like BERT's, 85 M weights, and of one of 1024 x 1024."""
    block = {"query": (768, 768), "key": (768, 768), "value": (768, 768), "output": (768, 768)}
    block |= {"up": (3072, 768), "down": (768, 3072)}
    layers = {f"layer.{i}.{name}.weight": shape for i in range(12) for name, shape in block.items()}
    return layers | {"pooler.weight": (768, 768), "classifier.weight": (2, 768), LARGE: (1024, 1024)}


def write_checkpoint(path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    save_file({name: torch.randn(shape).mul_(0.02) for name, shape in shapes().items()}, path)


@contextmanager
def first_page(browser: Browser, checkout: Path, log: Path, query: str, *subject: str) -> Iterator[tuple[Page, str]]:
    """A page that stands, from a server that has ranked nothing; and what it took."""
    server = Server(str(checkout / "app.py"), log, *subject, PYTHONPATH=str(checkout))
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(COUNT)
    try:
        worked, began = processor_seconds(server.process.pid), time.perf_counter()
        page.goto(server.url + query)
        page.wait_for_selector(".live-mask .kept:not(:empty)", timeout=300_000)
        wait_until_settled(page, 300_000)
        seconds = time.perf_counter() - began
        worked = processor_seconds(server.process.pid) - worked
        yield page, f"{seconds:>8.2f} {worked:>10.2f} {page.evaluate('window.bytes') / 1000:>9,.0f}"
    finally:
        page.close()
        server.stop()


def processor_seconds(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def drag(page: Page) -> tuple[np.ndarray, float]:
    """Sweep there and back with small and large steps; ms per frame in which something ran, and moves a second."""
    visit = ExplorePage(page, "", [])
    visit.drag_to(50)
    page.evaluate("window.frameTimes.clear()")
    began = time.perf_counter()
    for i in range(MOVES):
        page.mouse.move(*place(visit, 50 - 48 * float(np.cos(i / MOVES * 6 * np.pi))))
        page.evaluate("new Promise(window.nextFrame)")
    a_second = MOVES / (time.perf_counter() - began)
    times = page.evaluate("[...window.frameTimes.values()]")
    page.mouse.up()
    return np.array(times), a_second


def drag_slowly(page: Page) -> float:
    """Moves a second where the browser's processor is slowed."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    _, a_second = drag(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return a_second


_BOXES: dict[int, tuple[float, float, float]] = {}


def place(visit: ExplorePage, percent: float) -> tuple[float, float]:
    """On the curve; its box is read once, as reading it is work for the page."""
    if id(visit.page) not in _BOXES:
        (left, y), (right, _) = visit.slider_place(0), visit.slider_place(100)
        _BOXES[id(visit.page)] = left, right, y
    left, right, y = _BOXES[id(visit.page)]
    return left + (right - left) * percent / 100, y


def main() -> int:
    """Exit code 1 if the 95th percentile of a page's frames is over the limit, or a slow browser's are too few."""
    checkouts = [*(Path(each).resolve() for each in sys.argv[1:2]), ROOT]
    slow = False
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        checkpoint, log = Path(folder) / "many_layers.safetensors", Path(folder) / "log.txt"
        write_checkpoint(checkpoint)
        browser = playwright.chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
        query = {"subject": checkpoint.name, "scope": "global", "layer": LARGE, "target": list(shapes())}
        pages = {
            "digits-vit": ("/?subject=digits-vit", ()),
            "75 layers": ("/?" + urlencode(query, doseq=True), ("--subject", str(checkpoint))),
        }
        print(f"{'first page':<12} {'of':<10} {'seconds':>8} {'processor':>10} {'kilobytes':>9}")
        for name, (address, subject) in pages.items():
            for _ in range(ROUNDS if len(checkouts) > 1 else 1):
                for checkout in checkouts:
                    with first_page(browser, checkout, log, address, *subject) as (page, taken):
                        print(f"{name:<12} {'this' if checkout == ROOT else 'the other':<10} {taken}", flush=True)
            with first_page(browser, ROOT, log, address, *subject) as (page, _):
                ExplorePage(page, "", []).next_frame()
                times, _ = drag(page)
                a_second = drag_slowly(page)
            median, p95 = np.median(times), np.quantile(times, 0.95)
            slow |= p95 > LIMIT_MS or a_second <= LEAST_A_SECOND
            print(
                f"{name}: {times.size} frames, median {median:.2f} ms, p95 {p95:.2f}, most {times.max():.2f}; "
                f"{SLOWER} times slower: {a_second:.0f} frames a second",
                flush=True,
            )
        browser.close()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
