"""The Compare page as a person sees it: what stands on it, and what hands can do to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, expect

from tests.browser.explore_page import ExplorePage

# Each kind of element is fetched when first needed, so a script that has ended is not yet a page that stands
STANDS = """curves => {
  const all = selector => [...document.querySelectorAll(selector)];
  const panel = all('[role=tabpanel]').find(each => each.checkVisibility());
  return document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !all('[data-stale=true], [data-testid=stSkeleton]').length
    && all('[class*=st-key-edit_] button').length >= 2
    && !all('.st-key-comparison_status [data-testid=stCaptionContainer]').some(e => /^Measuring /.test(e.textContent))
    && all('[data-testid=stPlotlyChart]').every(chart => chart.querySelector('.main-svg'))
    && (!all('[role=tab]').length || panel?.querySelector('[data-testid=stElementContainer]'))
    && (!curves || !all('.st-key-curves_progress [data-testid=stProgress]').length
      && !all('.st-key-comparison_curves .main-svg text').some(e => /measured/.test(e.textContent)))
}"""

CHART = "document.querySelector('.st-key-comparison_curves .js-plotly-plot')"


@dataclass
class ComparePage(ExplorePage):
    """One browser's Compare page; the sidebar and the tabs are Explore's."""

    def stand(self, curves: bool = True) -> "ComparePage":
        """Wait until all that was asked for is drawn; ``curves``: and every curve is complete."""
        self.page.wait_for_function(STANDS, arg=curves, timeout=90_000)
        self.next_frame()
        return self

    # ---- what stands on it ----

    @property
    def recipes(self) -> list[dict[str, list[str]]]:
        """The recipes in the address, from left to right."""
        query = parse_qs(urlsplit(self.page.url).query)
        return [parse_qs(text, keep_blank_values=True) for text in query.get("recipe", [])]

    @property
    def names(self) -> list[str]:
        """As the cards call the recipes."""
        boxes = self.main.get_by_role("textbox", name="Recipe", exact=False)
        return [str(box.input_value()) for box in boxes.all()]

    @property
    def main(self) -> Locator:
        return self.page.get_by_test_id("stMain")

    def card(self, letter: str) -> Locator:
        """The frame around a recipe's name, words and buttons."""
        name = self.page.get_by_label(f"Recipe {letter}", exact=True)
        return self.page.locator("[class*=st-key-card_]").filter(has=name)

    def table(self) -> dict[str, list[str]]:
        """The words of each row: measure -> one per recipe, then the dense network's."""
        script = "all => all.map(row => [row.dataset.measure, [...row.querySelectorAll('td')].map(e => e.innerText)])"
        return dict(self.page.locator(".px-compare tr[data-measure]").evaluate_all(script))

    def points(self) -> list[dict[str, Any]]:
        """Every measured point of the upper panel: recipe, seed, amount, and x and y as they are drawn."""
        script = f"""() => [...({CHART})?._fullData ?? []]
          .filter(t => t.yaxis === 'y' && t.visible === true && /lines/.test(t.mode) && t.customdata)
          .flatMap(t => [...t.customdata].map((words, i) => {{
            const [recipe, seed, amount] = String(words).split('|').map(Number);
            return {{ recipe, seed, amount, x: t.x[i], y: t.y[i] }};
          }}))"""
        return list(self.page.evaluate(script))

    def axis_is(self, words: str) -> None:
        """The curves stand over sparsity or compression; for a moment the old chart and the new one may both stand."""
        expect(self.page.locator(".st-key-comparison_curves .xtitle").filter(has_text=words)).to_be_visible()

    # ---- what hands do ----

    def take_preset(self, title: str) -> None:
        self.page.get_by_role("button", name="Presets", exact=True).click()
        self.page.get_by_role("button", name=title, exact=True).click()

    @property
    def hand(self) -> Locator:
        """What one drags: the curves."""
        return self.page.get_by_role("slider", name="Amount of all")

    @property
    def box(self) -> Locator:
        """What one types the amount of all into."""
        return self.page.get_by_role("spinbutton", name="Amount of all, exact, %")

    def amount_of(self, letter: str) -> Locator:
        """The box on a card."""
        return self.page.get_by_role("spinbutton", name=f"Amount of {letter}, %")

    def set_amount_of_all(self, percent: str) -> None:
        self.box.fill(percent)
        self.box.press("Enter")

    def edit(self, letter: str) -> None:
        """By the segments above the sidebar's controls."""
        self.choose("The recipe to edit", letter)
        expect(self.card(letter).get_by_role("button", name="Editing")).to_be_visible()

    def click_point(self, recipe: int, amount: float) -> None:
        """The point of a recipe's curve in the upper panel."""
        script = f"""([recipe, amount]) => {{
          const chart = {CHART}, {{ x, y }} = chart.getBoundingClientRect();
          for (const t of chart._fullData) {{
            if (t.yaxis !== 'y' || !/lines/.test(t.mode) || !t.customdata) continue;
            const i = [...t.customdata].findIndex(words => {{
              const [r, , a] = String(words).split('|').map(Number);
              return r === recipe && a === amount;
            }});
            const {{ xaxis, yaxis }} = chart._fullLayout;
            if (i >= 0) return {{ x: x + xaxis._offset + xaxis.l2p(t.x[i]), y: y + yaxis._offset + yaxis.l2p(t.y[i]) }};
          }}
        }}"""
        self.page.locator(".st-key-comparison_curves").scroll_into_view_if_needed()
        place = self.page.evaluate(script, [recipe, amount])
        self.page.mouse.move(place["x"], place["y"] + 1)
        self.page.mouse.move(place["x"], place["y"])
        self.page.mouse.click(place["x"], place["y"])

    def save_table(self, name: str) -> tuple[str, bytes]:
        """One of the tables as CSV; its file's name and content."""
        return self._download(self.page.locator(f".st-key-csv_{name} button"))

    def save(self, button: str) -> tuple[str, bytes]:
        """Click a button that downloads; the file's name and content."""
        return self._download(self.main.get_by_role("button", name=button, exact=True))

    def _download(self, button: Locator) -> tuple[str, bytes]:
        with self.page.expect_download(timeout=60_000) as event:
            button.click()
        return event.value.suggested_filename, Path(event.value.path()).read_bytes()
