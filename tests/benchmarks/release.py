"""From the release of the slider to the last chart, in a real Chromium, beside a bare page that echoes its slider.

``python -m tests.benchmarks.release``: on ``digits-cnn``, at most 3 times the bare page. All pages take turns in one
run; every release goes to an amount that none had before. Two moments are taken, by the page's own clock:

- drawn: the first frame after the last change of anything on the page;
- at rest: drawn, and Streamlit says that the script has ended.

The way there is cut in three: until the amount is sent, until the server's last message is in, until it is drawn.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.pages import BARE, BARE_WITH_TORCH, ROOT, serve
from tests.browser.conftest import ARGUMENTS, CHROMIUM, wait_until_settled
from tests.browser.explore_page import ExplorePage

ROUNDS = 21
LIMIT = 3.0

LISTEN = """window.messages = [];
const size = data => data?.size ?? data?.byteLength ?? data?.length ?? 0;
const note = (way, data) => window.messages.push([way, performance.now(), size(data)]);
window.WebSocket = class extends WebSocket {
  constructor(...all) { super(...all); this.addEventListener('message', event => note('in', event.data)); }
  send(data) { note('out', data); super.send(data); }
};"""

MEASURE = """shows => { window.measured = new Promise(done => {
  const main = document.querySelector('[data-testid=stMain]');
  const is_shown = new Function('return ' + shows);
  let released = 0, dirty = false, drawn = 0, rest = 0;
  window.messages.length = 0;
  addEventListener('pointerup', event => { released = event.timeStamp }, { capture: true, once: true });
  const observer = new MutationObserver(() => { dirty = true });
  observer.observe(main, { childList: true, characterData: true, subtree: true });
  const began = performance.now();
  const look = () => {
    if (performance.now() - began > 20000) return done({ problem: 'it never showed the new amount' });
    if (dirty) { dirty = false; setTimeout(() => { drawn = performance.now() }) }  // after this frame is painted
    const still = released && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
      && !document.querySelector('[data-stale=true]') && is_shown();
    rest = still ? rest || performance.now() : 0;
    if (rest && performance.now() - Math.max(rest, drawn) > 400) {
      observer.disconnect();
      const after = window.messages.filter(([, at]) => at >= released);
      const incoming = after.filter(([way]) => way === 'in');
      done({ sent: after.find(([way]) => way === 'out')[1] - released, answered: incoming.at(-1)[1] - released,
        drawn: drawn - released, rest: Math.max(rest, drawn) - released,
        kilobytes: incoming.reduce((sum, [, , size]) => sum + size, 0) / 1000 });
    } else requestAnimationFrame(look);
  };
  look();
}) }"""

THUMB = "[data-testid=stSlider] [data-testid=stSliderThumbValue]"
ECHOED = "document.querySelector('[data-testid=stMain]').innerText.includes('Amount ' + amount + ' %')"
CHARTS_FOLLOW = """[...document.querySelectorAll('.st-key-amount_curve-view *')]
      .some(e => e.shadowRoot?.querySelector('.amount-curve')?.dataset.told === amount)
    && [...document.querySelectorAll('.st-key-key_figures *')].some(
      each => each.shadowRoot?.querySelector('.below')?.innerText.includes(`requested ${amount} %`))"""


@dataclass(frozen=True)
class Release:
    """Milliseconds from the release, and what the server sent."""

    sent: float
    answered: float
    drawn: float
    rest: float
    kilobytes: float


class Slider:
    """A page with one slider of Streamlit's."""

    shows = ECHOED

    def __init__(self, name: str, browser: Browser, url: str) -> None:
        self.name = name
        self.page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.add_init_script(LISTEN)
        self.page.goto(url)
        self.stand()

    def stand(self) -> None:
        self.page.get_by_text("Amount 50.0 %").wait_for()
        wait_until_settled(self.page)

    def place(self, percent: float) -> tuple[float, float]:
        track = self.page.locator("[data-testid=stSlider] [role=group]").first.bounding_box()
        middle = "e => { const b = e.closest('[style*=left]').getBoundingClientRect(); return b.y + b.height / 2 }"
        thumb = self.page.get_by_role("slider").first.evaluate(middle)
        assert track is not None
        return track["x"] + track["width"] * percent / 100, thumb

    def amount(self) -> str:
        """As it stands under the pointer, ``"50.0"``."""
        return self.page.locator(THUMB).first.inner_text()

    def release(self, percent: float) -> Release:
        """Drag the slider there, let go, and wait until nothing changes any more."""
        self.page.bring_to_front()
        self.page.mouse.move(*self.place(float(self.amount())))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(percent), steps=4)
        self.page.wait_for_timeout(200)
        self.page.evaluate(MEASURE, f"(amount => {self.shows})('{self.amount()}')")
        self.page.mouse.up()
        found = self.page.evaluate("measured")
        if "problem" in found:
            raise RuntimeError(f"{self.name}: {found['problem']}")
        return Release(**found)


class ExploreSlider(Slider):
    """Explore, by the curve."""

    shows = CHARTS_FOLLOW

    def stand(self) -> None:
        ExplorePage(self.page, "", []).stand()

    def place(self, percent: float) -> tuple[float, float]:
        return ExplorePage(self.page, "", []).slider_place(percent)

    def amount(self) -> str:
        return ExplorePage(self.page, "", []).live_amount.removesuffix(" %")


def amounts() -> Iterator[float]:
    """Amounts in (5, 95), far apart from one to the next, none twice."""
    return (5 + 90 * (i * 0.6180339887 % 1) for i in count(1))


def main() -> int:
    """Exit code 1 if Explore takes more than its share, to the last chart or to rest."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_things:
        browser = open_things.enter_context(sync_playwright()).chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
        scripts = {"bare": BARE, "bare_with_torch": BARE_WITH_TORCH}
        for name, text in scripts.items():
            (Path(folder) / f"{name}.py").write_text(text)
        bare, with_torch = (open_things.enter_context(serve(Path(folder) / f"{name}.py")) for name in scripts)
        explore = open_things.enter_context(serve(ROOT / "app.py"))
        sliders = [
            Slider("bare page", browser, bare.url),
            Slider("bare page, imports torch", browser, with_torch.url),
            ExploreSlider("Explore", browser, explore.url),
        ]
        found: dict[str, list[Release]] = {slider.name: [] for slider in sliders}
        way = amounts()
        for turn in range(ROUNDS + 1):
            for slider in sliders:
                release = slider.release(next(way))
                if turn:  # the first is for warming up
                    found[slider.name].append(release)
        browser.close()
    return report({name: middle(releases) for name, releases in found.items()})


def middle(releases: list[Release]) -> Release:
    return Release(*(statistics.median(getattr(r, part) for r in releases) for part in Release.__dataclass_fields__))


def report(found: dict[str, Release]) -> int:
    print(f"medians of {ROUNDS} releases, ms; digits-cnn")
    print(f"{'':<26} {'drawn':>7} {'ratio':>6} {'at rest':>8} {'ratio':>6}   {'sending':>7} {'server':>7}", end="")
    print(f" {'drawing':>7} {'kB':>7}")
    bare = found["bare page"]
    missed = False
    for name, r in found.items():
        drawn, rest = r.drawn / bare.drawn, r.rest / bare.rest
        missed |= max(drawn, rest) > LIMIT
        print(
            f"{name:<26} {r.drawn:>7.0f} {drawn:>6.2f} {r.rest:>8.0f} {rest:>6.2f}   "
            f"{r.sent:>7.0f} {r.answered - r.sent:>7.0f} {max(0.0, r.drawn - r.answered):>7.0f} {r.kilobytes:>7.1f}"
        )
    print(f"{'MISSED' if missed else 'met'}: at most {LIMIT:.0f} times the bare page")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
