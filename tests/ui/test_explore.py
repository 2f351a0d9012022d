"""What the Explore page shows."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import streamlit as st

from pruning_explorer import build_report, compute_masks, load_subject, write_script
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.sources.samples import sample_names
from tests.ui.hands import open_layer
from tests.ui.page import Page, unescaped

OpenPage = Callable[..., Page]
TABS = ["Outputs", "Drift by layer", "By class", "Numbers", "Code and recipe", "Save"]


@pytest.mark.parametrize("name", sample_names())
def test_every_network_stands_in_every_tab(open_page: OpenPage, name: str) -> None:
    page = open_page(subject=name, amount="0.6")
    assert page.subject.name == name
    for tab in TABS:
        page.open(tab)
        assert page.open_tab == tab
        assert (page.errors, page.warnings) == ([], [])
    assert page.address == {"subject": [name], "amount": ["0.6"]}


def test_the_first_thing_says_what_this_is_and_the_three_steps(open_page: OpenPage) -> None:
    first = open_page().app.main.caption[0]
    assert re.split(r" \*\*[123]\*\* ", first.value) == [
        "What does a network still know without some of its weights?",
        "Pick network and layers.",
        "Drag along the curve.",
        "Read what is left.",
    ]


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("digits-cnn", Recipe(amount=0.8)),
        ("adder-transformer", Recipe(amount=0.25, scope="global", criterion="random", seed=3)),
        ("digits-gru", Recipe(amount=0.3, granularity="channel:dim=0,n=1", biases=False, cap=0.2)),
        ("tutorial-mlp", Recipe(amount=0.35, biases=True)),
    ],
)
def test_key_figures_are_those_of_the_report(open_page: OpenPage, name: str, recipe: Recipe) -> None:
    report = build_report(load_subject(name), compute_masks(load_subject(name), recipe))
    content = recipe.to_dict(defaults=False)
    address = {key: str(value).lower() for key, value in content.items()}
    metrics = open_page(subject=name, **address).metrics

    sparsity, drift, cost = (report.totals[part] for part in ("sparsity", "drift", "cost"))
    assert number(metrics["Sparsity"].value) == pytest.approx(100 * sparsity["achieved"], abs=0.051)
    assert number(metrics["Sparsity"].below) == pytest.approx(100 * sparsity["requested"], abs=0.051)
    left, parameters = sparsity["nonzero_parameters"], sparsity["parameters"]
    assert f"{left:,} of {parameters:,}" in metrics["Parameters"].help
    assert number(metrics["Parameters"].below) == pytest.approx(100 * (left / parameters - 1), abs=0.051)
    assert number(metrics["Drift, nats"].value) == pytest.approx(drift["kl_nats"], rel=0.01)
    assert metrics["Drift, nats"].below == f"{drift['flipped']:,} of {drift['samples']:,} flip"
    saved = 1 - cost["macs_theoretical"] / cost["macs_dense"]
    assert number(metrics["Multiply-adds"].below) == pytest.approx(-100 * saved, abs=0.051)
    assert metrics["Multiply-adds"].below.endswith("theoretical")
    quality = next(metrics[label] for label in metrics if label.startswith(("Accuracy", "Exact match")))
    if report.quality is None:
        assert not any(sign.isdigit() for sign in quality.value)
        assert "no labels" in quality.below + quality.help
    else:
        row = report.quality.iloc[0]
        assert number(quality.value) == pytest.approx(100 * row["pruned"], abs=0.051)
        assert number(quality.below) == pytest.approx(100 * row["change"], abs=0.051)


def number(text: str) -> float:
    """The first number in what a metric shows."""
    word = next(word for word in text.replace("−", "-").split() if any(sign.isdigit() for sign in word))
    return float(word.replace(",", "").rstrip("%"))


def test_only_the_open_tab_is_computed(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []

    def count(place: str, name: str) -> None:
        module, _, attribute = place.rpartition(".")
        real = getattr(__import__(module, fromlist=[attribute]), attribute)

        def counted(*arguments: Any, **options: Any) -> Any:
            computed.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(place, counted)

    count("pruning_explorer.lab.layer_drift_job.layer_drift", "drift by layer")
    count("pruning_explorer.ui.explore.details.class_quality", "by class")
    count("pruning_explorer.ui.explore.code.write_script", "script")
    count("pruning_explorer.ui.explore.outputs.image_gallery", "gallery")
    page = open_page(subject="digits-cnn", amount="0.317")  # an amount that no other test has asked for
    assert page.open_tab == "Outputs"
    assert computed == ["gallery"]
    for tab, now in (("Drift by layer", ["drift by layer"]), ("By class", ["by class"]), ("Numbers", [])):
        computed.clear()
        page.open(tab)
        assert computed == now
    page.open("Code and recipe")
    assert set(computed) == {"script"}


def test_list_of_layers_and_cliff_are_drawn(open_page: OpenPage) -> None:
    page = open_page(subject="spirals-mlp", amount="0.4")
    assert any(each.key == "layer_list" for each in page.app.get("bidi_component"))
    for _ in range(200):  # its three points are measured behind the page
        if page.curve["done"]:
            break
        page.run()
    amounts, agreements = zip(*((point["amount"], point["agreement"]) for point in page.curve["points"]), strict=True)
    # With what the page itself has measured, at 0.4, and what lies on both sides of the most that can go
    assert {0.0, 0.4, 0.5, 1.0} <= set(amounts)
    assert len(amounts) <= 6
    assert agreements[0] == 1.0
    for point in page.curve["points"]:
        flips = np.unpackbits(np.frombuffer(b64decode(point["flips"]), np.uint8), bitorder="little")
        assert int(flips.sum()) == point["flipped"] == round((1 - point["agreement"]) * page.curve["samples"])
    assert any(each.key == "live_mask-view" for each in page.app.get("bidi_component"))


def test_the_numbers_are_those_of_the_report(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", amount="0.7", scope="global")
    page.open("Numbers")
    shown, drift = (each.value for each in page.tab("Numbers").dataframe)
    report = build_report(page.subject, compute_masks(page.subject, page.recipe))
    expected = report.layers
    assert list(shown["target"]) == list(expected["target"])
    for column in ("weights", "kept", "removed", "achieved", "dead_channels", "macs_dense", "macs_theoretical"):
        assert list(shown[column]) == list(expected[column])
    assert shown["requested"].isna().all()
    values = dict(zip(drift["Measure"], drift["Value"], strict=True))
    assert number(values["KL(dense ‖ pruned)"]) == pytest.approx(report.totals["drift"]["kl_nats"], rel=0.01)
    assert number(values["SQNR"]) == pytest.approx(report.totals["drift"]["sqnr_db"], abs=0.06)
    assert number(values["Normalised L2"]) == pytest.approx(report.totals["drift"]["l2_normalised"], rel=0.01)


def test_drift_by_layer_and_by_class_are_charts_where_there_is_something_to_show(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", amount="0.9")
    page.open("Drift by layer")
    assert page.has_chart("layer_drift")
    page.open("By class")
    assert page.has_chart("class_quality")
    page.pick("subject", "tutorial-mlp")
    assert not page.has_chart("class_quality")
    assert "no classes" in page.app.info[0].value


def test_more_samples_on_request(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", amount="0.9")
    before = page.tab("Outputs").html[0].body
    page.click("more_cards")
    after = page.tab("Outputs").html[0].body
    assert len(after) > 1.5 * len(before)


def test_the_code_is_the_recipes_script(open_page: OpenPage) -> None:
    page = open_page(subject="digits-vit", granularity="channel:n=1", amount="0.4", layer_amount="head.weight=0.1")
    assert page.warnings == []
    page.open("Code and recipe")
    script, recipe = (each.value for each in page.app.code)
    assert script == write_script(page.subject, page.recipe).strip()
    assert json.loads(recipe) == page.recipe.to_dict()
    compile(script, "script.py", "exec")


def test_downloads_hold_what_is_shown(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str] = {}
    real = st.download_button

    def download_button(label: str, data: str, file_name: str, *rest: Any, **options: Any) -> bool:
        files[file_name] = data
        return real(label, data, file_name, *rest, **options)

    monkeypatch.setattr(st, "download_button", download_button)
    page = open_page(subject="tutorial-mlp", amount="0.2")
    page.open("Code and recipe")
    recipe = Recipe(amount=0.2)
    assert files[f"tutorial-mlp-{recipe.id}.py"] == write_script(page.subject, recipe)
    assert Recipe.from_json(files[f"tutorial-mlp-{recipe.id}.json"]) == recipe


def test_a_downloaded_recipe_uploaded_elsewhere_shows_the_same(open_page: OpenPage) -> None:
    recipe = Recipe(
        criterion="random",
        granularity="channel:dim=1,n=0.5",
        scope="global",
        amount=0.7,
        amounts={"fc2.weight": 0.25},
        targets=("fc1.weight", "fc2.weight"),
        cap=0.9,
        seed=7,
        schedule="cubic:steps=4",
    )
    page = open_page(subject="digits-mlp")
    page.open("Code and recipe")
    page.upload(recipe.to_json().encode())
    assert page.errors == []
    assert page.subject.name == "digits-mlp"
    assert page.recipe == recipe
    assert (page.amount, page.layers, page.own_amounts) == (70.0, ["fc1.weight", "fc2.weight"], {"fc2.weight": 25.0})


def test_an_upload_may_carry_a_byte_order_mark_and_finer_amounts(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    page.open("Code and recipe")
    page.upload(b"\xef\xbb\xbf" + Recipe(amount=0.33333).to_json().encode())
    assert page.errors == []
    assert page.recipe == Recipe(amount=0.333)
    assert "Its amount 0.33333 is shown as 33.3 %" in page.app.success[0].value
    page.set_amount(10.0)
    assert len(page.app.success) == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "this is not JSON"),
        (b"{", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"\xff\xfe\x00", "it is not text in UTF-8"),
        (b"[1, 2]", "a recipe is an object of named fields, not list"),
        (b'{"amout": 0.5}', "a recipe has no field 'amout'"),
        (b" " * (1 << 20) + b"{}", "this has 1,048,578 bytes, and a recipe has at most 1,048,576"),
        (b'{"amount": 80}', "amount 80 is outside [0, 1]; 0.8 removes 80 %"),
        (b'{"amount": 1e999}', "amount inf is outside [0, 1]"),
        (b'{"criterion": "taylor"}', "unknown criterion 'taylor'"),
        (b'{"criterion": "fisher"}', "criterion fisher cannot judge tutorial-mlp: it needs the labels"),
        (b'{"criterion": "mask:file=0123456789ab"}', "the scores '0123456789ab' are not loaded here"),
        (b'{"scope": "row", "granularity": "channel"}', "it chooses no layer of tutorial-mlp"),
        (b'{"scope": "global", "allocation": "erk"}', "choose scope layer, or allocation each"),
        (b'{"targets": ["conv1.weight"]}', "tutorial-mlp has no parameter 'conv1.weight'"),
        (b'{"amounts": {"conv1.weight": 0.1}}', "tutorial-mlp has no parameter 'conv1.weight'"),
        (b'{"targets": ["\\ud800"]}', "tutorial-mlp has no parameter"),
        (b'{"granularity": "channel:dim=4"}', "it chooses no layer of tutorial-mlp"),
        (b'{"frozen": ["fc1.weight", "fc2.weight"]}', "it chooses no layer of tutorial-mlp"),
        (b'{"![x](http://127.0.0.1/x.png)": 1}', "has no field '![x](http://127.0.0.1/x.png)'"),
    ],
)
def test_a_file_that_is_no_recipe_says_why_and_changes_nothing(open_page: OpenPage, content: bytes, says: str) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.2", layer_amount="fc2.weight=0.1")
    page.open("Code and recipe")
    before = page.address
    page.upload(content)
    (error,) = page.errors
    assert error.startswith("This file was not used, and nothing has changed: ")
    assert says in error
    assert "![" not in page.app.error[0].value
    assert page.address == before
    assert page.open_tab == "Code and recipe"
    page.app.file_uploader(key="recipe_file").clear().run()
    assert page.errors == []


def test_an_address_opens_the_same_page_again(open_page: OpenPage) -> None:
    sent = open_page(subject="digits-gru", amount="0.35", scope="global", cap="0.9", biases="true", layer="fc.weight")
    sent.choose_layers([name for name in sent.layers if name != "fc.bias"])
    received = open_page(**sent.address)
    assert sent.warnings == received.warnings == []
    assert received.address == sent.address
    assert received.layers == sent.layers
    assert {key: each.value for key, each in received.metrics.items()} == {
        key: each.value for key, each in sent.metrics.items()
    }
    assert open_layer(received.app) == "fc.weight"


def test_a_broken_address_says_all_that_is_wrong_until_one_has_read_it(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="2", scope="all", layer_amount=["fc1.weight", "fc9.weight=0.1"])
    (warning,) = page.warnings
    for said in ("amount 2 is outside [0, 1]", "unknown scope 'all'", "has no “=”", "no parameter 'fc9.weight'"):
        assert said in warning
    assert page.recipe == Recipe()
    assert page.address == {"subject": ["tutorial-mlp"]}
    page.set_amount(30.0)
    assert page.warnings == [warning]
    page.click("address_read")
    assert page.warnings == []
    assert page.amount == 30.0


def test_an_address_with_an_amount_between_two_steps_says_what_is_shown(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.12345")
    assert "amount 0.12345 is shown as 12.3 %" in page.warnings[0]
    assert page.amount == 12.3


@pytest.mark.parametrize(
    "evil",
    [
        "![x](http://127.0.0.1/x.png)",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "[click](http://127.0.0.1)",
        "a\n\n# heading\n- item",
        "$$\\frac{1}{0}$$ :red[x] `code` **bold**",
        "x" * 20_000,
        "\u202e\x00\x07",
    ],
)
def test_what_a_link_brings_is_never_markdown(open_page: OpenPage, evil: str) -> None:
    names = ("subject", "amount", "criterion", "granularity", "target", "layer", "layer_amount")
    page = open_page(**dict.fromkeys(names, evil), **{evil: "1"})
    assert len(page.warnings) == 1
    shown = page.app.warning[0].value
    assert re.findall(r"(?<!\\)[`*_<\[$#!:]", shown) == []
    assert len(shown) < 8_000
    assert page.address == {"subject": ["digits-cnn"]}


def test_hundreds_of_bad_parts_are_counted_not_listed(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", target=[f"gone{i}.weight" for i in range(300)])
    assert "and 290 more" in page.warnings[0]


def test_a_layer_that_loses_everything_is_told_until_a_cap_keeps_some_of_it(open_page: OpenPage) -> None:
    def collapse(page: Page) -> list[str]:
        return [each.value for each in page.app.caption if "Layer collapse" in each.value]

    (told,) = collapse(open_page(subject="spirals-mlp", amount="0.99", scope="global"))
    assert unescaped(told).endswith(
        "nothing is left of fc2.weight and 1 more. A cap per layer (among the controls) keeps some of it."
    )
    assert collapse(open_page(subject="spirals-mlp", amount="0.99", scope="global", cap="0.9")) == []
