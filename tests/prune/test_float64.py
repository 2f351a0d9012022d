"""Weights of float64 are ranked as the numbers they are: 1e39 is finite, and a difference of 1e-9 is no tie."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pruning_explorer import Recipe, Subject, compute_masks, load_subject, write_script
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune import own_scores
from pruning_explorer.prune.criteria import CRITERIA, Scoring
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.ranking import global_cut, rank
from tests.prune.oracle import keep_by_stable_sort, masks_of, network_of

CLOSE = torch.tensor([[2 + 4e-9, 2 + 1e-9, 2 + 3e-9, 2 + 2e-9], [1e39, 3e39, 2e39, 4e39]], dtype=torch.float64)
"""In float32 the first row is four times 2, and the second four times infinity."""


@pytest.mark.parametrize(
    ("recipe", "kept"),
    [
        (Recipe(amount=0.25), [[1, 0, 1, 0], [1, 1, 1, 1]]),
        (Recipe(amount=0.75), [[0, 0, 0, 0], [0, 1, 0, 1]]),
        (Recipe(amount=0.5, scope="row"), [[1, 0, 1, 0], [0, 1, 0, 1]]),
        (Recipe(amount=0.5, granularity="n_m:n=2,m=4"), [[1, 0, 1, 0], [0, 1, 0, 1]]),
        (Recipe(amount=0.5, granularity="n_m:n=1,m=2"), [[1, 0, 1, 0], [0, 1, 0, 1]]),
        (Recipe(amount=0.5, granularity="channel:dim=1,n=-inf"), [[1, 0, 1, 0], [1, 0, 1, 0]]),
        (Recipe(amount=0.5, granularity="channel:dim=0,n=2"), [[0, 0, 0, 0], [1, 1, 1, 1]]),
        (Recipe(amount=0.25, granularity="block:rows=1,cols=2,n=-inf"), [[0, 0, 1, 1], [1, 1, 1, 1]]),
        (Recipe("largest", amount=0.75), [[0, 1, 0, 1], [0, 0, 0, 0]]),
        (Recipe("lamp", amount=0.25), [[1, 0, 1, 0], [1, 1, 1, 1]]),
    ],
    ids=lambda case: f"{case.criterion} {case.granularity} {case.scope}" if isinstance(case, Recipe) else "",
)
def test_by_hand(recipe: Recipe, kept: list[list[int]]) -> None:
    assert masks_of(recipe, CLOSE)["0.weight"].int().tolist() == kept


def test_what_is_not_finite_in_float64_is_refused() -> None:
    with pytest.raises(ScoreError, match=r"scores that cannot be ranked \(1 infinite of 2\)"):
        masks_of(Recipe(), torch.tensor([[1e39, torch.inf]], dtype=torch.float64))


def test_layers_of_two_types_compete_as_the_numbers_they_are() -> None:
    """In float32 0.1 is a little more than 0.1 and 0.3 is a little more than 0.3; 2e39 is more than all of float32."""
    single = torch.tensor([[0.1, 0.3, 3.4e38, 0.5]])
    double = torch.tensor([[0.1, 0.3, 2e39, 0.5]], dtype=torch.float64)
    orders = {
        1: ([[1, 1, 1, 1]], [[0, 1, 1, 1]]),
        2: ([[0, 1, 1, 1]], [[0, 1, 1, 1]]),
        3: ([[0, 1, 1, 1]], [[0, 0, 1, 1]]),
        5: ([[0, 0, 1, 0]], [[0, 0, 1, 1]]),  # of equal ones the first layer's
        7: ([[0, 0, 0, 0]], [[0, 0, 1, 0]]),
    }
    for removed, expected in orders.items():
        masks = masks_of(Recipe(scope="global", amount=removed / 8), single, double)
        assert tuple(mask.int().tolist() for mask in masks.values()) == expected


def test_rankings_of_two_types_are_cut_together() -> None:
    """Every cut through both is that of one stable sort of all numbers, the largest of float32 among them."""
    stream = torch.Generator().manual_seed(0)
    single = torch.cat([torch.rand(30, generator=stream), torch.tensor([0.0, 1e-45, 3.4028235e38, 1.0])])
    beyond = torch.tensor([0.0, 1e-60, 1e39, 1.0, 1 + 1e-12], dtype=torch.float64)
    double = torch.cat([single[:9].double(), single[5:9].double() * (1 + 1e-12), beyond])
    total = len(single) + len(double)
    removed = global_cut([rank(single, "w"), rank(double, "v")], np.arange(total + 1))
    for count in range(total + 1):
        keep = keep_by_stable_sort(torch.cat([single.double(), double]), count).split([len(single), len(double)])
        assert removed[count].tolist() == [int((~part).sum()) for part in keep]


def doubled(name: str) -> Subject:
    """A sample as a network of float64, on inputs of float64."""
    subject = load_subject(name)
    assert subject.calibration is not None
    inputs = tuple(each.double() if each.is_floating_point() else each for each in subject.calibration)
    return Subject.from_module(
        subject.copy_model().double(), inputs, calibration=inputs, calibration_labels=subject.calibration_labels
    )


@pytest.mark.parametrize("granularity", ["element", "channel:dim=0,n=2", "n_m:n=2,m=4", "block:rows=2,cols=2"])
@pytest.mark.parametrize("criterion", [name for name in CRITERIA if name not in ("scores", "mask")])
def test_every_criterion_scores_float64_in_float64(criterion: str, granularity: str) -> None:
    """And near what it gives in float32, where it draws nothing."""
    subject, narrow = doubled("digits-cnn"), load_subject("digits-cnn")
    (target,) = (each for each in subject.targets if each.name == "block1.conv2.weight")
    found = [
        CRITERIA.read(criterion).scores(Scoring(each, GRANULARITIES.read(granularity).grouping, (), 0), target_of(each))
        for each in (subject, narrow)
    ]
    assert found[0].dtype == torch.float64
    if criterion not in ("random", "largest"):
        torch.testing.assert_close(found[0], found[1].double(), rtol=1e-3, atol=1e-9)
    recipe = Recipe(criterion, granularity, amount=0.3, targets=(target.name,))
    (ranking,) = rank_targets(subject, recipe).rankings
    assert ranking.ordered_bits.dtype == np.uint64
    assert np.array_equal(ranking.scores, found[0].flatten().numpy())
    if not granularity.startswith("n_m"):
        order = found[0].flatten().sort(stable=True).indices
        assert ranking.ranks.argsort().tolist() == order.tolist()


def target_of(subject: Subject):
    return subject.target("block1.conv2.weight")


def test_float32_takes_no_more_memory_than_before() -> None:
    ranked = rank_targets(load_subject("digits-cnn"), Recipe("fpgm", scope="global"))
    assert all(each.nbytes == 8 * each.groups for each in ranked.rankings)


def test_a_file_of_scores_is_ranked_as_it_is() -> None:
    """Scores of float64 and whole numbers beyond 2^24, for weights of float32."""
    subject = Subject.from_module(network_of(torch.ones(1, 3)))
    for scores in (
        torch.tensor([[2e39, 1 + 2e-12, 1 + 1e-12]], dtype=torch.float64),
        torch.tensor([[1 << 40, (1 << 30) + 1, 1 << 30]]),
    ):
        for amount, kept in ((1 / 3, [1, 1, 0]), (2 / 3, [1, 0, 0])):
            recipe = Recipe(f"scores:file={own_scores.add({'0.weight': scores})}", amount=amount)
            assert compute_masks(subject, recipe)["0.weight"].int().tolist() == [kept]


def test_the_script_of_float64_makes_the_same_masks() -> None:
    weights: list[Tensor] = [CLOSE, CLOSE.flip(1) * 2]
    for recipe in (
        Recipe(amount=0.375),
        Recipe(scope="global", amount=0.5625),
        Recipe("random", scope="global", amount=0.5, cap=0.5),
        Recipe("random", amount=0.5),
    ):
        subject = Subject.from_module(network_of(*weights))
        model = network_of(*weights)
        exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model})
        masks = compute_masks(subject, recipe)
        assert all(torch.equal(model.get_buffer(f"{name}_mask").bool(), masks[name]) for name in masks)
