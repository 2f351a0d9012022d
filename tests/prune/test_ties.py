"""How many equal scores meet at a cut, counted by hand and held against what torch itself then chooses."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, compute_masks, write_script
from pruning_explorer.prune.ranking import rank
from pruning_explorer.prune.ties import Ties, ties_at_cut
from tests.prune.oracle import network_of

REMARK = re.compile(
    r"^# ([\d,]+) (weights|channels) of equal score meet at the cut, and ([\d,]+) of them goe?s?: ", re.M
)


def remark(recipe: Recipe, *several: Tensor) -> tuple[int, str, int] | None:
    found = REMARK.findall(write_script(Subject.from_module(network_of(*several)), recipe))
    if not found:
        return None
    ((meeting, unit, removed),) = found
    return int(meeting.replace(",", "")), unit, int(removed.replace(",", ""))


def test_by_hand() -> None:
    """Seven of magnitude 1, 1, 1, 2, 2, 3, 3: the third cut parts nothing, the fourth parts the twos."""
    weight = torch.tensor([1.0, -2.0, 3.0, -1.0, 2.0, 1.0, -3.0])
    ranking = [rank(weight.abs(), "weight")]
    expected = [(0, 0), (3, 1), (3, 2), (0, 0), (2, 1), (0, 0), (2, 1), (0, 0)]
    assert [ties_at_cut(ranking, [removed]) for removed in range(8)] == [Ties(*each) for each in expected]


def test_of_all_layers_together_by_hand() -> None:
    """Five of eight go: 1, 1, 1 and two of the three twos, which lie in both layers."""
    one, other = torch.tensor([1.0, 2.0, 2.0, 5.0]), torch.tensor([1.0, 1.0, 2.0, 7.0])
    assert remark(Recipe(scope="global", amount=5 / 8), one, other) == (3, "weights", 2)
    assert remark(Recipe(scope="global", amount=3 / 8), one, other) is None
    # Each by itself, to a half: (1, 2 | 2, 5) has a tie, (1, 1 | 2, 7) has none
    assert remark(Recipe(amount=0.5), one, other) == (2, "weights", 1)
    # Three of four: (1, 2, 2 | 5) and (1, 1, 2 | 7)
    assert remark(Recipe(amount=0.75), one, other) is None


def test_channels_by_hand() -> None:
    weight = torch.tensor([[3.0, 4.0], [5.0, 0.0], [0.0, 1.0], [-4.0, -3.0]])
    assert remark(Recipe(granularity="channel:dim=0,n=2", amount=0.5), weight) == (3, "channels", 1)
    assert remark(Recipe(granularity="channel:dim=0,n=1", amount=0.5), weight) is None  # 7, 5, 1, 7
    assert remark(Recipe(granularity="channel:dim=0,n=1", amount=0.75), weight) == (2, "channels", 1)


def test_nothing_to_say_where_our_own_masks_are_put_on() -> None:
    weight = torch.ones(4, 4)
    assert remark(Recipe(amount=0.5), weight) == (16, "weights", 8)
    for recipe in (Recipe(granularity="n_m", amount=0.3), Recipe(scope="row", amount=0.5), Recipe("fpgm", amount=0.5)):
        assert remark(recipe, weight) is None


FORMS = {
    "each layer": Recipe(),
    "together": Recipe(scope="global"),
    "together, capped": Recipe(scope="global", cap=0.6),
    "one total": Recipe(allocation="erk"),
    "random": Recipe("random", seed=3),
    "random, together": Recipe("random", scope="global", seed=3),
    "channels": Recipe(granularity="channel:dim=1,n=1"),
    "channels, together": Recipe(granularity="channel", scope="global"),
    "random channels": Recipe("random", "channel"),
}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*FORMS]),
    st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
    st.floats(0, 1),
    st.integers(0, 99),
    st.integers(1, 40),
)
def test_torch_differs_by_no_more_than_the_script_says(
    form: str, dtype: torch.dtype, amount: float, seed: int, values: int
) -> None:
    """Of weights of few values: the masks of the script differ from ours in as many as meet and no more; without a
    word, in none.
    """
    generator = torch.Generator().manual_seed(seed)
    several = [torch.randint(-values, values + 1, (6, each), generator=generator).to(dtype) for each in (5, 12)]
    recipe = Recipe(**{**FORMS[form].to_dict(defaults=False), "amount": amount})
    said, masks = remark(recipe, *several), compute_masks(Subject.from_module(network_of(*several)), recipe)
    network = network_of(*several)
    exec(compile(write_script(Subject.from_module(network_of(*several)), recipe), "script", "exec"), {"model": network})
    differ = 0
    for name, mask in masks.items():
        differing = mask != network.get_buffer(f"{name}_mask").bool()
        dim = 1 if recipe.granularity.values.get("dim") else 0
        differ += int(differing.any(dim=1 - dim).sum() if recipe.granularity.name != "element" else differing.sum())
    meeting, _, removed = said or (0, "", 0)
    assert 0 <= removed <= meeting
    # What goes here and stays there, and the other way round
    assert differ <= 2 * min(removed, meeting - removed)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_has_ties_as_a_rule(dtype: torch.dtype) -> None:
    """As many as have the magnitude of the last that goes; torch's own choice is another one, and equally many."""
    torch.manual_seed(1)
    model = nn.Linear(400, 300, bias=False).to(dtype)
    nn.init.normal_(model.weight)
    subject, recipe = Subject.from_module(model), Recipe(amount=0.5)
    size = model.weight.detach().abs().float().flatten()
    last = size.sort().values[59_999]
    meeting, removed = int((size == last).sum()), 60_000 - int((size < last).sum())
    assert f"# {meeting:,} weights of equal score meet at the cut, and {removed:,} of them go" in write_script(
        subject, recipe
    )
    ours = compute_masks(subject, recipe)["weight"]
    theirs = prune.l1_unstructured(subject.copy_model(), "weight", 0.5).weight_mask.bool()
    differing = ours != theirs
    assert int(ours.sum()) == int(theirs.sum())
    assert bool((size.view_as(ours)[differing] == last).all())
    assert 0 < int(differing.sum()) <= 2 * min(removed, meeting - removed)
