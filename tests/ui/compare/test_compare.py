"""The Compare page, without a browser: every number on it is one that the package computes."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pruning_explorer import Recipe, build_report, compute_masks, load_subject
from pruning_explorer.figures.numbers import count, nats
from pruning_explorer.lab.curve_points import measure_points
from pruning_explorer.measure.agreement import mask_agreement
from pruning_explorer.measure.report import report_of
from pruning_explorer.ui.own_models import SESSION_MODELS
from tests.ui.compare.comparison import Comparison
from tests.ui.hands import component

Open = Callable[..., Comparison]


def test_without_an_address_it_starts_from_what_explore_showed(open_comparison: Open) -> None:
    explored = Recipe(criterion="random", amount=0.35, targets=("fc1.weight",))
    page = open_comparison(session={"explored": explored, "subject": "digits-mlp"})
    assert page.recipes[0] == explored
    assert len(page.recipes) == 2
    assert page.address["subject"] == ["digits-mlp"]


def test_the_table_shows_what_the_report_says(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.5&scope=global", subject="digits-cnn")
    page.settle()
    subject = load_subject("digits-cnn")
    for recipe in (Recipe(amount=0.5), Recipe(amount=0.5, scope="global")):
        totals = build_report(subject, compute_masks(subject, recipe)).totals
        assert f"{totals['quality']['pruned'] * 100:.1f} %" in page.table
        assert count(totals["sparsity"]["nonzero_parameters"]) in page.table
        assert nats(totals["drift"]["kl_nats"]) in page.table
    assert "best" in page.table


def test_the_curves_are_measured_points(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.5&scope=global", subject="digits-mlp")
    page.settle()
    drawn = page.chart("comparison_curves")["data"]
    lines = [trace for trace in drawn if len(trace.get("customdata", ())) == 3 and trace.get("yaxis") != "y2"]
    subject = load_subject("digits-mlp")
    for letter, scope in (("A", "layer"), ("B", "global")):
        line = next(trace for trace in lines if trace["name"].startswith(letter))
        place = line["customdata"].index(f"{'AB'.index(letter)}|0|0.9")
        (point,) = measure_points(subject, Recipe(scope=scope), [0.9])
        y = np.asarray(decoded(line["y"]))[place]
        assert y == pytest.approx(100 * point["quality"])


def test_each_recipe_can_be_saved(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.9&scope=global", subject="digits-mlp")
    page.settle()
    page.open("Take it along")
    for place, recipe in enumerate((Recipe(amount=0.5), Recipe(amount=0.9, scope="global"))):
        page.pick("saved_recipe", place)
        page.pick("compare_save_what", "masks")
        assert not page.app.get("link_button")
        page.click("compare_save_make")
        (button,) = page.app.get("link_button")
        subject = load_subject("digits-mlp")
        models = SESSION_MODELS.of(page.app.session_state["session_id"])
        assert models is not None
        file = models.saved.get((subject.id, recipe.id, "masks", ".safetensors"))
        assert file is not None
        assert button.proto.url == file.address
        found, masks = load_file(file.saved.path), compute_masks(subject, recipe)
        assert found.keys() == masks.keys()
        assert all(torch.equal(found[name], masks[name]) for name in masks)


def decoded(values: object) -> object:
    """Plotly writes arrays as base64."""
    if isinstance(values, dict):
        import base64

        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return values


def test_the_sidebar_edits_one_recipe_and_leaves_the_others(open_comparison: Open) -> None:
    page = open_comparison("amount=0.8", "amount=0.6&scope=global", "amount=0.4", subject="digits-mlp")
    page.edit(1)
    page.set_amount(1, 70.0)
    page.pick("scope", "layer")
    assert page.recipes == [Recipe(amount=0.8), Recipe(amount=0.7), Recipe(amount=0.4)]
    page.edit(2)
    page.pick("scope", "global")
    page.set_amount(0, 30.0)  # of a card that the sidebar does not edit
    page.pick("edited_box", "A")
    page.pick("scope", "row")
    assert page.recipes == [Recipe(amount=0.3, scope="row"), Recipe(amount=0.7), Recipe(amount=0.4, scope="global")]
    assert page.amounts == [30.0, 70.0, 40.0]


def test_an_amount_finer_than_the_controls_stays_until_it_is_touched(open_comparison: Open) -> None:
    page = open_comparison("amount=0.96875", "amount=0.5", subject="digits-mlp")
    page.edit(1)
    page.edit(0)
    assert page.recipes[0].amount == 0.96875
    assert page.amounts[0] == 96.9
    page.set_amount(0, 97.0)
    assert page.recipes[0].amount == 0.97


def test_a_new_recipe_takes_the_amount_that_all_have(open_comparison: Open) -> None:
    page = open_comparison(
        "amount=0.8", "amount=0.8&scope=global", subject="digits-mlp", session={"explored": Recipe()}
    )
    page.click("add_column")
    assert [recipe.amount for recipe in page.recipes] == [0.8] * 3


def test_columns_are_added_doubled_moved_named_and_removed(open_comparison: Open) -> None:
    page = open_comparison("amount=0.1", "amount=0.2", subject="digits-mlp", session={"explored": Recipe(amount=0.9)})
    page.click("add_column")
    assert [recipe.amount for recipe in page.recipes] == [0.1, 0.2, 0.9]
    page.act(0, "duplicate")
    assert [recipe.amount for recipe in page.recipes] == [0.1, 0.1, 0.2, 0.9]
    assert page.app.button(key="add_column").disabled
    page.act(3, "left")
    page.act(0, "right")
    assert [recipe.amount for recipe in page.recipes] == [0.1, 0.1, 0.9, 0.2]
    page.call(2, "mine, after all")
    assert page.names[2] == "mine, after all"
    assert "mine, after all" in page.address["recipe"][2].replace("+", " ").replace("%2C", ",")
    page.call(2, "")
    assert page.names == ["Magnitude", "Magnitude (2)", "Magnitude (3)", "Magnitude (4)"]
    page.act(1, "remove")
    page.act(0, "remove")
    assert [recipe.amount for recipe in page.recipes] == [0.9, 0.2]
    page.app.session_state[f"more_{page.numbers[0]}"] = True
    page.run()
    assert page.app.button(key=f"remove_{page.numbers[0]}").disabled


def test_twins_are_told_apart_by_a_number(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.9", subject="digits-mlp")
    page.settle()
    assert "Magnitude (2)" in page.table


def test_one_amount_for_all(open_comparison: Open) -> None:
    page = open_comparison("amount=0.1", "amount=0.2", subject="digits-mlp")
    assert page.amount_of_all is None
    page.set_amount_of_all(62.5)
    assert [recipe.amount for recipe in page.recipes] == [0.625, 0.625]
    assert (page.amount_of_all, page.amounts) == (62.5, [62.5, 62.5])
    page.set_amount(1, 20.0)
    assert [recipe.amount for recipe in page.recipes] == [0.625, 0.2]
    assert page.amount_of_all is None


def test_the_curves_of_all_go_to_the_browser(open_comparison: Open) -> None:
    page = open_comparison("amount=0.4", "amount=0.7&criterion=random", subject="spirals-mlp")
    page.settle()
    told = json.loads(component(page.app, "compare-points").json)
    first, second = told["curves"]
    assert [(each["letter"], each["dash"]) for each in (first, second)] == [("A", "solid"), ("B", "dash")]
    assert [point["amount"] for point in first["points"]] == [0.0, 0.4, 0.5, 0.9]
    assert [point["amount"] for point in second["points"]] == [0.0, 0.5, 0.7, 0.9]
    subject = load_subject("spirals-mlp")
    seeds = [report_of(subject, Recipe("random", amount=0.5, seed=seed)).quality for seed in (0, 1)]
    middle = sum(float(quality.iloc[0]["pruned"]) for quality in seeds if quality is not None) / 2
    assert second["points"][1]["quality"] == pytest.approx(middle, abs=1e-6)


@pytest.mark.parametrize("preset", range(5))
def test_every_preset_stands_on_the_network_with_batchnorm(open_comparison: Open, preset: int) -> None:
    page = open_comparison("amount=0.5", "amount=0.5", subject="digits-cnn")
    page.preset(preset)
    page.settle()
    assert page.errors == []
    assert page.warnings == []
    assert len(set(page.names)) == 4
    for tab in ("Masks", "Agreement", "Sparsity by layer", "Behaviour", "Take it along"):
        page.open(tab)


def test_a_preset_that_a_network_cannot_have_says_why(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.5", subject="tutorial-mlp")
    page.app.session_state["presets_open"] = True
    page.run()
    assert page.app.button(key="preset_1").disabled
    assert any("Not here" in each.value and "label" in each.value for each in page.app.caption)


def test_a_recipe_that_cannot_be_measured_leaves_the_others_alone(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "criterion=gradient&amount=0.5", "amount=0.9", subject="tutorial-mlp")
    page.settle()
    assert len(page.errors) == 1
    assert "labels" in page.errors[0]
    assert "50.0 %" in page.table
    assert "90.0 %" in page.table
    for tab in ("Masks", "Agreement", "Sparsity by layer", "Behaviour"):
        page.open(tab)


def test_a_broken_address_is_said_and_the_rest_is_shown(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "criterion=luck", subject="digits-mlp")
    assert any("recipe B" in each and "luck" in each for each in page.warnings)
    assert page.recipes == [Recipe(), Recipe()]
    page.click("address_read")
    assert page.warnings == []


def test_another_network_keeps_the_methods_and_forgets_the_layers(open_comparison: Open) -> None:
    page = open_comparison(
        "amount=0.5&target=fc1.weight",
        "criterion=random&amount=0.7&layer_amount=fc2.weight%3D0.2",
        subject="digits-mlp",
    )
    page.pick("subject", "digits-vit")
    assert page.recipes == [Recipe(amount=0.5), Recipe(criterion="random", amount=0.7)]
    page.settle()
    assert page.errors == []


def test_a_control_that_makes_no_recipe_is_said_in_its_column(open_comparison: Open) -> None:
    page = open_comparison("amount=0.5", "amount=0.7", subject="digits-mlp")
    page.choose_layers([])
    assert any("No layer is chosen" in each for each in page.errors)
    page.settle()
    assert "70.0 %" in page.table
    page.choose_all_layers()
    assert page.errors == []
    assert page.recipes == [Recipe(amount=0.5), Recipe(amount=0.7)]


def test_agreement_is_what_the_masks_say(open_comparison: Open) -> None:
    page = open_comparison("amount=0.8", "amount=0.8&criterion=random", subject="digits-mlp")
    page.settle()
    page.open("Agreement")
    subject = load_subject("digits-mlp")
    masks = [compute_masks(subject, recipe) for recipe in page.recipes]
    frame = mask_agreement(masks)
    overall = frame[frame["target"] == "all"].iloc[0]
    assert overall["jaccard"] == pytest.approx(overall["chance"], abs=0.03)  # a random mask agrees by chance alone
    said = page.chart("agreement_matrix")
    assert f"{overall['jaccard']:.2f}" in str(said)
    assert f"chance {overall['chance']:.2f}" in str(said)
