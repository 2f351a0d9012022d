"""Experts of a mixture in one parameter are as many matrices: what is cut is what would be cut in each by itself."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import RecipeError
from pruning_explorer.measure.sparsity import sparsity_totals

EXPERTS, INPUTS, HIDDEN = 3, 8, 4


class GatedExperts(nn.Module):
    """``[E, out, in]``, or ``[E, in, out]`` if asked; every token goes to every expert."""

    def __init__(self, inputs_first: bool) -> None:
        super().__init__()
        up, down = (EXPERTS, 2 * HIDDEN, INPUTS), (EXPERTS, INPUTS, HIDDEN)
        turned = (lambda e, a, b: (e, b, a)) if inputs_first else (lambda *shape: shape)
        self.inputs_first = inputs_first
        self.gate_up_proj = nn.Parameter(torch.randn(turned(*up)))
        self.gate_up_proj_bias = nn.Parameter(torch.randn(EXPERTS, 2 * HIDDEN))
        self.down_proj = nn.Parameter(torch.randn(turned(*down)))

    def matrices(self, name: str) -> Tensor:
        """``[E, out, in]``"""
        tensor: Tensor = getattr(self, name)
        return tensor.transpose(1, 2) if self.inputs_first else tensor

    def forward(self, tokens: Tensor) -> Tensor:
        out = torch.zeros_like(tokens)
        for up, bias, down in zip(
            self.matrices("gate_up_proj"), self.gate_up_proj_bias, self.matrices("down_proj"), strict=True
        ):
            gate, linear = functional.linear(tokens, up, bias).chunk(2, -1)
            out = out + functional.linear(functional.silu(gate) * linear, down)
        return out


@pytest.fixture(params=[False, True], ids=["outputs first", "inputs first"])
def layer(request: pytest.FixtureRequest) -> GatedExperts:
    torch.manual_seed(0)
    return GatedExperts(request.param)


def as_layers(layer: GatedExperts) -> nn.Module:
    """The same experts, each a Linear of its own."""
    apart = nn.ModuleDict()
    for name in ("gate_up_proj", "down_proj"):
        for index, matrix in enumerate(layer.matrices(name)):
            linear = nn.Linear(*matrix.shape[::-1], bias=False)
            linear.weight = nn.Parameter(matrix.detach().clone().contiguous())
            apart[f"{name}{index}"] = linear
    return apart


def test_they_are_offered_with_their_dims(layer: GatedExperts) -> None:
    subject = Subject.from_module(layer)
    out = 2 if layer.inputs_first else 1
    known = {t.name: (t.role, t.out_dim, t.in_dim, t.experts, t.channels) for t in subject.targets}
    assert known == {
        "gate_up_proj": ("weight", out, 3 - out, EXPERTS, EXPERTS * 2 * HIDDEN),
        "down_proj": ("weight", out, 3 - out, EXPERTS, EXPERTS * INPUTS),
        "gate_up_proj_bias": ("bias", 0, 1, 0, EXPERTS),
    }
    assert not subject.refused


GLOBAL = {
    "weights": Recipe(scope="global", amount=0.6),
    "2:4": Recipe(granularity="n_m", scope="global", amount=0.5),
    "rows": Recipe(scope="row", amount=0.5),
    "rows, 2:4": Recipe(granularity="n_m", scope="row", amount=0.5),
    "channels": Recipe(granularity="channel:dim=0", scope="global", amount=0.5),
    "inputs": Recipe(granularity="channel:dim=1", scope="global", amount=0.5),
    "blocks": Recipe(granularity="block:rows=2,cols=2", scope="global", amount=0.5),
    "medians, step by step": Recipe("fpgm", "channel", "global", amount=0.5, schedule="linear:steps=3"),
}


@pytest.mark.parametrize("recipe", GLOBAL.values(), ids=GLOBAL.keys())
def test_each_matrix_loses_what_it_would_lose_as_a_layer(layer: GatedExperts, recipe: Recipe) -> None:
    """In one ranking, so that the same weights compete; of ``[E, in, out]`` dim 0 is the input, as everywhere."""
    granularity = str(recipe.granularity)
    if layer.inputs_first and granularity.startswith("block"):
        with pytest.raises(RecipeError, match="its outputs lie along dim 1"):
            compute_masks(Subject.from_module(layer), recipe)
        return
    fused = compute_masks(Subject.from_module(layer), recipe)
    if layer.inputs_first and granularity.startswith("channel"):
        turned = {"channel:dim=0": "channel:dim=1", "channel:dim=1": "channel:dim=0", "channel": "channel:dim=1"}
        content = recipe.to_dict(defaults=False)
        recipe = Recipe.from_dict({**content, "granularity": turned[recipe.granularity.text(defaults=False)]})
    apart = compute_masks(Subject.from_module(as_layers(layer)), recipe)
    for name in ("gate_up_proj", "down_proj"):
        mask = fused[name].transpose(1, 2) if layer.inputs_first else fused[name]
        for index in range(EXPERTS):
            assert torch.equal(mask[index], apart[f"{name}{index}.weight"]), (name, index)


def test_dead_channels_are_counted_in_each_expert(layer: GatedExperts) -> None:
    """By hand: half of 3 x 8 output channels of either."""
    dim = 1 if layer.inputs_first else 0
    masks = compute_masks(Subject.from_module(layer), Recipe(granularity=f"channel:dim={dim}", amount=0.5))
    assert sparsity_totals(Subject.from_module(layer), masks)["dead_channels"] == 12 + 12


@pytest.mark.parametrize("criterion", ["random", "lamp", "fpgm", "largest", "gradient", "synflow", "wanda"])
def test_every_kind_of_criterion_judges_or_refuses_them(layer: GatedExperts, criterion: str) -> None:
    tokens, labels = torch.randn(4, INPUTS), torch.zeros(4, dtype=torch.int64)
    network = nn.Sequential(layer, nn.Linear(INPUTS, INPUTS))
    subject = Subject.from_module(network, tokens, calibration=tokens, calibration_labels=labels)
    for granularity in ("element", "channel:dim=0", "channel:dim=1"):
        recipe = Recipe(criterion, granularity, amount=0.5)
        masks = compute_masks(subject, recipe)
        assert ("0.down_proj" in masks) == (criterion != "wanda")
        if "0.down_proj" in masks:
            assert masks.kept("0.down_proj") == EXPERTS * INPUTS * HIDDEN // 2
    if criterion == "wanda":
        with pytest.raises(RecipeError, match="each expert sees other inputs"):
            compute_masks(subject, Recipe(criterion, targets=("0.down_proj",)))
