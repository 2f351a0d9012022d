"""The script a recipe writes, run for real, finds the recipe's own masks."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks, load_subject, write_script
from pruning_explorer.prune.own_scores import add
from pruning_explorer.prune.torch_names import torch_name


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
    "l1, the tied table too": Recipe(amount=0.37, embeddings=True),
    "global, the tied table too": Recipe(scope="global", amount=0.7, embeddings=True),
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
    "one total": Recipe(allocation="uniform", amount=0.37, biases=True),
    "one total, ERK, capped": Recipe(allocation="erk", amount=0.8, cap=0.9, amounts={"gru.weight_hh_l0": 0.2}),
    "one total of random weights": Recipe("random", allocation="erk", amount=0.8, seed=3),
    "one total of channels": Recipe(granularity="channel:n=1", allocation="erk", amount=0.6),
    "steps that change nothing": Recipe(schedule="cubic", amount=0.4),
    "2:4": Recipe(granularity="n_m", amount=0.4),
    "blocks": Recipe("random", "block:rows=2,cols=3", amount=0.4, seed=3),
    "rows": Recipe(scope="row", amount=0.4, frozen=("conv.weight",)),
    "another criterion": Recipe("fpgm", amount=0.4, targets=("conv.weight", "head.weight")),
    "nothing": Recipe(amount=0.0),
    "everything": Recipe(amount=1.0),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_script_makes_the_same_masks(subject: Subject, recipe: Recipe) -> None:
    model = copy.deepcopy(subject.model)
    exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model})
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


def test_torch_says_what_it_lacks() -> None:
    lacking = "prune.custom_from_mask on each layer; torch itself has no "
    assert torch_name(Recipe("wanda", scope="row")) == f"{lacking}criterion wanda and no scope row"
    assert torch_name(Recipe(granularity="block")) == f"{lacking}granularity block"
    assert torch_name(Recipe("wanda", schedule="cubic:steps=5")) == f"{lacking}criterion wanda and no schedule cubic"
    assert torch_name(Recipe(schedule="cubic")) == "prune.l1_unstructured"
    erk = Recipe(allocation="erk")
    assert torch_name(erk) == "prune.l1_unstructured on each layer; torch itself shares out no total among layers"


class Normed(nn.Sequential):
    """A convolution and a BatchNorm whose statistics are off."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))


def test_a_script_that_recalibrates() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(20, 2, 4, 4)
    subject = Subject.from_module(Normed(), calibration=inputs)
    recipe = Recipe(amount=0.5, recalibrate=True)
    model = copy.deepcopy(subject.model)
    exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model, "calibration": (inputs,)})
    seen = nn.functional.conv2d(inputs, model[0].weight, model[0].bias)
    torch.testing.assert_close(model[1].running_mean, seen.mean((0, 2, 3)))
    torch.testing.assert_close(model[1].running_var, seen.var((0, 2, 3), unbiased=True))
    assert not model[1].training
    assert model[1].momentum == 0.1
    assert int((model[0].weight_mask == 0).sum()) == 36
    assert compute_masks(subject, recipe).recalibrate


def test_a_script_that_needs_data() -> None:
    torch.manual_seed(0)
    inputs, labels = torch.randn(20, 2, 4, 4), torch.randint(3, (20,))
    subject = Subject.from_module(Normed(), calibration=inputs, calibration_labels=labels)
    for recipe in (
        Recipe("wanda", scope="row"),
        Recipe("gradient", schedule="linear:steps=3", scope="global", recalibrate=True),
    ):
        model = copy.deepcopy(subject.model)
        given = {"model": model, "calibration": (inputs,), "calibration_labels": labels}
        exec(compile(write_script(subject, recipe), "script", "exec"), given)
        for name, mask in compute_masks(subject, recipe).items():
            assert torch.equal(model.get_buffer(f"{name}_mask").bool(), mask)


def test_a_script_for_a_sample_runs_as_it_stands() -> None:
    subject = load_subject("digits-cnn")
    recipe = Recipe("wanda", "n_m", "row", amount=0.4, recalibrate=True)
    names: dict[str, object] = {}
    exec(compile(write_script(subject, recipe), "script", "exec"), names)
    masks = compute_masks(subject, recipe)
    assert masks
    for name, mask in masks.items():
        assert torch.equal(names["model"].get_buffer(f"{name}_mask").bool(), mask)  # type: ignore[attr-defined]


def test_a_script_with_scores_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(nn.Linear(6, 5))
    scores = {"weight": torch.rand(5, 6)}
    save_file(scores, tmp_path / "scores.safetensors")
    recipe = Recipe(f"scores:file={add(scores)}", amount=0.5)
    monkeypatch.chdir(tmp_path)
    model = copy.deepcopy(subject.model)
    exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model})
    assert torch.equal(model.weight_mask.bool(), compute_masks(subject, recipe)["weight"])


def test_script_is_short(subject: Subject) -> None:
    """One line for each layer and few besides; a dozen more where a layer is read and not called."""
    for each, besides in ((load_subject("digits-cnn"), 14), (subject, 29)):
        assert len(write_script(each, Recipe()).splitlines()) <= len(Recipe().chosen(each)) + besides


def test_joint_draws_over_mixed_dtypes() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4).bfloat16())
    subject = Subject.from_module(model)
    recipe = Recipe("random", scope="global", amount=0.5, cap=0.5, seed=3)
    exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model})
    masks = compute_masks(subject, recipe)
    for name in masks:
        assert torch.equal(model.get_buffer(f"{name}_mask").bool(), masks[name]), name
