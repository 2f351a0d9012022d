"""What the controls stand for is what they were set to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import streamlit
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pruning_explorer import Recipe, compute_masks, load_subject
from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.recipe import offered
from pruning_explorer.prune.recipe_settings import SCOPES
from pruning_explorer.ui import state

percents = st.integers(0, 1000).map(lambda step: step / 1000)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    content: dict[str, Any] = {}
    monkeypatch.setattr(streamlit, "session_state", content)
    return content


Show = Callable[..., tuple[str, ...]]


@pytest.fixture
def show(session: dict[str, Any]) -> Show:
    return lambda name, recipe, layer=None: state.show(load_subject(name), recipe, layer)


@st.composite
def methods(draw: st.DrawFn) -> Recipe:
    """All but the amounts and the layers; a recipe that can be, on some network."""
    scope = draw(st.sampled_from(list(SCOPES)))
    granularity = ["element", "n_m:n=1,m=3", "n_m"]
    if scope != "row":
        granularity += ["channel", "channel:dim=1,n=0.5", "channel:dim=-1,n=-inf", "block:rows=3,cols=2,n=inf"]
    return Recipe(
        criterion=draw(st.sampled_from(["magnitude", "random", "lamp", "fpgm"])),
        granularity=draw(st.sampled_from(granularity)),
        scope=scope,
        allocation="each" if scope == "global" else draw(st.sampled_from(list(ALLOCATIONS))),
        schedule=draw(st.sampled_from(["one-shot", "linear:steps=2", "cubic", "geometric:steps=3"])),
        embeddings=draw(st.booleans()),
        biases=draw(st.booleans()),
        norms=draw(st.booleans()),
    )


@pytest.mark.parametrize("name", ["digits-cnn", "adder-transformer"])
@settings(max_examples=25)
@given(data=st.data())
def test_shown_and_read_back_a_recipe_makes_the_same_masks(name: str, data: st.DataObject) -> None:
    subject = load_subject(name)
    method = data.draw(methods())
    assume(offered(subject, method))
    names = st.sampled_from([target.name for target in offered(subject, method)])
    targets = data.draw(st.none() | st.lists(names, min_size=1))
    frozen = data.draw(st.lists(names, max_size=2).filter(lambda some: targets is None or set(targets) - set(some)))
    recipe = replace(
        method,
        amount=data.draw(percents),
        amounts=data.draw(st.dictionaries(names, percents, max_size=2)),
        targets=targets,
        frozen=frozen,
        cap=data.draw(percents),
        seed=data.draw(st.integers(0, 9)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamlit, "session_state", {})
        assert state.show(subject, recipe) == ()
        read = state.recipe()
    assert (read.schedule, read.allocation, read.scope) == (recipe.schedule, recipe.allocation, recipe.scope)
    wanted, got = compute_masks(subject, recipe), compute_masks(subject, read)
    assert set(wanted) == set(got)
    assert all(wanted[name].equal(got[name]) for name in wanted)


def test_finer_amounts_than_the_slider_has_are_said(show: Show, session: dict[str, Any]) -> None:
    notes = show("digits-cnn", Recipe(amount=0.12345, cap=0.9999))
    assert session["amount"] == 0.123
    assert notes == (
        "amount 0.12345 is shown as 12.3 %, because the page sets it in steps of 0.1 %",
        "cap 0.9999 is shown as 100 %, because the page sets it in steps of 0.1 %",
    )


def test_recalibration_holds_where_there_is_batchnorm_and_is_told_where_not(show: Show) -> None:
    recipe = Recipe(recalibrate=True)
    assert show("digits-cnn", recipe) == ()
    assert state.recipe() == recipe
    (note,) = show("digits-mlp", recipe)
    assert note.startswith("recalibrate true is shown as false, because it has no BatchNorm")
    assert state.recipe() == Recipe()


def test_settings_of_what_is_not_chosen_start_at_their_defaults(show: Show, session: dict[str, Any]) -> None:
    show("digits-cnn", Recipe(granularity="block:rows=8,cols=2,n=1", schedule="cubic:steps=3"))
    show("digits-cnn", Recipe(granularity="n_m:n=1,m=4"))
    session["granularity"], session["schedule"] = "block", "linear"
    assert state.recipe() == Recipe(granularity="block", schedule="linear")


def test_an_allocation_has_no_say_in_a_global_ranking(show: Show, session: dict[str, Any]) -> None:
    show("digits-cnn", Recipe(allocation="erk"))
    session["scope"] = "global"
    assert state.recipe() == Recipe(scope="global")
    session["scope"] = "row"
    assert state.recipe() == Recipe(scope="row", allocation="erk")


def test_a_criterion_that_the_network_lacks_the_data_for_says_so(show: Show) -> None:
    show("tutorial-mlp", Recipe(criterion="fisher"))
    with pytest.raises(RecipeError, match="“Fisher” cannot judge tutorial-mlp: it needs the labels"):
        state.recipe()
    assert state.chosen_names() == ["fc1.weight", "fc2.weight"]


def test_a_pattern_that_makes_no_sense_leaves_the_layers_on_offer(show: Show, session: dict[str, Any]) -> None:
    show("digits-mlp", Recipe(granularity="n_m"))
    session["n_m_n"] = 9
    assert state.chosen_names() == ["fc1.weight", "fc2.weight", "fc3.weight"]
    with pytest.raises(RecipeError, match="keeps 9 of every 4, which removes nothing"):
        state.recipe()


def test_every_step_of_the_slider_is_its_own_amount(show: Show, session: dict[str, Any]) -> None:
    show("tutorial-mlp", Recipe())
    for step in range(1001):
        state.set_amount(step / 1000)
        assert session["amount"] == state.recipe().amount == step / 1000


def test_a_bias_that_a_recipe_names_is_on_offer(show: Show) -> None:
    show("digits-cnn", Recipe(targets=("fc.bias", "conv1.weight")))
    assert state.chosen_names() == ["conv1.weight", "fc.bias"]
    assert set(state.recipe().targets or ()) == {"conv1.weight", "fc.bias"}


def test_an_embedding_that_a_recipe_names_or_gives_an_amount_is_on_offer_alone(show: Show) -> None:
    for recipe in (
        Recipe(amounts={"position.weight": 0.2}),
        Recipe(targets=("position.weight", "head.weight"), amounts={"position.weight": 0.2}),
    ):
        show("adder-transformer", recipe)
        assert state.recipe().embeddings
        chosen = [target.name for target in recipe.chosen(state.subject())]
        assert state.chosen_names() == chosen
        assert "embedding.weight" not in chosen
        assert "position.weight" in chosen
        assert state.recipe().amounts == {"position.weight": 0.2}


def test_a_link_from_before_embeddings_had_a_switch_opens_without_them(show: Show) -> None:
    old = '{"criterion": "magnitude", "amount": 0.5, "biases": false, "norms": false}'
    show("adder-transformer", Recipe.from_json(old))
    assert state.recipe() == Recipe()
    assert {target.role for target in state.offered_targets()} == {"weight"}


def test_what_is_not_wanted_stays_out_when_the_offer_changes_and_changes_back(
    show: Show, session: dict[str, Any]
) -> None:
    show("digits-cnn", Recipe(biases=True))
    state.choose([name for name in state.chosen_names() if name not in ("fc.bias", "conv1.weight")])
    session["granularity"], session["channel_dim"] = "channel", 1
    assert "fc.bias" not in [target.name for target in state.offered_targets()]
    assert "conv1.weight" not in state.chosen_names()
    state.choose([target.name for target in state.offered_targets()])
    session["granularity"] = "element"
    assert "conv1.weight" in state.chosen_names()
    assert "fc.bias" not in state.chosen_names()


def test_layers_that_come_in_later_are_chosen(show: Show, session: dict[str, Any]) -> None:
    show("digits-cnn", Recipe())
    state.choose(["fc.weight"])
    session["biases"] = True
    assert "fc.bias" in state.chosen_names()
    assert "conv1.weight" not in state.chosen_names()


def test_all_chosen_is_no_list_of_layers(show: Show) -> None:
    show("digits-cnn", Recipe())
    assert state.recipe() == Recipe()


def test_amounts_of_layers_that_are_not_chosen_wait(show: Show) -> None:
    show("digits-cnn", Recipe(amounts={"fc.weight": 0.2, "conv1.weight": 0.1}))
    names = state.chosen_names()
    state.choose(["conv1.weight"])
    assert dict(state.recipe().amounts) == {"conv1.weight": 0.1}
    state.choose(names)
    assert dict(state.recipe().amounts) == {"conv1.weight": 0.1, "fc.weight": 0.2}


def test_the_open_layer_is_the_first_of_the_largest_until_one_is_opened(show: Show, session: dict[str, Any]) -> None:
    show("digits-cnn", Recipe())
    assert state.open_layer(state.offered_targets()).name == "block1.conv2.weight"
    session["open_layer"] = "fc.weight"
    assert state.open_layer(state.offered_targets()).name == "fc.weight"
    assert state.open_layer(state.offered_targets()[:2]).name == "block1.conv1.weight"


def test_no_layer_is_an_error_that_says_what_to_do(show: Show, session: dict[str, Any]) -> None:
    show("digits-cnn", Recipe())
    state.choose([])
    with pytest.raises(RecipeError, match="Choose at least one under “Layers”"):
        state.recipe()
    session["granularity"], session["channel_dim"] = "channel", 4
    with pytest.raises(RecipeError, match=r"No layer of digits-cnn can be pruned by channel:dim=4,n=2: it has .* dims"):
        state.recipe()


@pytest.mark.parametrize("order", ["", "two", "nan", None])
def test_a_norm_order_that_is_none_leaves_the_layers_on_offer(
    show: Show, session: dict[str, Any], order: str | None
) -> None:
    show("digits-cnn", Recipe(granularity="channel"))
    before = state.chosen_names()
    session["channel_n"] = order
    with pytest.raises(RecipeError, match="number"):
        state.recipe()
    assert state.chosen_names() == before
    session["channel_n"] = "2"
    assert state.recipe() == Recipe(granularity="channel")


def test_what_belongs_to_no_layer_is_on_offer_while_a_recipe_names_it(show: Show) -> None:
    """As an address of a checkpoint's positions that somebody has saved; another network has none of it."""
    subject = load_subject("digits-vit")
    named = Recipe(targets=("position", "head.weight"), amounts={"position": 0.25})
    show("digits-vit", named)
    assert "position" in {target.name for target in state.offered_targets()}
    assert compute_masks(subject, state.recipe()).kept("position") == 16 * 48 * 3 // 4
    assert set(state.recipe().targets or ()) == set(named.targets)
    show("digits-vit", Recipe())
    assert "position" not in {target.name for target in state.offered_targets()}
    show("digits-vit", named)
    state.on_subject_change()
    assert "position" not in {target.name for target in state.offered_targets()}
