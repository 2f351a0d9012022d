"""The Explore page as a person sees it: what stands on it, and what hands can do to it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import BrowserContext, Locator, Page, expect

# Each kind of element is fetched when first needed, so a script that has ended is not yet a page that stands
STANDS = """cliff => {
  const all = selector => [...document.querySelectorAll(selector)];
  return document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !all('[data-stale=true], [data-testid=stSkeleton]').length
    && all('.st-key-key_figures *').some(e => {
      const measured = [...e.shadowRoot?.querySelectorAll('.figure') ?? []].filter(figure =>
        figure.querySelector('.number').textContent !== '…' && figure.querySelector('.about').hidden);
      return measured.length === 5;
    })
    && all('.st-key-amount_curve-view *').some(e => e.shadowRoot?.querySelector('.amount-curve')?.dataset.told)
    && all('[data-testid=stPlotlyChart]').every(chart => chart.querySelector('.main-svg'))
    && all('[role=tabpanel] [data-testid=stElementContainer]').length
    && all('.st-key-live_mask-view *').some(e => e.shadowRoot?.querySelector('.kept')?.textContent
      && all('.st-key-layer_list *').some(list => list.shadowRoot?.querySelector('[aria-selected=true]')?.title
        === e.shadowRoot.querySelector('.title').textContent))
    && !(cliff && all('.st-key-cliff_progress [data-testid=stProgress]').length)
}"""

AT_REST = """() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-stale=true]')"""

BACKGROUND = "page => getComputedStyle(page).backgroundColor"

THUMB = 24
"""Width in pixels of the thumb of a layer's own slider."""


@dataclass
class ExplorePage:
    """One browser's Explore page.

    Attributes:
        requests: every address that was asked for.
    """

    page: Page
    base_url: str
    requests: list[str]

    def stand(self, cliff: bool = True) -> "ExplorePage":
        """Wait until all that was asked for is drawn; ``cliff``: and the curve behind it is complete."""
        self.page.wait_for_function(STANDS, arg=cliff, timeout=90_000)
        self.next_frame()  # the live mask is drawn in the frame after its numbers came
        return self

    def foreign_requests(self) -> list[str]:
        at_home = (f"{self.base_url}/", f"blob:{self.base_url}/", "data:")
        return [url for url in self.requests if not url.startswith(at_home)]

    # ---- what stands on it ----

    def figures(self) -> dict[str, tuple[str, str]]:
        """Key figures: label -> (value, the line below it)."""
        script = """all => all.map(
          figure => ['.label', '.value', '.below'].map(part => figure.querySelector(part).innerText))"""
        figures = self.page.locator(".key-figures .figure").evaluate_all(script)
        return {label: ("".join(value.splitlines()), below) for label, value, below in figures}

    def marker(self) -> str:
        """Where Python says that one stands."""
        return f"{self.curve.get_attribute('data-told')} %"

    @property
    def curve(self) -> Locator:
        """The amount's control."""
        return self.page.locator(".amount-curve")

    @property
    def hand(self) -> Locator:
        """What one drags: the curve."""
        return self.page.get_by_role("slider", name="Amount to remove")

    @property
    def box(self) -> Locator:
        """What one types the amount into."""
        return self.page.get_by_role("spinbutton", name="Amount, exact, %")

    def bars(self) -> dict[str, float]:
        """Percent removed of each layer in sight, from the list of layers."""
        script = "rows => rows.map(row => [row.title, parseFloat(row.querySelector('.gone').textContent)])"
        return dict(self.page.locator(".layer-list .row").evaluate_all(script))

    @property
    def live_amount(self) -> str:
        """Of the open layer's picture."""
        return self.page.locator(".live-mask .amount").text_content() or ""

    @property
    def live_kept(self) -> str:
        return self.page.locator(".live-mask .kept").inner_text()

    @property
    def open_layer(self) -> str:
        return self.page.locator(".live-mask .title").inner_text()

    @property
    def region(self) -> str:
        return self.page.locator(".live-mask .region").inner_text()

    def mask_picture(self) -> str:
        return str(self.page.locator("[data-pane=mask] canvas").evaluate("c => c.toDataURL()"))

    @property
    def panel(self) -> Locator:
        """The open tab's content."""
        return self.page.get_by_role("tabpanel").filter(visible=True)

    @property
    def criterion_button(self) -> Locator:
        """What opens the list of criteria."""
        return self.page.locator(".st-key-criterion_open [data-testid=stPopoverButton]:visible")

    @property
    def criteria(self) -> Locator:
        """The open list of criteria."""
        return self.page.get_by_test_id("stPopoverBody").filter(has_text="From the weights alone")

    def shown(self) -> dict[str, Any]:
        """All that a release may change."""
        return {
            "figures": self.figures(),
            "marker": self.marker(),
            "bars": self.bars(),
            "live": (self.open_layer, self.live_amount, self.live_kept, self.mask_picture()),
            "panel": self.panel.inner_text(),
        }

    # ---- what hands do ----

    def slider_place(self, percent: float) -> tuple[float, float]:
        """Where one drags to: on the curve, or on the slider of an open layer with an amount of its own."""
        own = self.page.locator(".live-mask:not(.follows) .slider")
        slider, thumb = (own, THUMB) if own.count() else (self.curve.locator(".track"), 0)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        return box["x"] + thumb / 2 + (box["width"] - thumb) * percent / 100, box["y"] + box["height"] / 2

    def drag_to(self, percent: float, steps: int = 8) -> None:
        """Take the handle with the mouse, move it, and keep holding."""
        here = float(self.live_amount.removesuffix(" %"))
        self.page.mouse.move(*self.slider_place(here))
        self.page.mouse.down()
        for i in range(1, steps + 1):
            self.page.mouse.move(*self.slider_place(here + (percent - here) * i / steps))
        self.next_frame()

    def let_go(self) -> float:
        """Release the handle and wait for the page to follow; the percent where it stands."""
        percent = self.live_amount
        self.page.mouse.up()
        self.follows(percent)
        return float(percent.removesuffix(" %"))

    def follows(self, percent: str) -> None:
        """Wait until Python has taken the amount and all else has settled."""
        expect(self.curve).to_have_attribute("data-told", percent.removesuffix(" %"), timeout=60_000)
        self.stand()

    def turn(self, scheme: Literal["dark", "light"]) -> None:
        """The person's system turns dark or light; wait until the page has followed."""
        before = self.page.get_by_test_id("stApp").evaluate(BACKGROUND)
        self.page.emulate_media(color_scheme=scheme)
        changed = f"old => ({BACKGROUND})(document.querySelector('[data-testid=stApp]')) !== old"
        self.page.wait_for_function(changed, arg=before)
        self.page.wait_for_function(AT_REST)
        self.next_frame()

    def next_frame(self) -> None:
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def click_bar(self, target: str) -> None:
        row = self.page.locator(f".layer-list .row[title='{target}']")
        for _ in range(20):  # only rows in sight are in the document
            if row.count():
                break
            self.page.get_by_role("listbox", name="Layers").press("PageDown")
            self.next_frame()
        row.click()
        expect(self.page.locator(".live-mask .title")).to_have_text(target)
        self.stand()

    def choose_network(self, name: str) -> None:
        self.page.get_by_role("combobox", name="Network").click()
        self.page.get_by_role("option", name=name, exact=True).click()
        self.address_has(f"subject={name}")
        self.stand(cliff=False)

    def choose(self, group: str, option: str) -> None:
        """A segment of one of the sidebar's controls."""
        self.page.get_by_role("radiogroup", name=group).get_by_role("radio", name=option).click()

    def open_tab(self, name: str) -> None:
        tab = self.page.get_by_role("tab", name=name, exact=True)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        # what the tab holds comes from the server; only the open tab's panel holds anything
        expect(self.panel.get_by_test_id("stElementContainer").first).to_be_visible()
        self.stand()

    def unfold(self, name: str) -> None:
        self.page.locator("summary", has_text=name).click()

    def type_layer_amount(self, row: int, percent: str) -> None:
        """Type an amount of its own for the layer in a row of the sidebar's table."""
        table = self.page.get_by_test_id("stSidebar").get_by_test_id("stDataFrame")
        expect(table.locator("canvas").first).to_be_visible()
        table.click(position={"x": 40, "y": 50})
        selected = table.locator("td[aria-selected=true]")
        expect(selected).to_be_attached()
        # to the first row, wherever the click fell while the table unfolded, and on from there
        for key in ["Control+Home", *["ArrowDown"] * row, "ArrowRight"]:
            self.page.keyboard.press(key)
        expect(selected).to_have_attribute("id", f"glide-cell-1-{row}")
        self.page.keyboard.press("Enter")
        editor = self.page.locator("input.gdg-input")
        expect(editor).to_be_focused()
        self.page.keyboard.type(percent)
        expect(editor).to_have_value(percent)
        self.next_frame()
        self.page.keyboard.press("Enter")
        expect(editor).to_have_count(0)

    def download(self, button: str) -> tuple[str, str]:
        """Click a download button of the Code tab; the file's name and text."""
        with self.page.expect_download() as event:
            self.panel.get_by_role("button", name=button).click()
        return event.value.suggested_filename, Path(event.value.path()).read_text(encoding="utf-8")

    def upload(self, name: str, text: str) -> None:
        file: Any = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
        self.page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files([file])

    def recipe(self) -> dict[str, Any]:
        """The recipe as the Code tab hands it out."""
        self.open_tab("Code and recipe")
        return dict(json.loads(self.download("Download recipe")[1]))

    def address_has(self, part: str) -> None:
        expect(self.page).to_have_url(re.compile(re.escape(part)))


def new_page(context: BrowserContext, base_url: str) -> ExplorePage:
    """A session of its own."""
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    return ExplorePage(page, base_url, requests)
