"""The open layer's picture is the recipe's mask, at every amount that its slider can be dragged to."""

from dataclasses import replace

import numpy as np
import pytest

from pruning_explorer import Recipe, compute_masks, load_subject
from pruning_explorer.prune.recipe_settings import Scope
from pruning_explorer.ui.browser.message import unpack_arrays
from pruning_explorer.ui.explore.layer import _payload, _Shown
from pruning_explorer.ui.live_mask.layout import picture_layout, to_picture

POSITIONS = [0, 1, 137, 250, 333, 499, 500, 501, 666, 750, 875, 999, 1000]


def shown_at(recipe: Recipe, layer: str, name: str = "digits-cnn") -> tuple[dict[str, np.ndarray], _Shown]:
    subject = load_subject(name)
    shown = _Shown(subject, recipe, subject.target(layer))
    return unpack_arrays(_payload(shown))[1], shown


def picture_of(mask: np.ndarray) -> np.ndarray:
    return to_picture(mask.reshape(-1), picture_layout(mask.shape))


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(scope="row"),
        Recipe(scope="row", criterion="wanda"),
        Recipe(scope="row", cap=0.6),
        Recipe(scope="global", criterion="lamp"),
        Recipe(granularity="n_m:n=2,m=4"),
        Recipe(granularity="n_m:n=1,m=3", scope="row"),
        Recipe(granularity="n_m:n=3,m=8", scope="global"),
        Recipe(granularity="block:rows=3,cols=5,n=1"),
        Recipe(granularity="block:rows=4,cols=1", scope="global", cap=0.7),
        Recipe(granularity="channel:dim=1,n=2", criterion="gradient"),
        Recipe(allocation="uniform"),
        Recipe(allocation="erk", scope="row"),
        Recipe(allocation="erk", amounts={"conv1.weight": 0.3}),
        Recipe(criterion="random", seed=3, schedule="one-shot"),
        Recipe(criterion="magnitude", schedule="cubic:steps=4"),
    ],
    ids=lambda recipe: ",".join(f"{k}={v}" for k, v in recipe.to_dict(defaults=False).items()) or "plain",
)
@pytest.mark.parametrize("layer", ["fc.weight", "block1.conv2.weight"])
def test_mask_and_count_are_the_engines_at_every_amount(recipe: Recipe, layer: str) -> None:
    assert recipe.nested
    arrays, shown = shown_at(recipe, layer)
    for position in POSITIONS:
        mask = compute_masks(shown.subject, replace(recipe, amount=position / 1000))[layer].numpy()
        cut = arrays["removed_at"][position]
        assert np.array_equal(arrays["ranks"] >= cut, picture_of(mask)), position
        assert arrays["kept_at"][position] == np.count_nonzero(mask), position


@pytest.mark.parametrize(
    ("scope", "schedule"), [("layer", "linear:steps=3"), ("row", "cubic:steps=2"), ("global", "geometric:steps=3")]
)
def test_at_its_own_amount_a_schedule_shows_what_its_steps_left(scope: Scope, schedule: str) -> None:
    recipe = Recipe(criterion="synflow", scope=scope, schedule=schedule, amount=0.7)
    assert not recipe.nested
    for layer in ("fc1.weight", "fc3.weight"):
        arrays, shown = shown_at(recipe, layer, "digits-mlp")
        mask = compute_masks(shown.subject, recipe)[layer].numpy()
        assert np.array_equal(arrays["ranks"] >= arrays["removed_at"][700], picture_of(mask))
        assert arrays["kept_at"][700] == np.count_nonzero(mask)
        other = _Shown(shown.subject, replace(recipe, amount=0.4), shown.target)
        assert other.key != shown.key, "other steps leave others"


def test_a_nested_recipe_sends_its_layer_once_for_all_amounts() -> None:
    keys = {shown_at(Recipe(scope="row", amount=amount), "fc.weight")[1].key for amount in (0.1, 0.5, 0.9)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(scope="row"),
        Recipe(scope="global", criterion="fisher"),
        Recipe(allocation="erk", granularity="n_m:n=2,m=4"),
        Recipe(criterion="synflow", schedule="geometric:steps=3"),
    ],
    ids=["row", "global", "erk and 2:4", "steps"],
)
def test_a_layer_with_an_amount_of_its_own_follows_that_alone(recipe: Recipe) -> None:
    recipe = replace(recipe, amount=0.5, amounts={"fc.weight": 0.25})
    arrays, shown = shown_at(recipe, "fc.weight")
    positions = POSITIONS if recipe.nested else [250]
    for position in positions:
        alone = replace(recipe, amounts={"fc.weight": position / 1000})
        mask = compute_masks(shown.subject, alone)["fc.weight"].numpy()
        assert np.array_equal(arrays["ranks"] >= arrays["removed_at"][position], picture_of(mask)), position


def test_scores_are_read_weight_by_weight_where_rows_share_their_ranks() -> None:
    """Of the tutorial's 4 x 5 layer each row ranks its five weights: the scores stay |w| all the same."""
    arrays, shown = shown_at(Recipe(scope="row", criterion="wanda"), "fc1.weight", "tutorial-mlp")
    weights = shown.subject.weight("fc1.weight").numpy()
    assert sorted(arrays["ranks"][: weights.shape[1]].tolist()) == list(range(weights.shape[1]))
    scores = arrays["scores"].reshape(weights.shape)
    lengths = scores / np.abs(weights)  # of each input, the same in every row
    assert np.allclose(lengths, lengths[:1], rtol=1e-5)
    by_hand = np.argsort(np.argsort(scores, axis=1, kind="stable"), axis=1)
    assert np.array_equal(arrays["ranks"].reshape(weights.shape), by_hand)


def test_the_histogram_of_a_pattern_counts_what_goes_of_each_bar() -> None:
    arrays, shown = shown_at(Recipe(granularity="n_m:n=2,m=4"), "fc.weight")
    magnitudes = np.abs(shown.subject.weight("fc.weight").numpy())
    half = compute_masks(shown.subject, Recipe(granularity="n_m:n=2,m=4", amount=0.5))["fc.weight"].numpy()
    assert half.reshape(-1, 4).sum(axis=1).tolist() == [2] * (half.size // 4)
    gone = arrays["histogram_removed"].reshape(len(arrays["cuts"]), -1)
    assert arrays["cuts"][-1] == half.size // 2
    low = float(magnitudes.min())
    edges = low + (float(magnitudes.max()) - low) * np.arange(gone.shape[1] + 1) / gone.shape[1]
    by_hand = np.histogram(magnitudes[~half], edges)[0]
    assert gone[-1].sum() == half.size // 2
    assert np.abs(gone[-1].astype(int) - by_hand).max() <= 1  # an edge may fall on either side in float32
