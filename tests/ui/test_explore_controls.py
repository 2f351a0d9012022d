"""Every control in the sidebar does what it says."""

import re
from collections.abc import Callable

import pytest

from pruning_explorer import Recipe, compute_masks
from pruning_explorer.sources.samples import sample_names
from tests.ui.hands import controlled, layers_not_offered, layers_shown, open_layer, pick_layer
from tests.ui.page import Page, unescaped

OpenPage = Callable[..., Page]


def test_every_control_has_a_line_of_help(open_page: OpenPage) -> None:
    page = open_page(subject="digits-vit", granularity="channel")
    app = page.app
    controls = [*app.selectbox, *app.button_group, *app.slider, *app.number_input, *app.toggle]
    assert len(controls) == 13  # and layers and amount, components below lines with a help
    assert [each.key for each in controls if not each.proto.help.strip()] == []
    assert [each.key for each in app.sidebar.button if not each.help] == []


def test_networks_are_all_on_offer(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    assert page.app.selectbox(key="subject").options == list(sample_names())
    for name in ("spirals-mlp", "tutorial-mlp"):
        page.pick("subject", name)
        assert page.address == {"subject": [name]}
        assert page.subject.description in unescaped(page.app.selectbox(key="subject").proto.help)


def test_another_network_keeps_the_method_and_drops_what_was_said_of_layers(open_page: OpenPage) -> None:
    page = open_page(
        subject="digits-mlp",
        amount="0.3",
        scope="global",
        criterion="random",
        granularity="channel:dim=1,n=1",
        cap="0.9",
        seed="5",
        biases="true",
        norms="true",
        target="fc1.weight",
        layer_amount="fc1.weight=0.2",
        layer="fc1.weight",
    )
    assert page.layers == ["fc1.weight"]
    page.pick("subject", "spirals-mlp")
    assert page.recipe == Recipe(
        amount=0.3,
        scope="global",
        criterion="random",
        granularity="channel:dim=1,n=1",
        cap=0.9,
        seed=5,
        biases=True,
        norms=True,
    )
    assert not {"target", "layer_amount", "layer"} & set(page.address)
    assert page.own_amounts == {}
    page.pick("subject", "digits-mlp")
    assert page.layers == ["fc1.weight", "fc2.weight", "fc3.weight"]


def test_layers_are_those_that_were_ticked(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn")
    every = [target.name for target in page.subject.targets if target.role == "weight"]
    assert page.layers == every
    assert page.recipe.targets is None
    page.choose_layers(["fc.weight", "conv1.weight"])
    assert set(page.recipe.targets or ()) == {"conv1.weight", "fc.weight"}
    page.choose_all_layers()
    assert page.layers == every
    assert page.recipe.targets is None


def test_no_layer_says_so_and_the_sidebar_stays(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.3")
    page.open("Numbers")
    controls = keys_in_the_sidebar(page)
    page.choose_layers([])
    assert page.errors == ["No layer is chosen, so there is nothing to prune. Choose at least one under “Layers”."]
    assert keys_in_the_sidebar(page) == controls
    assert page.metrics == {}
    page.set_amount(40.0)
    page.choose_all_layers()
    assert page.errors == []
    assert page.amount == 40.0
    assert page.open_tab == "Numbers"


def keys_in_the_sidebar(page: Page) -> set[str]:
    bar = page.app.sidebar
    widgets = (bar.selectbox, bar.button, bar.button_group, bar.slider, bar.number_input, bar.toggle)
    keys = {re.sub(r"-\d+$", "", each.key or "") for some in widgets for each in some}  # one that was told has a number
    return {key for key in keys if not key.startswith("back_")}  # a way back is there where something differs


def test_a_layer_taken_out_stays_out_when_the_granularity_changes_and_changes_back(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", biases="true")
    left = [name for name in page.layers if name not in ("fc.bias", "conv1.weight")]
    page.choose_layers(left)
    page.pick("granularity", "channel")
    page.pick("channel_dim", 1)
    assert "fc.bias" not in layers_shown(page.app)
    assert "conv1.weight" not in page.layers
    page.pick("granularity", "element")
    assert page.layers == left


def test_criterion_granularity_and_scope_name_their_torch_function(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    named = {}
    for criterion in ("magnitude", "random"):
        for granularity in ("element", "channel"):
            for scope in ("layer", "global"):
                page.choose_criterion(criterion)
                page.pick("granularity", granularity)
                page.pick("scope", scope)
                assert (page.recipe.criterion.name, page.recipe.scope) == (criterion, scope)
                assert page.recipe.granularity.name == granularity
                named[criterion, granularity, scope] = next(
                    each.value for each in page.app.sidebar.caption if each.value.startswith("`prune.")
                )
    ranked = "on each layer; torch itself ranks no channels across layers"
    assert named == {
        ("magnitude", "element", "layer"): "`prune.l1_unstructured`",
        ("magnitude", "element", "global"): "`prune.global_unstructured(pruning_method=prune.L1Unstructured)`",
        ("magnitude", "channel", "layer"): "`prune.ln_structured(n=2, dim=0)`",
        ("magnitude", "channel", "global"): f"`prune.ln_structured(n=2, dim=0)` {ranked}",
        ("random", "element", "layer"): "`prune.random_unstructured`",
        ("random", "element", "global"): "`prune.global_unstructured(pruning_method=prune.RandomUnstructured)`",
        ("random", "channel", "layer"): "`prune.random_structured(dim=0)`",
        ("random", "channel", "global"): f"`prune.random_structured(dim=0)` {ranked}",
    }


def test_dim_and_norm_order_belong_to_channels(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    assert not {"channel_dim", "channel_n"} & keys_in_the_sidebar(page)
    page.pick("granularity", "channel")
    page.pick("channel_dim", 1)
    page.pick("channel_n", "inf")
    assert str(page.recipe.granularity) == "channel:dim=1,n=inf"
    page.pick("granularity", "element")
    page.pick("granularity", "channel")
    assert str(page.recipe.granularity) == "channel:dim=1,n=inf"
    page.choose_criterion("random")
    assert controlled(page.app.selectbox, "channel_n").disabled
    page.choose_criterion("magnitude")
    assert str(page.recipe.granularity) == "channel:dim=1,n=inf"


def test_a_dim_from_elsewhere_is_shown_and_one_that_no_layer_has_says_so(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", granularity="channel:dim=3")
    assert page.warnings == []
    assert controlled(page.app.selectbox, "channel_dim").value == 3
    assert "fc.weight" not in page.layers
    page.pick("subject", "digits-mlp")
    assert page.errors == [
        "No layer of digits-mlp can be pruned by channel:dim=3,n=2: it has 2 dims, so there is no dim 3. "
        "Choose otherwise in the sidebar."
    ]
    page.pick("channel_dim", 1)
    assert page.errors == []
    assert page.recipe == Recipe(granularity="channel:dim=1")


@pytest.mark.parametrize(("typed", "n"), [("0.5", "0.5"), ("3", "3"), (" 2.50", "2.5"), ("-Inf", "-inf"), ("-1", "-1")])
def test_any_number_is_a_norm_order(open_page: OpenPage, typed: str, n: str) -> None:
    page = open_page(subject="tutorial-mlp", granularity="channel")
    page.type_into_box("channel_n", typed)
    assert page.errors == []
    assert str(page.recipe.granularity) == f"channel:dim=0,n={n}"
    page.pick("channel_n", "1")
    assert str(page.recipe.granularity) == "channel:dim=0,n=1"


@pytest.mark.parametrize("typed", ["two", "nan", "1e", "![x](http://127.0.0.1/x.png)"])
def test_a_norm_order_that_is_no_number_loses_nothing(open_page: OpenPage, typed: str) -> None:
    page = open_page(subject="digits-cnn", granularity="channel", amount="0.3", layer_amount="fc.weight=0.1")
    page.choose_layers(["conv1.weight", "fc.weight"])
    page.open("Numbers")
    controls, layers, good = keys_in_the_sidebar(page), page.layers, page.recipe
    page.type_into_box("channel_n", typed)
    (error,) = page.errors
    assert "number" in error
    assert "![" not in page.app.error[0].value
    assert keys_in_the_sidebar(page) == controls
    assert page.layers == layers
    page.choose_all_layers()  # what else one does meanwhile counts, too
    page.choose_layers(layers)
    page.pick("channel_n", "2")
    assert page.errors == []
    assert page.recipe == good
    assert page.open_tab == "Numbers"


def test_the_amounts_slider_and_box_are_one(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    assert page.amount == 50.0
    page.set_amount(12.3)
    assert page.amount == 12.3
    assert page.address["amount"] == ["0.123"]
    page.set_amount(99.9)
    assert page.amount == 99.9
    assert page.recipe.amount == 0.999
    page.set_amount(33.333)
    assert page.amount == 33.3
    page.set_amount(33.34)  # which is 33.3 again: the box must not keep what the recipe does not say
    assert page.amount == 33.3
    page.set_amount(50.0)
    assert "amount" not in page.address


@pytest.mark.parametrize("name", ["tutorial-mlp", "digits-cnn", "digits-gru", "adder-transformer"])
@pytest.mark.parametrize("scope", ["layer", "global"])
def test_none_and_all_of_the_weights(open_page: OpenPage, name: str, scope: str) -> None:
    page = open_page(subject=name, scope=scope, embeddings="true", biases="true", norms="true", amount="0")
    assert page.metrics["Sparsity"].value.startswith("0")
    assert page.metrics["Drift, nats"].value.startswith("0")
    page.set_amount(100.0)
    assert page.metrics["Sparsity"].value.startswith("100")
    assert page.metrics["Parameters"].value == "0" or page.subject.refused
    for tab in ("Drift by layer", "By class", "Numbers", "Code and recipe"):
        page.open(tab)
        assert (page.errors, page.warnings) == ([], [])


def test_an_amount_per_layer_in_the_table(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", amount="0.5")
    page.set_own_amount("fc1.weight", 30.0)
    page.set_own_amount("fc3.weight", 12.5)
    assert dict(page.recipe.amounts) == {"fc1.weight": 0.3, "fc3.weight": 0.125}
    assert page.app.button(key="back_layer_amounts").label == "Back to the default: one amount for all"
    page.set_own_amount("fc1.weight", None)
    assert dict(page.recipe.amounts) == {"fc3.weight": 0.125}
    page.set_own_amount("fc3.weight", 250.0)
    assert dict(page.recipe.amounts) == {"fc3.weight": 1.0}
    masks = compute_masks(page.subject, page.recipe)
    assert not masks["fc3.weight"].any()
    page.click("back_layer_amounts")
    assert dict(page.recipe.amounts) == {}
    assert "back_layer_amounts" not in {each.key for each in page.app.button}
    assert page.own_amounts == {}


def test_the_table_shows_what_holds_after_another_choice_of_layers(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp", layer_amount="fc3.weight=0.1")
    page.set_own_amount("fc1.weight", 30.0)
    page.choose_layers(["fc1.weight", "fc3.weight"])
    assert page.own_amounts == {"fc1.weight": 30.0, "fc3.weight": 10.0}
    page.set_own_amount("fc1.weight", None)
    page.choose_layers(["fc3.weight"])
    assert page.own_amounts == {"fc3.weight": 10.0}
    page.choose_all_layers()
    assert page.own_amounts == {"fc3.weight": 10.0}
    assert dict(page.recipe.amounts) == {"fc3.weight": 0.1}
    page.choose_layers(["fc2.weight"])
    assert "back_layer_amounts" not in {each.key for each in page.app.button}


def test_a_table_that_was_folded_shows_what_holds(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    page.set_own_amount("fc1.weight", 30.0)
    for is_open in (False, True):
        page.app.session_state["amounts_open"] = is_open
        page.run()
    assert page.own_amounts == {"fc1.weight": 30.0}
    assert dict(page.recipe.amounts) == {"fc1.weight": 0.3}
    page.set_own_amount("fc2.weight", 40.0)
    assert dict(page.recipe.amounts) == {"fc1.weight": 0.3, "fc2.weight": 0.4}


def test_cap_and_seed(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.9", criterion="random")
    page.drag("cap", 60.0)
    assert page.recipe.cap == 0.6
    assert page.metrics["Sparsity"].value == "59.4 %"  # 12 of 20 and, of 12, 7.2 rounded down
    page.enter("seed", 41)
    assert page.recipe == Recipe(amount=0.9, criterion="random", cap=0.6, seed=41)


def test_biases_and_norms_are_offered_on_request(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn")
    roles = {target.name: target.role for target in page.subject.targets}
    assert {roles[name] for name in page.layers} == {"weight"}
    page.switch("biases", True)
    assert {roles[name] for name in page.layers} == {"weight", "bias"}
    page.switch("norms", True)
    assert {roles[name] for name in page.layers} == {"weight", "bias", "norm"}
    page.switch("biases", False)
    assert {roles[name] for name in page.layers} == {"weight", "norm"}
    assert page.recipe == Recipe(norms=True)


def test_embeddings_are_offered_on_request(open_page: OpenPage) -> None:
    page = open_page(subject="adder-transformer", amount="0.5")
    assert page.metrics["Exact match"].value == "38.8 %"
    page.switch("embeddings", True)
    assert page.address["embeddings"] == ["true"]
    assert page.layers[:2] == ["embedding.weight", "position.weight"]
    assert page.metrics["Exact match"].value == "10.2 %", "what 1.5 % of the weights cost"


def test_the_open_layer_is_chosen_in_the_list_and_stays(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp")
    assert open_layer(page.app) == "fc2.weight"
    assert "layer" not in page.address
    pick_layer(page.app, "fc3.weight")
    assert page.address["layer"] == ["fc3.weight"]
    page.set_amount(70.0)
    assert open_layer(page.app) == "fc3.weight"
    page.choose_layers(["fc2.weight"])
    assert open_layer(page.app) == "fc2.weight"
    page.choose_all_layers()
    assert open_layer(page.app) == "fc3.weight"


def test_what_is_not_offered_says_why(open_page: OpenPage) -> None:
    page = open_page(subject="digits-vit")
    assert page.subject.refused
    assert layers_not_offered(page.app) == page.subject.refused
