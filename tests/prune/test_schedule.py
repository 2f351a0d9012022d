"""Steps that each score anew what is left, beside ``prune.PruningContainer`` doing the same."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune import engine
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.criteria import CRITERIA, Criterion, Scoring
from pruning_explorer.prune.engine import EXITS, rank_targets
from pruning_explorer.prune.patterns import LnBlock, NOfMUnstructured
from pruning_explorer.prune.schedule import SCHEDULES
from pruning_explorer.prune.targets import Target
from tests.prune.oracle import masks_of, network_of, shapes

some = settings(max_examples=60)
STEPWISE = ("linear", "cubic", "geometric")


def beside_its_column(weight: Tensor) -> Tensor:
    """w^2 over what its column still holds in all: it grows for those whose neighbours go."""
    whole = weight.abs().sum(0, keepdim=True)
    return weight.square() / torch.where(whole > 0, whole, torch.ones_like(whole))


def in_column(scoring: Scoring, target: Target) -> Tensor:
    return scoring.granularity.group_scores(beside_its_column(scoring.weight(target)))


@pytest.fixture(scope="module", autouse=True)
def in_column_criterion() -> Iterator[None]:
    """A criterion that judges a weight by what is left beside it, so that steps change what goes."""
    CRITERIA["in-column"] = Criterion("in-column", "In its column", "Small in its column goes first.", in_column)
    yield
    del CRITERIA["in-column"]
    EXITS.clear()


def recipe_of(schedule: str, amount: float, **others: object) -> Recipe:
    return Recipe(criterion="in-column", schedule=schedule, amount=amount, **others)


def spread(*shape: int, seed: int = 0) -> Tensor:
    """Normal weights whose columns differ in size."""
    stream = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=stream)
    return weight * (1 + torch.arange(shape[1]).view(1, -1, *[1] * (len(shape) - 2)))


def lost(masks: dict[str, Tensor]) -> list[int]:
    return [int((~mask).sum()) for mask in masks.values()]


def test_shares_by_hand() -> None:
    """Linear 0.2, 0.4 ...; cubic 1 - (1 - k/4)^3 of the amount; geometric takes 0.8 of what is left at each step."""
    assert SCHEDULES.read("one-shot").shares(0.8) == (0.8,)
    assert SCHEDULES.read("linear:steps=4").shares(0.8) == pytest.approx((0.2, 0.4, 0.6, 0.8))
    cubic = [0.8 * (1 - 27 / 64), 0.8 * (1 - 8 / 64), 0.8 * (1 - 1 / 64), 0.8]
    assert SCHEDULES.read("cubic:steps=4").shares(0.8) == pytest.approx(cubic)
    geometric = SCHEDULES.read("geometric:steps=4").shares(0.9984)
    assert geometric == pytest.approx((0.8, 0.96, 0.992, 0.9984))


@given(st.sampled_from(STEPWISE), st.integers(1, 100), st.floats(0, 1))
def test_shares_rise_to_the_amount_itself(name: str, steps: int, amount: float) -> None:
    shares = SCHEDULES.read(f"{name}:steps={steps}").shares(amount)
    assert len(shares) == steps
    assert shares[-1] == amount
    assert all(0 <= share <= amount for share in shares)
    assert list(shares) == sorted(shares)


def test_two_steps_by_hand() -> None:
    """Columns 1, 1.25 and 2, 3 score 1/2.25, 1.5625/2.25 and 4/5, 9/5: in one shot the first column goes.

    Once the 1 is gone, the 1.25 scores 1.5625/1.25: in two steps the 2 goes second.
    """
    weight = torch.tensor([[1.0, 2.0], [1.25, 3.0]])
    assert masks_of(recipe_of("one-shot", 0.5), weight)["0.weight"].int().tolist() == [[0, 1], [0, 1]]
    assert masks_of(recipe_of("linear:steps=2", 0.5), weight)["0.weight"].int().tolist() == [[0, 0], [1, 1]]


def test_half_twice_is_three_quarters() -> None:
    """``geometric:steps=2`` at 0.75 is torch's 50 % and again 50 % of what is left."""
    weight = spread(8, 8)
    ours = masks_of(recipe_of("geometric:steps=2", 0.75), weight)["0.weight"]
    module = network_of(weight)[0]
    for _ in range(2):
        prune.l1_unstructured(module, "weight", 0.5, importance_scores=beside_its_column(module.weight.detach()))
    assert isinstance(next(iter(module._forward_pre_hooks.values())), prune.PruningContainer)
    assert torch.equal(ours, module.weight_mask.bool())
    assert int(ours.sum()) == 16
    assert not torch.equal(ours, masks_of(recipe_of("one-shot", 0.75), weight)["0.weight"])


def by_the_library(weight: Tensor, granularity: str, counts: list[int]) -> Tensor:
    """The mask after so many groups more at each step, by ``prune.*`` on one module, scored anew each time."""
    module = network_of(weight)[0]
    for count in counts:
        scores = beside_its_column(module.weight.detach())
        match granularity:
            case "element":
                prune.l1_unstructured(module, "weight", count, importance_scores=scores)
            case "channel:dim=0,n=1":
                prune.ln_structured(module, "weight", count, 1, 0, importance_scores=scores)
            case "n_m:n=1,m=3":
                NOfMUnstructured.apply(module, "weight", count, 1, 3, importance_scores=scores)
            case "block:rows=2,cols=3":
                LnBlock.apply(module, "weight", count, 2, 3, importance_scores=scores)
    return module.weight_mask.bool()


def test_layers_of_two_types_go_step_by_step_together() -> None:
    """As if both were of float64."""
    one, other = spread(6, 8), spread(5, 8, seed=1).double()
    recipe = recipe_of("cubic:steps=4", 0.6, scope="global")
    mixed, wide = masks_of(recipe, one, other), masks_of(recipe, one.double(), other)
    assert lost(mixed) == lost(wide)
    assert all(torch.equal(mixed[name], wide[name]) for name in mixed)
    assert 0 < lost(mixed)[0] < one.numel()


@some
@given(
    shapes(min_dims=2),
    st.sampled_from(("element", "channel:dim=0,n=1", "n_m:n=1,m=3", "block:rows=2,cols=3")),
    st.sampled_from(STEPWISE),
    st.integers(2, 12),
    st.floats(0, 1),
    st.booleans(),
)
def test_steps_are_those_of_a_pruning_container(
    shape: tuple[int, ...], granularity: str, name: str, steps: int, amount: float, wide: bool
) -> None:
    """As many groups at each step as its cumulative share, rounded half to even, says.

    If ``wide``, of numbers which in float32 would all be infinite.
    """
    if granularity.startswith("n_m") and shape[1] == 1:
        return
    weight = spread(*shape).double() * 1e60 if wide else spread(*shape)
    recipe = recipe_of(f"{name}:steps={steps}", amount, granularity=granularity)
    subject = Subject.from_module(network_of(weight))
    groups = rank_targets(subject, recipe).rankings[0].groups
    cumulative = [round(share * groups) for share in recipe.schedule.shares(amount)]
    theirs = by_the_library(weight, granularity, np.diff([0, *cumulative]).tolist())
    assert torch.equal(compute_masks(subject, recipe)["0.weight"], theirs)


@some
@given(
    st.lists(shapes(min_dims=2), min_size=2, max_size=4),
    st.integers(2, 12),
    st.floats(0, 1),
    st.sampled_from((1.0, 0.6, 0.35)),
)
def test_one_ranking_for_all_at_each_step(
    several: list[tuple[int, ...]], steps: int, amount: float, cap: float
) -> None:
    """Step by step the slow way: all that is left in one list, the least go as far as caps allow."""
    layers = [spread(*shape, seed=seed) for seed, shape in enumerate(several)]
    left = [torch.ones(layer.shape, dtype=torch.bool) for layer in layers]
    most = [int(np.floor(cap * layer.numel() + 1e-9)) for layer in layers]
    for share in SCHEDULES.read(f"linear:steps={steps}").shares(amount):
        scores = [beside_its_column(layer * kept) for layer, kept in zip(layers, left, strict=True)]
        order = sorted(
            (float(score), i, place)
            for i, layer_scores in enumerate(scores)
            for place, score in enumerate(layer_scores.flatten())
            if left[i].flatten()[place]
        )
        wanted = round(share * sum(layer.numel() for layer in layers)) - sum(int((~kept).sum()) for kept in left)
        for _, i, place in order:
            if wanted > 0 and int((~left[i]).sum()) < most[i]:
                left[i].view(-1)[place] = False
                wanted -= 1
    recipe = recipe_of(f"linear:steps={steps}", amount, scope="global", cap=cap)
    masks = masks_of(recipe, *layers)
    for mask, kept in zip(masks.values(), left, strict=True):
        assert torch.equal(mask, kept)


@pytest.mark.parametrize("name", STEPWISE)
@pytest.mark.parametrize(
    "others",
    [
        {},
        {"scope": "row"},
        {"scope": "global"},
        {"scope": "global", "cap": 0.6},
        {"allocation": "uniform"},
        {"allocation": "erk", "cap": 0.9},
        {"amounts": {"1.weight": 0.25}},
        {"scope": "global", "amounts": {"0.weight": 0.25}},
        {"granularity": "channel:dim=1"},
        {"granularity": "n_m:n=1,m=4", "scope": "row"},
        {"granularity": "block:rows=2,cols=2", "scope": "global"},
    ],
    ids=str,
)
def test_counts_are_those_of_one_shot(name: str, others: dict[str, object]) -> None:
    layers = spread(6, 8), spread(9, 5), spread(4, 8, 3)
    for amount in (0.0, 0.3, 0.7, 1.0):
        one_shot, steps = (recipe_of(s, amount, **others) for s in ("one-shot", f"{name}:steps=7"))
        subject = Subject.from_module(network_of(*layers))
        counts = [rank_targets(subject, recipe).removed_at([amount])[0] for recipe in (one_shot, steps)]
        if others.get("scope") == "global":
            counts = [each.sum() for each in counts]
        assert np.array_equal(*counts)
        if "granularity" not in others:
            assert sum(lost(compute_masks(subject, one_shot))) == sum(lost(compute_masks(subject, steps)))


@pytest.mark.parametrize("scope", ["layer", "row", "global"])
def test_the_ranking_tells_the_way(scope: str) -> None:
    """At its own amount the masks; at the share of an earlier step, those of that step's own recipe."""
    subject = Subject.from_module(network_of(spread(6, 8), spread(8, 8)))
    recipe = recipe_of("linear:steps=4", 0.8, scope=scope)
    ranked = rank_targets(subject, recipe)
    assert not recipe.nested
    shares = recipe.schedule.shares(0.8)
    table = ranked.removed_at(shares)
    for step, (removed, share) in enumerate(zip(table, shares, strict=True), start=1):
        masks = compute_masks(subject, recipe_of(f"linear:steps={step}", share, scope=scope))
        for index, target in enumerate(ranked.targets):
            assert torch.equal(ranked.mask(index, int(removed[index])), masks[target.name])
    for ranking in ranked.rankings:
        for row in ranking.ranks.reshape(-1, ranking.groups) if scope == "row" else [ranking.ranks]:
            assert sorted(row.tolist()) == list(range(ranking.groups))
        assert (np.diff(ranking.ordered_bits.astype(np.int64)) >= 0).all()
        assert np.isfinite(ranking.scores).all()


@pytest.mark.parametrize("amounts", [{}, {"0.weight": 0.5}])
def test_scores_shown_are_those_at_which_a_weight_went(amounts: dict[str, float]) -> None:
    """By hand: of one column 1/10, 4/10, 9/10, 16/10; without the 1 they are 4/9, 9/9, 16/9."""
    ranked = rank_targets(
        Subject.from_module(network_of(torch.tensor([[1.0], [2.0], [3.0], [4.0]]))),
        recipe_of("linear:steps=2", 0.25 if amounts else 0.5, amounts=amounts),
    )
    assert ranked.rankings[0].scores.tolist() == pytest.approx([1 / 10, 4 / 9, 1, 16 / 9])


def test_a_schedule_changes_nothing_for_a_criterion_that_looks_at_nothing_else() -> None:
    layers = spread(6, 8), spread(8, 8)
    for criterion in ("magnitude", "random"):
        assert CRITERIA[criterion].static
        recipe = Recipe(criterion, schedule="cubic", scope="global")
        assert recipe.nested
        one_shot = masks_of(Recipe(criterion, scope="global"), *layers)
        for name, mask in masks_of(recipe, *layers).items():
            assert torch.equal(mask, one_shot[name])


def test_one_step_is_one_shot() -> None:
    assert recipe_of("linear:steps=1", 0.5).nested
    assert recipe_of("one-shot", 0.5).nested
    assert not recipe_of("linear:steps=2", 0.5).nested


def test_each_amount_goes_its_own_way_and_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[int] = []

    def counting(scoring: Scoring, target: Target) -> Tensor:
        scored.append(len(scoring.masks))
        return in_column(scoring, target)

    monkeypatch.setattr(engine, "EXITS", ByteBoundedCache(1 << 20))
    monkeypatch.setitem(CRITERIA, "in-column", Criterion("in-column", "", "", counting))
    subject = Subject.from_module(network_of(spread(6, 8), spread(8, 8)))
    for amount in (0.5, 0.5, 0.6):
        compute_masks(subject, recipe_of("linear:steps=3", amount))
    # Two layers at each of three steps, the first of which sees the dense network; twice
    assert scored == [0, 0, 2, 2, 2, 2] * 2
    assert engine.EXITS.nbytes == 2 * 12 * (48 + 64)


def test_where_nothing_goes_nothing_is_scored_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[str] = []
    monkeypatch.setitem(
        CRITERIA,
        "in-column",
        Criterion("in-column", "", "", lambda s, t: scored.append(t.name) or in_column(s, t)),
    )
    masks = masks_of(recipe_of("linear:steps=100", 0.5), spread(2, 2, seed=5))
    assert lost(masks) == [2]
    # For the first weight, for the second, and for the ranking of those that stay
    assert len(scored) == 3


def test_what_has_gone_stays_gone_though_the_others_fall_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, over both layers: 1 and 2 go, then of the rest, each a hundredth by then, the 3 and the 4."""
    falling = Criterion("falling", "", "", lambda s, t: s.weight(t).abs() / (100 if s.masks else 1))
    monkeypatch.setitem(CRITERIA, "falling", falling)
    layers = torch.tensor([[1.0, 5.0, 3.0]]), torch.tensor([[6.0, 2.0, 4.0]])
    for amount, kept in ((2 / 3, [[[0, 1, 0]], [[1, 0, 0]]]), (1.0, [[[0, 0, 0]], [[0, 0, 0]]])):
        masks = masks_of(Recipe("falling", scope="global", schedule="linear:steps=2", amount=amount), *layers)
        assert [mask.int().tolist() for mask in masks.values()] == kept
    subject = Subject.from_module(network_of(*layers))
    ranked = rank_targets(subject, Recipe("falling", scope="global", schedule="linear:steps=2", amount=2 / 3))
    assert ranked.removed_at([1 / 6, 1 / 3, 1 / 2, 2 / 3]).tolist() == [[1, 0], [1, 1], [2, 1], [2, 2]]


def test_what_is_drawn_is_drawn_anew_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CRITERIA, "dice", Criterion("dice", "", "", lambda s, t: s.uniform(t).float(), draws=True))
    masks = [
        masks_of(Recipe("dice", schedule=schedule, seed=seed), spread(8, 8))["0.weight"]
        for schedule, seed in (("linear:steps=2", 3), ("linear:steps=2", 3), ("linear:steps=2", 4), ("one-shot", 3))
    ]
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
    assert not torch.equal(masks[0], masks[3])


def test_a_score_that_turns_bad_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(scoring: Scoring, target: Target) -> Tensor:
        return scoring.weight(target).abs() * (torch.nan if scoring.masks else 1)

    monkeypatch.setitem(CRITERIA, "in-column", Criterion("in-column", "", "", broken))
    with pytest.raises(ScoreError, match=r"0\.weight has scores that cannot be ranked \(32 NaN of 32\)"):
        masks_of(recipe_of("geometric:steps=2", 0.75), spread(8, 8, seed=77))


def test_a_hundred_steps() -> None:
    masks = masks_of(recipe_of("cubic:steps=100", 0.9, scope="global"), spread(20, 20), spread(10, 20))
    assert sum(lost(masks)) == 540


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3)
        self.down = nn.Conv2d(6, 4, 3)


def test_rows_of_transposed_convolutions_lose_alike_at_each_step() -> None:
    torch.manual_seed(0)
    masks = compute_masks(Subject.from_module(Convolutions()), recipe_of("cubic:steps=5", 0.6, scope="row"))
    assert masks["up.weight"].sum((0, 2, 3)).tolist() == [36 - 22] * 6
    assert masks["down.weight"].sum((1, 2, 3)).tolist() == [54 - 32] * 4
