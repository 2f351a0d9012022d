"""The script a recipe writes, run for real, finds the recipe's own masks."""

import copy

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.prune.code import torch_name


class Tied(nn.Module):
    """An embedding tied to the output layer, and the layer types whose parameters are named otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.conv = nn.Conv1d(8, 6, 3)
        self.project = nn.Linear(6, 8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embedding.weight


@pytest.fixture(scope="module")
def subject() -> Subject:
    torch.manual_seed(3)
    model = Tied()
    nn.init.normal_(model.attention.in_proj_bias)  # zero by default: ties, where the library's choice is its own
    nn.init.normal_(model.attention.out_proj.bias)
    return Subject.from_module(model, name="tied")


RECIPES = {
    "l1": Recipe(amount=0.37),
    "l1, own amounts": Recipe(amounts={"conv.weight": 0.9, "head.weight": 0.1}),
    "l1, capped": Recipe(amount=0.8, cap=0.55, amounts={"gru.weight_hh_l0": 0.2}),
    "l1, biases, one layer frozen": Recipe(biases=True, frozen=("conv.weight",)),
    "random": Recipe("random", amount=0.3, seed=4),
    "random, small layers lose none": Recipe("random", amount=0.004, biases=True),
    "channels": Recipe(granularity="channel:dim=0,n=1", amount=0.4),
    "channels, inf": Recipe(granularity="channel:dim=1,n=inf", amount=0.4),
    "random channels": Recipe("random", "channel:dim=1", amount=0.3, seed=8),
    "global": Recipe(scope="global", amount=0.71),
    "global, capped": Recipe(scope="global", amount=0.8, cap=0.81),
    "global, one alone": Recipe(scope="global", amount=0.6, amounts={"conv.weight": 0.9}),
    "global random": Recipe("random", scope="global", amount=0.6, seed=5),
    "global random, capped": Recipe("random", scope="global", amount=0.6, cap=0.6, seed=5),
    "global channels": Recipe(granularity="channel", scope="global", amount=0.5),
    "global random channels": Recipe("random", "channel", "global", amount=0.5, seed=2),
    "nothing": Recipe(amount=0.0),
    "everything": Recipe(amount=1.0),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_script_makes_the_same_masks(subject: Subject, recipe: Recipe) -> None:
    model = copy.deepcopy(subject.model)
    exec(compile(recipe.to_code(subject), "script", "exec"), {"model": model})
    masks = compute_masks(subject, recipe)
    for target in masks.targets:
        for name in (target.name, *target.aliases):
            assert torch.equal(model.get_buffer(f"{name}_mask").bool(), masks[target.name]), name


def test_torch_names() -> None:
    assert torch_name(Recipe()) == "prune.l1_unstructured"
    assert torch_name(Recipe("random")) == "prune.random_unstructured"
    assert torch_name(Recipe("random", "channel:dim=1")) == "prune.random_structured(dim=1)"
    assert torch_name(Recipe(granularity="channel:n=-inf")) == 'prune.ln_structured(n=float("-inf"), dim=0)'
    assert torch_name(Recipe(scope="global")) == "prune.global_unstructured(pruning_method=prune.L1Unstructured)"


def test_script_is_short(subject: Subject) -> None:
    """One line for each layer and few besides."""
    assert len(Recipe().to_code(subject).splitlines()) <= len(Recipe().chosen(subject)) + 16


def test_joint_draws_over_mixed_dtypes() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4).bfloat16())
    subject = Subject.from_module(model)
    recipe = Recipe("random", scope="global", amount=0.5, cap=0.5, seed=3)
    exec(compile(recipe.to_code(subject), "script", "exec"), {"model": model})
    masks = compute_masks(subject, recipe)
    for name in masks:
        assert torch.equal(model.get_buffer(f"{name}_mask").bool(), masks[name]), name
