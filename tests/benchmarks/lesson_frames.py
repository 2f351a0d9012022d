"""A lesson's animation, played in a real Chromium, against asking the server for each of its frames.

``python -m tests.benchmarks.lesson_frames``: each lesson is played from its first stop to its last. What is drawn was
prepared once, so a stop costs the browser's own work; the alternative is one run of the script per stop, timed on the
same page as the time from a release to rest. The bar to clear: a stop takes less than a frame of 60 a second.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pruning_explorer.lessons.catalog import built_in_catalog
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server, wait_until_settled

FRAME_MS = 1000 / 60
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
KEY_PAUSE_MS = 250
"""What the slider waits for another key before Python hears of it."""

PLAY = """async () => {
  const root = [...document.querySelectorAll('.st-key-learn_play *')].map((e) => e.shadowRoot)
    .find((shadow) => shadow?.querySelector('.play'));
  const [slider, play] = ['.slider', '.play'].map((selector) => root.querySelector(selector));
  slider.value = 0;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise(requestAnimationFrame);
  const times = [];
  const stops = new Set();
  play.click();
  while (play.textContent.includes('Pause')) {
    times.push(await new Promise(requestAnimationFrame));
    stops.add(slider.value);
  }
  return { times, stops: stops.size };
}"""

IDLE = """async () => {
  for (let frame = 0; frame < 60; frame++) await new Promise(requestAnimationFrame);
}"""
"""The same loop while nothing moves: what it takes by itself is not a stop's work."""


def work(session: CDPSession) -> float:
    """Seconds of script, style and layout so far."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(sum(metrics[name] for name in WORK))


def round_trip(page: Page) -> float:
    """Milliseconds from a release of the slider until the page is at rest; the median of five."""
    times = []
    slider = page.locator(".st-key-learn_play .slider").first
    for _ in range(5):
        address = page.url
        start = time.perf_counter()
        slider.press("ArrowLeft")
        page.wait_for_function("address => location.href !== address", arg=address)
        wait_until_settled(page)
        times.append((time.perf_counter() - start) * 1000 - KEY_PAUSE_MS)
    return float(np.median(times))


def main() -> int:
    """Exit code 1 if the work of a stop is longer than a frame in any lesson."""
    slow = False
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server("app.py", Path(folder) / "log.txt")
        browser = playwright.chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
        print(f"{'lesson':<24} {'stops':>5} {'ms a stop':>9} {'p95 frame':>9} {'round trip':>10} {'ratio':>6}")
        for name, lesson in built_in_catalog().lessons.items():
            if lesson.scene.slider is None:
                continue
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{server.url}/learn?lesson={name}")
            page.locator(".st-key-learn_ways_on").wait_for(timeout=60_000)
            wait_until_settled(page)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            page.evaluate(IDLE)
            before = work(session)
            page.evaluate(IDLE)
            idle = (work(session) - before) / 60
            before = work(session)
            played = page.evaluate(PLAY)
            own = work(session) - before - idle * len(played["times"])
            a_stop = max(own, 1e-5) * 1000 / played["stops"]
            p95 = float(np.quantile(np.diff(played["times"]), 0.95))
            wait_until_settled(page)
            asked = round_trip(page)
            ratio = f"{asked / a_stop:>5.0f}x"
            print(f"{name:<24} {played['stops']:>5} {a_stop:>9.2f} {p95:>9.1f} {asked:>10.0f} {ratio}", flush=True)
            slow |= a_stop > FRAME_MS
            page.close()
        browser.close()
        server.stop()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
