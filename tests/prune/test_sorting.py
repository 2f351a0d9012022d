"""A large layer is sorted in parts: whatever the parts, the order is that of one stable sort."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruning_explorer import Recipe, Subject
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune import engine, patterns, ranking, sorting
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.criteria import weights
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.ranking import rank, rank_rows
from pruning_explorer.prune.sorting import IN_PARTS_FROM
from tests.prune.oracle import network_of

float32 = st.floats(0, width=32, allow_nan=False, allow_infinity=False)

ties = st.sampled_from([0.0, -0.0, 1e-45, 0.5, 1.0, 1.0000001, 2.0, 3.4e38]) | float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@given(values=st.lists(ties, min_size=1, max_size=60), data=st.data())
def test_in_parts_as_in_one_go(dtype: torch.dtype, values: list[float], data: st.DataObject) -> None:
    """However small the parts and the pieces, with ties longer than a part, and with some that never go."""
    scores = torch.tensor(values, dtype=torch.float64).clamp(max=60_000 if dtype == torch.float16 else 3e38).to(dtype)
    held = None
    if data.draw(st.booleans()):
        held = torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    whole = rank(scores, "w", held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "IN_PARTS_FROM", 1)
        patch.setattr(sorting, "PIECE", data.draw(st.sampled_from([1, 3, 7, 64])))
        patch.setattr(sorting, "PARTS", data.draw(st.sampled_from([1, 2, 5, 16])))
        parts = rank(scores, "w", held)
    assert parts.ranks.dtype == whole.ranks.dtype
    assert parts.ordered_bits.dtype == whole.ordered_bits.dtype
    assert parts.ranks.tolist() == whole.ranks.tolist()
    assert parts.ordered_bits.tolist() == whole.ordered_bits.tolist()
    assert parts.removable == whole.removable


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize(("shape", "row_dim"), [((7, 5), 0), ((7, 5), 1), ((3, 4, 2), 1), ((1, 9), 0)])
def test_rows_in_parts_as_in_one_go(shape: tuple[int, ...], row_dim: int, held: bool) -> None:
    torch.manual_seed(0)
    scores = torch.randint(0, 5, shape).float()
    protected = torch.rand(shape) < 0.3 if held else None
    whole = rank_rows(scores, "w", protected, (row_dim,))
    for parts in (1, 3, 16):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ranking, "IN_PARTS_FROM", 1)
            patch.setattr(sorting, "PARTS", parts)
            some = rank_rows(scores, "w", protected, (row_dim,))
        assert some.ranks.tolist() == whole.ranks.tolist()
        assert (some.removable, some.rows, some.scores.tolist()) == (whole.removable, whole.rows, whole.scores.tolist())


def test_bad_scores_of_a_large_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "IN_PARTS_FROM", 1)
    monkeypatch.setattr(sorting, "PIECE", 2)
    for make in (lambda scores: rank(scores, "w"), lambda scores: rank_rows(scores.view(2, 2), "w")):
        with pytest.raises(ScoreError, match=r"w has scores that cannot be ranked \(1 NaN, 1 negative of 4\)"):
            make(torch.tensor([1.0, 2.0, torch.nan, -1.0]))


def test_a_really_large_layer() -> None:
    """Beyond the size from which it is sorted in parts: the library's own order of a stable sort."""
    torch.manual_seed(0)
    scores = torch.randn(IN_PARTS_FROM + 1).abs().bfloat16()
    ranks = torch.from_numpy(rank(scores, "w").ranks).long()
    assert torch.equal(ranks.argsort(), scores.float().argsort(stable=True))


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("lamp"),
        Recipe("lamp", granularity="n_m:n=2,m=4"),
        Recipe(granularity="n_m:n=1,m=3"),
        Recipe(granularity="n_m:n=2,m=20", scope="row"),
    ],
    ids=lambda recipe: f"{recipe.criterion} {recipe.granularity} {recipe.scope}",
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_scored_piece_by_piece_is_scored_the_same(
    recipe: Recipe, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LAMP's sums of squares to the last bit, zeros and ties among them, and the best of every M."""
    torch.manual_seed(0)
    weight = torch.randn(30, 50)
    weight[:4], weight[4] = 0, 0.25
    subject = Subject.from_module(network_of(weight.to(dtype)))

    def ranked() -> ranking.Ranking:
        monkeypatch.setattr(engine, "RANKINGS", ByteBoundedCache(0))
        return rank_targets(subject, recipe).rankings[0]

    whole = ranked()
    for module in (weights, patterns, ranking):
        monkeypatch.setattr(module, "IN_PARTS_FROM", 1)
    for module in (weights, patterns, sorting):
        monkeypatch.setattr(module, "PIECE", 70)
    parts = ranked()
    assert np.array_equal(parts.ranks, whole.ranks)
    assert np.array_equal(parts.scores.view(np.uint32), whole.scores.view(np.uint32))
    assert parts.removable == whole.removable
