"""The sidebar's choice of method: what is offered, what is not and why, and that nothing is lost."""

from collections.abc import Callable

import pytest

from pruning_explorer import Recipe, compute_masks
from pruning_explorer.prune.criteria import CRITERIA
from tests.ui.hands import controlled, layers_not_offered
from tests.ui.page import Page, unescaped

OpenPage = Callable[..., Page]


def buttons(page: Page) -> dict[str, bool]:
    """Each criterion in the list, and whether it can be chosen."""
    found = {each.key.removeprefix("criterion_"): each for each in page.app.sidebar.button if each.key}
    return {name: not found[name].disabled for name in CRITERIA if name in found}


def captions(page: Page) -> list[str]:
    return [unescaped(each.value) for each in page.app.sidebar.caption]


def test_the_list_of_criteria_is_drawn_only_while_it_is_open(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp")
    assert buttons(page) == {}
    page.open_criteria()
    assert set(buttons(page)) == set(CRITERIA) - {"scores", "mask"}
    heads = [each.value for each in page.app.sidebar.markdown if each.value.startswith("**")]
    begins = ("From the weights alone", "Needs inputs", "Needs labels", "From a file")
    assert all(head.startswith(f"**{begin}") for head, begin in zip(heads, begins, strict=True))
    page.click("criterion_wanda")
    assert buttons(page) == {}
    assert page.recipe == Recipe(criterion="wanda")
    assert page.address["criterion"] == ["wanda"]


def test_each_criterion_says_what_it_is_its_paper_and_its_advice(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", criterion="wanda")
    wanda = CRITERIA["wanda"]
    link = "[arXiv 2306.11695](https://arxiv.org/abs/2306.11695)."
    assert page.criterion == f"{wanda.help} {link} {wanda.advice}"
    page.choose_criterion("random")
    assert page.criterion == CRITERIA["random"].help
    page.open_criteria()
    linked = [each for each in captions(page) if "https://arxiv.org/abs/" in each]
    assert len(linked) == sum(bool(each.paper) for each in CRITERIA.values())


@pytest.mark.parametrize(
    ("name", "cannot"),
    [
        ("tutorial-mlp", {"gradient": "labels of the calibration inputs", "fisher": "labels", "bn-scale": "BatchNorm"}),
        ("adder-transformer", {"synflow": "reads whole numbers", "bn-scale": "BatchNorm"}),
        ("digits-cnn", {}),
    ],
)
def test_what_a_network_cannot_have_is_greyed_out_with_the_reason(
    open_page: OpenPage, name: str, cannot: dict[str, str]
) -> None:
    page = open_page(subject=name)
    page.open_criteria()
    assert {each for each, able in buttons(page).items() if not able} == set(cannot)
    for each, why in cannot.items():
        (told,) = [text for text in captions(page) if text.startswith(CRITERIA[each].help)]
        assert "Not for this network" in told
        assert why in told.partition("Not for this network")[2]


def test_a_network_without_labels_says_what_is_missing_and_the_way_out(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", criterion="gradient", amount="0.4", seed="3")
    page.pick("subject", "tutorial-mlp")
    (error,) = page.errors
    assert error.startswith("“Gradient × weight” cannot judge tutorial-mlp: it needs the labels of the calibration")
    assert error.endswith("Or choose another criterion in the sidebar.")
    assert page.layers == ["fc1.weight", "fc2.weight"]
    assert page.amount == 40.0
    page.choose_criterion("magnitude")
    assert page.errors == []
    assert page.recipe == Recipe(amount=0.4, seed=3)
    page.pick("subject", "digits-mlp")
    page.choose_criterion("gradient")
    assert page.recipe == Recipe(criterion="gradient", amount=0.4, seed=3)


def test_n_of_every_m(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", amount="0.9")
    page.pick("granularity", "n_m")
    assert str(page.recipe.granularity) == "n_m:n=2,m=4"
    assert "2 of every 4 weights stay, so 2:4 removes at most 50 %." in captions(page)
    assert page.metrics["Sparsity"].value == "50.0 %"
    assert page.metrics["Sparsity"].below == "requested 90.0 %"
    page.enter("n_m_m", 8)
    assert page.recipe == Recipe(amount=0.9, granularity="n_m:n=2,m=8")
    assert "2 of every 8 weights stay, so 2:8 removes at most 75 %." in captions(page)
    page.enter("n_m_n", 8)
    (error,) = page.errors
    assert "n_m keeps 8 of every 8, which removes nothing; choose n below m" in error
    assert page.layers == ["fc1.weight", "fc2.weight", "fc3.weight"]
    page.enter("n_m_n", 6)
    assert page.errors == []
    # 64 and 300 inputs lose 2 of every 8; the last 4 of 300, and of 100, are fewer than 6
    removed = 300 * 64 / 4 + 100 * 296 / 4 + 10 * 96 / 4
    assert page.metrics["Sparsity"].value == f"{100 * removed / (300 * 64 + 100 * 300 + 10 * 100):.1f} %"


def test_blocks(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", granularity="block:rows=2,cols=3,n=1")
    assert page.warnings == []
    page.enter("block_rows", 8)
    page.pick("block_n", "inf")
    assert str(page.recipe.granularity) == "block:rows=8,cols=3,n=inf"
    page.pick("granularity", "element")
    page.pick("granularity", "block")
    assert str(page.recipe.granularity) == "block:rows=8,cols=3,n=inf"


def test_rows_that_channels_span_are_told_and_nothing_is_lost(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", amount="0.3", layer_amount="fc1.weight=0.1", target="fc1.weight")
    page.pick("scope", "row")
    assert page.recipe.scope == "row"
    page.pick("granularity", "channel")
    (error,) = page.errors
    assert "scope row: channels are no weights within one row; choose element or n_m, or scope layer" in error
    page.pick("granularity", "n_m")
    assert page.errors == []
    assert page.layers == ["fc1.weight"]
    assert page.recipe == Recipe(
        amount=0.3, granularity="n_m", scope="row", targets=("fc1.weight",), amounts={"fc1.weight": 0.1}
    )


def test_an_allocation_waits_while_a_global_ranking_decides(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", amount="0.8")
    page.pick("allocation", "erk")
    assert page.recipe == Recipe(amount=0.8, allocation="erk")
    removed = page.metrics["Sparsity"].value
    assert removed == "80.0 %"
    page.pick("scope", "global")
    assert page.errors == []
    assert page.recipe == Recipe(amount=0.8, scope="global")
    assert "allocation" not in {each.key for each in page.app.selectbox}
    page.pick("scope", "layer")
    assert page.recipe == Recipe(amount=0.8, allocation="erk")


def test_a_schedule_and_its_steps(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", criterion="synflow", amount="0.6")
    assert "steps" not in {each.key for each in page.app.number_input}
    page.pick("schedule", "cubic")
    page.enter("steps", 3)
    assert page.recipe == Recipe(criterion="synflow", amount=0.6, schedule="cubic:steps=3")
    page.pick("schedule", "geometric")
    assert str(page.recipe.schedule) == "geometric:steps=3"
    page.pick("schedule", "one-shot")
    assert str(page.recipe.schedule) == "one-shot"
    sent = open_page(subject="tutorial-mlp", criterion="synflow", schedule="linear:steps=7")
    assert controlled(sent.app.number_input, "steps").value == 7


def test_recalibration_is_offered_where_there_is_batchnorm_and_told_what_it_does(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", amount="0.7", scope="global")
    hint = "BatchNorm still uses the dense network's statistics: switch on **Recalibrate BatchNorm** among the controls"
    assert sum(hint in each.value for each in page.app.caption) == 1
    before = float(page.metrics["Accuracy"].value.removesuffix(" %"))
    page.switch("recalibrate", True)
    assert page.recipe == Recipe(amount=0.7, scope="global", recalibrate=True)
    assert float(page.metrics["Accuracy"].value.removesuffix(" %")) > before + 20
    assert "after recalibration" in page.metrics["Accuracy"].help
    assert "after recalibration" in page.metrics["Drift, nats"].help
    assert not any(hint in each.value for each in page.app.caption)
    page.pick("subject", "digits-mlp")
    assert "recalibrate" not in {each.key for each in page.app.toggle}
    assert page.recipe == Recipe(amount=0.7, scope="global")
    assert "after recalibration" not in page.metrics["Accuracy"].help
    assert not any(hint in each.value for each in page.app.caption)
    page.pick("subject", "digits-cnn")
    assert page.recipe.recalibrate


def test_an_address_that_recalibrates_what_has_no_batchnorm_says_so(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", recalibrate="true")
    (warning,) = page.warnings
    assert "recalibrate true is shown as false, because it has no BatchNorm with running statistics" in warning
    assert not page.recipe.recalibrate


def test_no_hint_where_little_fell(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", amount="0.1")
    assert not any("BatchNorm still uses" in each.value for each in page.app.caption)


def test_layers_that_the_method_passes_over_are_named_with_the_reason(open_page: OpenPage) -> None:
    page = open_page(subject="digits-gru", criterion="mean-activation")
    assert page.layers == ["fc.weight"]
    said = layers_not_offered(page.app)
    assert said["gru.weight_hh_l0"] == "mean-activation: its products are parts of gates, not channels"
    assert "fc.weight" not in said


@pytest.mark.parametrize("name", ["digits-cnn", "digits-gru", "adder-transformer", "tutorial-mlp"])
@pytest.mark.parametrize(
    "method",
    [
        {"granularity": "n_m:n=2,m=4", "criterion": "lamp"},
        {"scope": "row", "criterion": "wanda", "allocation": "erk"},
        {"granularity": "block:rows=4,cols=4", "scope": "global", "schedule": "cubic"},
        {"granularity": "channel", "criterion": "fpgm"},
    ],
    ids=["n_m", "row", "block", "channel"],
)
def test_any_method_stands_in_every_tab(open_page: OpenPage, name: str, method: dict[str, str]) -> None:
    page = open_page(subject=name, amount="0.6", **method)
    for tab in ("Drift by layer", "By class", "Numbers", "Code and recipe"):
        page.open(tab)
        assert (page.errors, page.warnings) == ([], [])
    masks = compute_masks(page.subject, page.recipe)
    kept = sum(int(mask.sum()) for mask in masks.values()) / sum(mask.numel() for mask in masks.values())
    assert page.metrics["Sparsity"].value == f"{100 * (1 - kept):.1f} %"
