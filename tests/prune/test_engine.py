"""What a recipe does to several layers: amounts, caps, frozen layers, one ranking for all, and nestedness."""

import threading
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import RecipeError, ScoreError, TargetError
from pruning_explorer.prune import engine
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.engine import RANKINGS, masks_at, rank_targets
from tests.prune.oracle import amounts, assert_nested, masks_of, network_of, weights

some = settings(max_examples=60)
GRANULARITIES = ("element", "channel:dim=0,n=1", "channel:dim=-1,n=inf")


def removed(recipe: Recipe, *layers: Tensor) -> list[int]:
    return [int((~mask).sum()) for mask in masks_of(recipe, *layers).values()]


@pytest.fixture(scope="module")
def ten_and_four() -> Subject:
    """Layer 0 holds the magnitudes 1 to 10, layer 1 has 11 to 14."""
    return Subject.from_module(network_of(torch.arange(1.0, 11.0).view(2, 5), torch.arange(11.0, 15.0).view(2, 2)))


@some
@given(
    st.lists(weights(min_dims=2), min_size=1, max_size=3),
    st.sampled_from(("magnitude", "random")),
    st.sampled_from(GRANULARITIES),
    st.sampled_from(("layer", "global")),
    st.sampled_from((1.0, 0.6)),
    st.lists(st.floats(0, 1), min_size=2, max_size=4).map(sorted),
)
def test_more_amount_removes_the_same_and_more(
    layers: list[Tensor], criterion: str, granularity: str, scope: str, cap: float, rising: list[float]
) -> None:
    subject = Subject.from_module(network_of(*layers))
    masks = [compute_masks(subject, Recipe(criterion, granularity, scope, amount, cap=cap)) for amount in rising]
    for less, more in pairwise(masks):
        assert_nested(less, more)


@some
@given(
    st.data(),
    st.lists(weights(), min_size=1, max_size=4),
    st.sampled_from((0.0, 0.3, 0.5, 0.7, 1.0)),
)
def test_global_cut_with_caps_against_brute_force(data: st.DataObject, layers: list[Tensor], cap: float) -> None:
    """Walk all weights from the least to the greatest, equal ones in the order of layers, and take what caps allow."""
    total = sum(layer.numel() for layer in layers)
    amount = data.draw(amounts(total))
    scores = torch.cat([layer.abs().float().flatten() for layer in layers])
    owners = torch.cat([torch.full((layer.numel(),), index) for index, layer in enumerate(layers)]).tolist()
    left = [int(cap * layer.numel() + 1e-9) for layer in layers]
    wanted, expected = round(amount * total), [0] * len(layers)
    for position in torch.sort(scores, stable=True).indices.tolist():
        owner = owners[position]
        if wanted > 0 and left[owner] > 0:
            wanted, left[owner], expected[owner] = wanted - 1, left[owner] - 1, expected[owner] + 1
    assert removed(Recipe(scope="global", amount=amount, cap=cap), *layers) == expected


def test_each_row_loses_alike_by_hand() -> None:
    """Of four weights a row two go, its own least, however large they are beside another row's."""
    weight = torch.tensor([[1.0, -2.0, 3.0, 4.0], [50.0, 20.0, -30.0, 40.0]])
    masks = masks_of(Recipe(scope="row"), weight)
    assert masks["0.weight"].int().tolist() == [[0, 0, 1, 1], [1, 0, 0, 1]]
    assert dict(masks.requested) == {"0.weight": 0.5}


@some
@given(weights(min_dims=2), st.floats(0, 1), st.sampled_from((1.0, 0.5)))
def test_rows_are_layers_of_their_own(weight: Tensor, amount: float, cap: float) -> None:
    mask = masks_of(Recipe(scope="row", amount=amount, cap=cap), weight)["0.weight"]
    for row, kept in zip(weight, mask, strict=True):
        assert torch.equal(kept, masks_of(Recipe(amount=amount, cap=cap), row)["0.weight"])


def test_rows_of_a_transposed_convolution_are_its_outputs() -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(nn.ConvTranspose1d(4, 6, 5))
    recipe = Recipe(scope="row", amount=0.35)
    mask = compute_masks(subject, recipe)["weight"]
    assert mask.sum((0, 2)).tolist() == [20 - 7] * 6
    ranked = rank_targets(subject, recipe)
    assert ranked.removed_weights(0, ranked.removed_at([0.35, 1.0])[:, 0]).tolist() == [42, 120]


def test_what_has_no_weights_within_rows() -> None:
    subject = Subject.from_module(nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 2)))
    for granularity in ("channel", "channel:dim=1", "block"):
        with pytest.raises(RecipeError, match=r"no layer of my-model can be pruned by scope row: \w+ are no weights"):
            compute_masks(subject, Recipe(granularity=granularity, scope="row"))
        with pytest.raises(RecipeError, match=r"0\.weight cannot be pruned by scope row"):
            compute_masks(subject, Recipe(granularity=granularity, scope="row", targets=("0.weight",)))
    assert list(compute_masks(subject, Recipe(scope="row", biases=True))) == ["0.weight", "1.weight"]
    with pytest.raises(RecipeError, match=r"0\.bias cannot be pruned by scope row: it has one dim only"):
        compute_masks(subject, Recipe(scope="row", targets=("0.bias",)))


def test_what_a_criterion_refuses_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Criterion(
        "large",
        "",
        "",
        lambda scoring, target: scoring.weight(target).abs(),
        refuse=lambda _, target: "it is small" if target.numel < 10 else None,
        lacks=lambda subject: "it needs luck" if subject.name == "unlucky" else None,
    )
    monkeypatch.setitem(CRITERIA, "large", large)
    network = network_of(torch.randn(3, 5), torch.randn(2, 2))
    subject = Subject.from_module(network)
    assert list(compute_masks(subject, Recipe("large"))) == ["0.weight"]
    with pytest.raises(RecipeError, match=r"1\.weight cannot be pruned by large: it is small"):
        compute_masks(subject, Recipe("large", targets=("1.weight",)))
    with pytest.raises(RecipeError, match=r"^large cannot be used here: it needs luck$"):
        compute_masks(Subject.from_module(network, name="unlucky"), Recipe("large"))


HELD = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1.0, 1.0, 1.0, 0, 0, 0]])


@pytest.mark.parametrize("scope", ["layer", "row", "global"])
@pytest.mark.parametrize("schedule", ["one-shot", "linear:steps=3"])
def test_what_a_criterion_protects_stays(monkeypatch: pytest.MonkeyPatch, scope: str, schedule: str) -> None:
    """By hand: 4 of 16 are held, 3 of them in one row, so that rows keep 3 each; of N:M each four keeps 2, or 1."""
    protect = Criterion("protect", "", "", lambda s, t: s.weight(t).abs(), protect=lambda s, t: HELD.bool())
    monkeypatch.setitem(CRITERIA, "protect", protect)
    weight = torch.arange(1.0, 17).view(2, 8)
    for granularity, kept in (("element", 6 if scope == "row" else 4), ("n_m", 8)):
        recipe = Recipe("protect", granularity, scope, 1.0, schedule=schedule)
        mask = masks_of(recipe, weight)["0.weight"]
        assert mask[HELD.bool()].all()
        assert int(mask.sum()) == kept
    four = masks_of(Recipe("protect", "n_m:n=1,m=4", scope, 1.0, schedule=schedule), weight)["0.weight"]
    assert four.int().tolist()[1] == [0, 0, 1, 1, 1, 0, 0, 0]


def test_global_ties_fall_in_the_order_of_layers() -> None:
    """By hand: 3 + 4 + 2 weights of magnitude 1; five go: the first layer, two of the second."""
    layers = torch.ones(3), -torch.ones(4), torch.ones(2)
    masks = masks_of(Recipe(scope="global", amount=5 / 9), *layers)
    assert [mask.int().tolist() for mask in masks.values()] == [[0, 0, 0], [0, 0, 1, 1], [1, 1]]


def test_layer_collapse_and_the_cap(ten_and_four: Subject) -> None:
    """By hand: 10 of 14 go, a layer whole; of 8 with a cap of 0.6 the other layer loses what the first may not."""
    free = compute_masks(ten_and_four, Recipe(scope="global", amount=10 / 14))
    assert [free.kept(name) for name in free] == [0, 4]
    capped = compute_masks(ten_and_four, Recipe(scope="global", amount=8 / 14, cap=0.6))
    assert [capped.kept(name) for name in capped] == [4, 2]
    assert capped["0.weight"].flatten().tolist() == [False] * 6 + [True] * 4


def test_less_than_asked_goes_only_where_all_caps_bind(ten_and_four: Subject) -> None:
    """By hand: 14 weights at 0.9 are 13; caps of 0.5 allow 5 and 2."""
    for scope in ("layer", "global"):
        masks = compute_masks(ten_and_four, Recipe(scope=scope, amount=0.9, cap=0.5))
        assert [masks.kept(name) for name in masks] == [5, 2], scope


@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("cap", [0.1, 0.29, 0.55, 0.7])
def test_a_cap_is_met_exactly_and_never_exceeded(cap: float, scope: str) -> None:
    """A layer of 100 loses exactly 100 caps, whatever floats make of it: 0.29 * 100 is 28.999999999999996."""
    torch.manual_seed(0)
    lost = removed(Recipe(scope=scope, amount=1.0, cap=cap), torch.randn(100), torch.randn(10, 20), torch.randn(7))
    assert lost == [round(100 * cap), round(200 * cap), int(7 * cap)]


def test_a_cap_binds_a_layer_with_its_own_amount(ten_and_four: Subject) -> None:
    masks = compute_masks(ten_and_four, Recipe(amount=0.1, amounts={"1.weight": 1.0}, cap=0.75))
    assert [masks.kept(name) for name in masks] == [9, 1]


def test_own_amounts(ten_and_four: Subject) -> None:
    masks = compute_masks(ten_and_four, Recipe(amount=0.5, amounts={"1.weight": 0.25}))
    assert [masks.kept(name) for name in masks] == [5, 3]
    assert dict(masks.requested) == {"0.weight": 0.5, "1.weight": 0.25}
    assert masks.requested_total == pytest.approx((5 + 1) / 14)


def test_a_layer_with_its_own_amount_leaves_the_global_ranking(ten_and_four: Subject) -> None:
    """By hand: half of the ten that still compete; the magnitudes of the other layer no longer count."""
    masks = compute_masks(ten_and_four, Recipe(scope="global", amount=0.5, amounts={"1.weight": 0.75}))
    assert [masks.kept(name) for name in masks] == [5, 1]
    assert dict(masks.requested) == {"1.weight": 0.75}
    assert masks.requested_total == pytest.approx((5 + 3) / 14)
    alone = compute_masks(ten_and_four, Recipe(scope="global", amount=0.5, targets=("0.weight",)))
    assert torch.equal(alone["0.weight"], masks["0.weight"])


def test_frozen_layers_stay_dense_and_do_not_compete(ten_and_four: Subject) -> None:
    masks = compute_masks(ten_and_four, Recipe(scope="global", amount=0.5, frozen=("0.weight",)))
    assert list(masks) == ["1.weight"]
    assert masks["1.weight"].int().tolist() == [[0, 0], [1, 1]]


def test_an_amount_by_the_other_name_of_a_tied_weight() -> None:
    network = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 4, bias=False))
    network[1].weight = network[0].weight
    subject = Subject.from_module(network)
    for name in ("0.weight", "1.weight"):
        masks = compute_masks(subject, Recipe(amount=0.5, amounts={name: 0.25}))
        assert list(masks) == ["0.weight"]
        assert masks.kept("0.weight") == 6
        assert dict(masks.requested) == {"0.weight": 0.25}
        with pytest.raises(RecipeError, match="no layer"):
            compute_masks(subject, Recipe(frozen=(name,), embeddings=True))
        assert list(compute_masks(subject, Recipe(targets=(name,)))) == ["0.weight"]


@pytest.mark.parametrize("cap", [1.0, 0.4])
@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("criterion", ["magnitude", "random"])
def test_removed_at_tells_what_each_amount_does(criterion: str, granularity: str, scope: str, cap: float) -> None:
    """The table behind the curves and the browser's own redrawing is what compute_masks does at each amount."""
    torch.manual_seed(4)
    subject = Subject.from_module(network_of(torch.randn(5, 8), torch.ones(4, 4), torch.randn(3, 2, 2).half()))
    steps = [0.0, 0.125, 0.3, 0.5, 0.77, 1.0]
    recipe = Recipe(criterion, granularity, scope, cap=cap, amounts={"2.weight": 0.5})
    ranked = rank_targets(subject, recipe)
    table = ranked.removed_at(steps)
    assert table.shape == (len(steps), 3)
    for row, amount in zip(table, steps, strict=True):
        masks = compute_masks(subject, Recipe(criterion, granularity, scope, amount, cap=cap, amounts=recipe.amounts))
        for index, target in enumerate(ranked.targets):
            assert torch.equal(ranked.mask(index, int(row[index])), masks[target.name])
            per_group = target.numel // ranked.rankings[index].groups
            assert int((~masks[target.name]).sum()) == row[index] * per_group


@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("schedule", ["one-shot", "linear:steps=2"])
@pytest.mark.parametrize("criterion", ["random", "synflow"])
def test_masks_at_several_amounts_are_those_of_each(criterion: str, schedule: str, scope: str) -> None:
    torch.manual_seed(5)
    inputs = torch.randn(8, 6)
    subject = Subject.from_module(network_of(torch.randn(5, 6), torch.randn(4, 5)), inputs, torch.zeros(8).long())
    recipe = Recipe(criterion, scope=scope, schedule=schedule, amounts={"0.weight": 0.2}, recalibrate=True)
    several = [0.0, 0.25, 0.7]
    found = list(masks_at(subject, recipe, several))
    assert [masks.recipe for masks in found] == [replace(recipe, amount=amount) for amount in several]
    for masks, amount in zip(found, several, strict=True):
        alone = compute_masks(subject, replace(recipe, amount=amount))
        assert all(torch.equal(masks[name], alone[name]) for name in alone)
        assert masks.requested == alone.requested
        assert (masks.requested_total, masks.recalibrate) == (alone.requested_total, True)


@pytest.mark.parametrize("scope", ["layer", "row", "global"])
def test_a_really_large_layer_is_ranked_like_any_other(scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = torch.tensor([[3.0, 1.0], [2.0, 4.0]]), torch.tensor([[5.0, 0.5]])
    expected = masks_of(Recipe(scope=scope, amount=0.5), *layers)
    monkeypatch.setattr(engine, "ONE_AT_A_TIME_FROM", 1)
    monkeypatch.setattr(engine, "RANKINGS", ByteBoundedCache(0))
    for name, mask in masks_of(Recipe(scope=scope, amount=0.5), *layers).items():
        assert torch.equal(mask, expected[name])


def test_masks_are_new_tensors_that_no_one_else_holds(ten_and_four: Subject) -> None:
    recipe = Recipe(amount=0.5)
    compute_masks(ten_and_four, recipe)["0.weight"].zero_()
    assert compute_masks(ten_and_four, recipe).kept("0.weight") == 5


def test_a_layers_draws_do_not_depend_on_the_other_layers() -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(network_of(*torch.randn(3, 6, 6)))
    of_all = compute_masks(subject, Recipe("random", seed=7))
    alone = compute_masks(subject, Recipe("random", targets=("2.weight",), seed=7))
    assert torch.equal(of_all["2.weight"], alone["2.weight"])
    assert not torch.equal(of_all["0.weight"], of_all["1.weight"])
    assert not torch.equal(of_all["2.weight"], compute_masks(subject, Recipe("random", seed=8))["2.weight"])


def test_neither_the_global_stream_nor_the_cache_decides_a_draw() -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(network_of(*torch.randn(2, 8, 8)))
    state = torch.get_rng_state()
    recipes = [Recipe("random", scope=scope, targets=t) for scope in ("layer", "global") for t in (None, ("1.weight",))]
    first = [compute_masks(subject, recipe)["1.weight"] for recipe in recipes]
    assert torch.equal(torch.get_rng_state(), state)
    RANKINGS.clear()
    torch.manual_seed(99)
    for recipe, mask in reversed(list(zip(recipes, first, strict=True))):
        assert torch.equal(compute_masks(subject, recipe)["1.weight"], mask)


def test_two_networks_of_one_name_do_not_share_rankings() -> None:
    first = masks_of(Recipe(), torch.tensor([1.0, 2.0]))
    second = masks_of(Recipe(), torch.tensor([2.0, 1.0]))
    assert [first["0.weight"].tolist(), second["0.weight"].tolist()] == [[False, True], [True, False]]


def test_many_threads_find_the_same_masks() -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(network_of(*torch.randn(3, 40, 50)))
    recipes = [Recipe(c, scope=s, amount=0.3, seed=5) for c in ("magnitude", "random") for s in ("layer", "global")]
    expected = [compute_masks(subject, recipe) for recipe in recipes]
    RANKINGS.clear()
    wrong: list[str] = []

    def work() -> None:
        for recipe, masks in zip(recipes, expected, strict=True):
            found = compute_masks(subject, recipe)
            wrong.extend(name for name in masks if not torch.equal(found[name], masks[name]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(("bad", "word"), [(torch.nan, "1 NaN"), (torch.inf, "1 infinite"), (-torch.inf, "1 infinite")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("granularity", ["element", "channel:dim=0,n=2", "channel:dim=0,n=inf"])
def test_weights_that_cannot_be_ranked(bad: float, word: str, dtype: torch.dtype, granularity: str) -> None:
    broken = torch.ones(3, 4, dtype=dtype)
    broken[1, 2] = bad
    with pytest.raises(ScoreError, match=rf"^1\.weight .*{word}.*; "):
        masks_of(Recipe(granularity=granularity), torch.ones(2, 2), broken)
    # Random scores look at no weight, and a frozen layer is not looked at
    assert masks_of(Recipe("random", granularity), torch.ones(2, 2), broken)
    assert masks_of(Recipe(granularity=granularity, frozen=("1.weight",)), torch.ones(2, 2), broken)


def test_a_norm_that_overflows_says_so() -> None:
    """1,000 ones to the power 0.5, summed and squared, are a million: more than float16 holds."""
    with pytest.raises(ScoreError, match="overflow"):
        masks_of(Recipe(granularity="channel:dim=0,n=0.5"), torch.ones(2, 1000).half())


def test_nothing_to_prune(ten_and_four: Subject) -> None:
    with pytest.raises(RecipeError, match="no layer is chosen"):
        compute_masks(ten_and_four, Recipe(targets=()))
    with pytest.raises(RecipeError, match="no layer is chosen"):
        compute_masks(ten_and_four, Recipe(frozen=("0.weight", "1.weight")))


@pytest.mark.parametrize("field", ["targets", "frozen", "amounts"])
def test_unknown_targets(ten_and_four: Subject, field: str) -> None:
    value = {"2.weight": 0.5} if field == "amounts" else ("2.weight",)
    with pytest.raises(TargetError, match=r"no parameter '2\.weight'; it has 0\.weight, 1\.weight$"):
        compute_masks(ten_and_four, Recipe(**{field: value}))


def test_a_target_that_has_no_channels() -> None:
    subject = Subject.from_module(nn.Linear(4, 3))
    assert list(compute_masks(subject, Recipe(granularity="channel", biases=True))) == ["weight"]
    with pytest.raises(RecipeError, match=r"bias cannot be pruned by channel:dim=0,n=2: .*one dim only"):
        compute_masks(subject, Recipe(granularity="channel", targets=("bias",)))
    with pytest.raises(RecipeError, match="no dim 2"):
        compute_masks(subject, Recipe(granularity="channel:dim=2", targets=("weight",)))
