"""A comparison as one page: every part that there is something for, and nothing from outside."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compare, load_subject
from pruning_explorer.comparison_charts import largest
from pruning_explorer.comparison_file import comparison_html
from pruning_explorer.lab.curve_points import measure_points
from pruning_explorer.lab.curves import COLUMNS
from pruning_explorer.prune.subject import SampleView

AMOUNTS = (0.5, 0.75, 0.9)
TWO = {"plain": Recipe(amount=0.8), "all-together": Recipe(amount=0.8, scope="global")}


def ours(html: str) -> str:
    """The page without plotly's own script, which holds addresses of its own."""
    start = html.index("<script>")
    return html[:start] + html[html.index("</script></head>", start) :]


def headings(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


def figures(html: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', html)]


def titles(html: str) -> list[str]:
    return [figure["layout"]["title"]["text"].partition(" <span")[0] for figure in figures(html)]


def test_all_parts_of_a_network_with_classes() -> None:
    html = ours(comparison_html(compare(load_subject("digits-cnn"), TWO, AMOUNTS)))
    assert headings(html) == [
        "Side by side",
        "Over the whole range",
        "Masks of the largest layer",
        "Agreement of the masks",
        "Sparsity by layer",
        "Accuracy by class",
        "Samples on which the choice matters",
        "Recipes",
    ]
    assert re.findall(r"<h1>(.*?)</h1>", html) == [
        "digits-cnn: " + "; ".join(f"{letter} · {name}" for letter, name in zip("AB", TWO, strict=True))
    ]
    assert titles(html) == [
        "Accuracy and drift over sparsity",
        "Accuracy and drift over compression",
        "Masks",
        "Agreement of masks",
        "Agreement by layer",
        "Sparsity by layer",
        "Change of accuracy by class",
    ]
    assert all(figure["data"] for figure in figures(html))
    assert "data:image/png;base64," in html
    for recipe in TWO.values():
        assert recipe.id in html
        assert f"&quot;scope&quot;: &quot;{recipe.scope}&quot;" in html


def test_nothing_is_fetched_and_no_name_becomes_a_tag() -> None:
    recipes = {"<i>odd</i> & </script>": TWO["plain"], '"quoted"': TWO["all-together"]}
    html = ours(comparison_html(compare(load_subject("tutorial-mlp"), recipes, AMOUNTS)))
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//|@import|url\(""", html)
    assert "default-src 'none'" in html
    assert "<i>" not in html
    assert len(figures(html)) == 6  # a name that ended a script would cut one short
    assert "Accuracy" not in " ".join(headings(html) + titles(html))


class Tags(HTMLParser):
    """All elements of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


MARKER = """'"><!--<script><u id=marker>m</u><a href="https://example.org">m</a>"""
UNESCAPED = re.compile(r"<(u|a|/?script|!--)", re.IGNORECASE)


def words(value: Any) -> list[str]:
    """All that plotly may draw: what a click brings back is not among it."""
    if isinstance(value, dict):
        return [word for key, each in value.items() if key != "customdata" for word in words(each)]
    return [word for each in value for word in words(each)] if isinstance(value, list) else [str(value)]


def test_strangers_words_are_text_wherever_they_stand() -> None:
    """Names of the network, its layers, its classes, what is right, a sample that is text, and the recipes."""
    torch.manual_seed(0)
    name = MARKER.replace(".", "-")
    model = nn.Sequential()
    model.add_module(name, nn.Linear(6, 8))
    model.add_module(f"{name}2", nn.Linear(8, 3))
    classes = [f"{MARKER}{number}" for number in range(3)]
    subject = Subject.from_module(
        model,
        torch.randn(12, 6),
        torch.arange(12) % 3,
        name=MARKER,
        about=MARKER,
        output_names=classes,
        group_names=classes,
        quality_name=MARKER,
        view=SampleView("text", tuple(MARKER for _ in range(12))),
    )
    recipes = {f"{MARKER}{number}": recipe for number, recipe in enumerate(TWO.values())}
    misfit = {f"{MARKER}3": Recipe(targets=(f"{MARKER}.weight",))}
    html = ours(comparison_html(compare(subject, {**recipes, **misfit}, AMOUNTS)))
    found = Tags(html).found
    assert not [tag for tag, attributes in found if tag in ("u", "a") or attributes.get("id") == "marker"]
    assert len(figures(html)) == 7
    assert len(headings(html)) == 8
    for figure in figures(html):
        # Plotly reads some tags in the words that it draws
        assert not [word for word in words([figure["data"], figure["layout"]]) if UNESCAPED.search(word)]


def test_a_recipe_that_failed_is_told_and_the_others_keep_their_letters() -> None:
    recipes = {"first": TWO["plain"], "misfit": Recipe(targets=("conv1.weight",)), "third": TWO["all-together"]}
    comparison = compare(load_subject("tutorial-mlp"), recipes, AMOUNTS)
    html = ours(comparison_html(comparison))
    assert "B · misfit: " in html
    assert "no parameter &#x27;conv1.weight&#x27;" in html
    names = {trace.get("name", "") for figure in figures(html) for trace in figure["data"]}
    assert {"A · first", "C · third"} <= names
    assert not any("misfit" in name for name in names)
    (panels,) = [each for each in figures(html) if each["layout"]["title"]["text"].startswith("Masks")]
    heads = " ".join(note["text"] for note in panels["layout"]["annotations"])
    assert "A · first" in heads
    assert "C · third" in heads
    assert "misfit" not in heads


def test_one_recipe_alone_has_a_page() -> None:
    html = ours(comparison_html(compare(load_subject("tutorial-mlp"), {"alone": TWO["plain"]}, (0.5,))))
    assert "No two recipes prune" in html


def test_a_network_without_samples_has_what_needs_none() -> None:
    torch.manual_seed(0)
    comparison = compare(Subject.from_module(nn.Linear(6, 4), name="bare"), TWO)
    html = ours(comparison_html(comparison))
    assert headings(html)[-3:] == ["Agreement of the masks", "Sparsity by layer", "Recipes"]
    assert "No amount was measured." in html
    assert comparison.current_points.empty


def test_where_recipes_stand_is_where_their_curves_pass() -> None:
    subject = load_subject("digits-cnn")
    recipes = {**TWO, "channels": Recipe(amount=0.6, granularity="channel", targets=("fc.weight", "conv1.weight"))}
    standing = compare(subject, recipes, ()).current_points
    assert list(standing["recipe"]) == [0, 1, 2]
    for row, recipe in zip(standing.to_dict("records"), recipes.values(), strict=True):
        (point,) = measure_points(subject, recipe, [recipe.amount])
        for column in COLUMNS[1:]:
            np.testing.assert_allclose(row[column], point[column], rtol=1e-9)


def test_the_largest_is_one_that_is_pruned() -> None:
    # Of the 5 -> 4 -> 3 network fc1 has 20 weights and fc2 12
    subject = load_subject("tutorial-mlp")
    both = {"small": Recipe(targets=("fc2.weight",)), "large": Recipe(targets=("fc1.weight",))}
    assert largest(compare(subject, both, ()).targets).name == "fc1.weight"
    assert largest(compare(subject, {"small": both["small"]}, ()).targets).name == "fc2.weight"
    assert compare(subject, {"none": Recipe(targets=())}, ()).targets == ()
