"""The way a person goes on the Compare page, in a real Chromium."""

import io
import math
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from pruning_explorer.figures.comparison_table import table_frame
from pruning_explorer.lab.comparison import Entry, compare
from pruning_explorer.lab.curves import comparison_amounts
from pruning_explorer.measure.report import report_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.sources.samples import load_sample
from tests.browser.compare_page import ComparePage
from tests.browser.explore_page import ExplorePage

Comparison = Callable[..., ComparePage]

PRESET = [
    {"scope": ["global"]},
    {"criterion": ["lamp"], "scope": ["global"]},
    {"criterion": ["gradient"], "scope": ["global"]},
    {"criterion": ["wanda"], "scope": ["row"]},
]
NAMES = ["Magnitude, global", "LAMP, global", "Gradient × weight, global", "Wanda, per row"]
SVG = "{http://www.w3.org/2000/svg}"


def test_from_a_preset_to_explore_and_back_and_on_by_the_address(comparison: Comparison) -> None:
    visit = comparison("/compare?subject=digits-mlp")
    visit.take_preset("Data-free or data-aware")
    visit.address_has("criterion%3Dwanda")
    expect(visit.page.get_by_role("button", name="What torch has")).to_have_count(0)
    visit.set_amount_of_all("80")
    visit.address_has("amount%3D0.8")
    visit.stand()
    recipes = [{**each, "amount": ["0.8"]} for each in PRESET]
    assert (visit.names, visit.recipes) == (NAMES, recipes)

    table = visit.table()
    assert table["requested"][:4] == ["80.0 %"] * 4
    for measure in ("quality", "kl_nats"):
        assert sum("★ best" in cell for cell in table[measure]) == 1
    assert any("tie with best" in cell for cells in table.values() for cell in cells)
    points = visit.points()
    assert {point["recipe"] for point in points} == {0, 1, 2, 3}
    for position in range(4):
        assert sorted(p["amount"] for p in points if p["recipe"] == position) == sorted(comparison_amounts())

    visit.click_point(2, 0.75)
    visit.address_has("/?subject=digits-mlp")
    explore = ExplorePage(visit.page, visit.base_url, visit.requests).stand()
    assert parse_qs(urlsplit(explore.page.url).query) == {
        "subject": ["digits-mlp"],
        "criterion": ["gradient"],
        "scope": ["global"],
        "amount": ["0.75"],
    }
    assert explore.figures()["Sparsity"][1] == "requested 75.0 %"

    visit.page.get_by_role("link", name="Compare").click()
    visit.address_has("/compare?")
    visit.stand()
    assert (visit.names, visit.recipes) == (NAMES, recipes)

    visit.edit("B")
    visit.choose("Scope", "Row")
    visit.address_has("criterion%3Dlamp%26scope%3Drow")
    visit.stand()
    assert visit.recipes == [recipes[0], {**recipes[1], "scope": ["row"]}, *recipes[2:]]
    shown = visit.names, visit.table(), visit.points()

    receiver = comparison(visit.page.url.removeprefix(visit.base_url), browser="second")
    assert (receiver.names, receiver.table(), receiver.points()) == shown
    assert receiver.page.url == visit.page.url


def test_hands_are_free_while_curves_come(comparison: Comparison) -> None:
    """Recipes that no other test asks for, and no earlier try: nothing of them stands when the page opens."""
    seed = random.randrange(1, 10**6)
    recipes = [Recipe(cap=0.97), Recipe("random", cap=0.97, seed=seed), Recipe(cap=0.96)]
    asked = "&".join(f"recipe=criterion%3D{each.criterion}%26cap%3D{each.cap}%26seed%3D{each.seed}" for each in recipes)
    visit = comparison(f"/compare?subject=digits-vit&{asked}", stand=False)
    progress = visit.page.locator(".st-key-curves_progress [data-testid=stProgress]")
    expect(progress).to_be_visible()
    expect(visit.page.locator(".st-key-comparison_curves .main-svg").first).to_be_visible()
    few = len(visit.points())
    assert few < 3 * len(comparison_amounts())

    visit.choose("Axis", "Compression, log")
    visit.axis_is("compression")
    assert progress.is_visible()
    visit.edit("C")
    visit.choose("Scope", "Global")
    visit.address_has("scope%3Dglobal")
    visit.choose("Axis", "Sparsity")
    visit.axis_is("sparsity")
    visit.stand()

    # all that a cap lets go is gone before the last amount: there two of them are one point
    drawn = {(point["recipe"], point["amount"]): point["y"] for point in visit.points()}
    assert len(drawn) > few
    subject = load_sample("digits-vit")
    for position, recipe in enumerate([*recipes[:2], replace(recipes[2], scope="global")]):
        for amount in (0.4, 0.95):
            seeds = range(recipe.seed, recipe.seed + (5 if recipe.criterion.draws else 1))
            found = [report_of(subject, replace(recipe, amount=amount, seed=seed)).quality for seed in seeds]
            middle = sorted(float(each["pruned"].iloc[0]) for each in found if each is not None)[len(seeds) // 2]
            assert math.isclose(drawn[position, amount], 100 * middle, abs_tol=1e-6)


def test_masks_zoom_together(comparison: Comparison) -> None:
    visit = comparison("/compare?subject=digits-cnn&recipe=amount%3D0.6&recipe=criterion%3Dfpgm%26amount%3D0.6")
    expect(visit.panel.locator(".st-key-mask_panels .main-svg").first).to_be_visible()
    chart = visit.page.locator(".st-key-mask_panels .js-plotly-plot")
    ranges = """chart => Object.entries(chart._fullLayout).filter(([name]) => /^[xy]axis\\d*$/.test(name))
      .map(([name, axis]) => [name[0], axis.range[0], axis.range[1]])"""
    whole = chart.evaluate(ranges)
    assert len(whole) == 6, "two recipes and both together"

    chart.scroll_into_view_if_needed()
    box = """chart => { const { x, y } = chart.getBoundingClientRect(), { xaxis2: a, yaxis2: b } = chart._fullLayout;
      return [x + a._offset, y + b._offset, a._length, b._length]; }"""
    left, top, width, height = chart.evaluate(box)
    visit.page.mouse.move(left + width * 0.25, top + height * 0.25)
    visit.page.mouse.down()
    visit.page.mouse.move(left + width * 0.5, top + height * 0.5, steps=4)
    visit.page.mouse.move(left + width * 0.75, top + height * 0.5, steps=4)
    visit.page.mouse.up()
    visit.page.wait_for_function(
        "n => document.querySelector('.st-key-mask_panels .js-plotly-plot')._fullLayout.xaxis.range[1] < n",
        arg=whole[0][2],
    )
    zoomed = chart.evaluate(ranges)
    assert len({tuple(each) for each in zoomed}) == 2, "one for all across, one for all up and down"
    for (_, *now), (_, *before) in zip(zoomed, whole, strict=True):
        share = (now[1] - now[0]) / (before[1] - before[0])
        assert 0.2 < share < 0.55
    visit.page.mouse.dblclick(left + width / 2, top + height / 2)
    visit.page.wait_for_function(
        "n => document.querySelector('.st-key-mask_panels .js-plotly-plot')._fullLayout.xaxis.range[1] === n",
        arg=whole[0][2],
    )
    assert chart.evaluate(ranges) == whole


def test_what_is_taken_along_is_what_was_shown(
    comparison: Comparison, browser: Browser, watch: Callable[[Page], Page], tmp_path: Path
) -> None:
    visit = comparison("/compare?subject=digits-cnn&recipe=amount%3D0.6&recipe=name%3DBy medians%26criterion%3Dfpgm")
    subject = load_sample("digits-cnn")
    entries = [Entry("Magnitude", Recipe(amount=0.6)), Entry("By medians", Recipe("fpgm"))]
    assert visit.names == [entry.name for entry in entries]
    own = compare(subject, entries, amounts=())
    name, content = visit.save_table("comparison")
    assert name == "digits-cnn-comparison.csv"
    numbers = table_frame(own.table).replace("", math.nan)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(content)), numbers, check_dtype=False)
    curves = pd.read_csv(io.BytesIO(visit.save_table("curves")[1]))
    assert curves.groupby("recipe")["amount"].count().tolist() == [len(comparison_amounts())] * 2

    svg = visit.page.locator(".st-key-comparison_curves .main-svg").first
    width, height = int(svg.get_attribute("width") or 0), int(svg.get_attribute("height") or 0)
    name, content = visit.save("Save digits-cnn-curves as PNG")
    assert name == "digits-cnn-curves.png"
    assert Image.open(io.BytesIO(content)).size == (2 * width, 2 * height)
    name, content = visit.save("Save digits-cnn-curves as SVG")
    words = ["".join(text.itertext()) for text in ET.fromstring(content).iter(f"{SVG}text")]
    assert any(word.startswith("A · ") for word in words)
    assert any(word.startswith("B · By medi") for word in words)

    visit.open_tab("Take it along")
    name, content = visit.save("Save all as one HTML file")
    assert name == "digits-cnn-comparison.html"
    file = tmp_path / name
    file.write_bytes(content)
    with browser.new_context(offline=True, viewport={"width": 1000, "height": 900}) as alone:
        page = watch(alone.new_page())
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        expect(page.get_by_role("heading", level=1)).to_have_text("digits-cnn: A · Magnitude; B · By medians")
        charts = page.locator(".js-plotly-plot")
        expect(charts.first.locator(".main-svg").first).to_be_visible()
        drawn = charts.evaluate_all("all => all.map(chart => chart.querySelectorAll('.main-svg').length)")
        assert len(drawn) >= 7
        assert all(drawn)
        assert page.locator(".px-compare tr[data-measure]").count() == len(visit.table())
        charts.first.scroll_into_view_if_needed()
        charts.first.locator(".nsewdrag").first.hover()
        expect(charts.first.locator(".hovertext").first).to_contain_text("of all weights gone")
        assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_broken_address_is_told_and_what_can_be_shown_is(comparison: Comparison) -> None:
    six = "&".join(["recipe=criterion%3Dluck", *(f"recipe=amount%3D0.{i}" for i in range(1, 6))])
    visit = comparison(f"/compare?subject=nowhere&{six}&colour=red")
    alert = visit.page.get_by_test_id("stAlert")
    for part in ("nowhere", "luck", "recipe A", "6 recipes", "colour"):
        expect(alert).to_contain_text(part)
    assert [each.get("amount") for each in visit.recipes] == [["0.5"], ["0.1"], ["0.2"], ["0.3"]]
    assert visit.table()["requested"][:4] == ["50.0 %", "10.0 %", "20.0 %", "30.0 %"]
    visit.page.get_by_role("button", name="Got it").click()
    expect(alert).to_have_count(0)


def test_a_recipe_that_cannot_be_measured_says_why_and_the_others_go_on(comparison: Comparison) -> None:
    """The network has no labels, which gradients need; whether the sidebar edits that recipe or another."""
    visit = comparison(
        "/compare?subject=tutorial-mlp&recipe=amount%3D0.3&recipe=criterion%3Dgradient&recipe=amount%3D0.6"
    )
    for edited in "AB":
        visit.edit(edited)
        visit.stand()
        expect(visit.card("B").get_by_test_id("stAlert")).to_contain_text("label")
        for letter in "AC":
            expect(visit.card(letter).get_by_test_id("stAlert")).to_have_count(0)
        assert visit.table()["requested"][:3] == ["30.0 %", "–", "60.0 %"]
        assert {point["recipe"] for point in visit.points()} == {0, 2}
    visit.open_tab("Agreement")
    expect(visit.panel.locator(".st-key-agreement_matrix .main-svg").first).to_be_visible()
