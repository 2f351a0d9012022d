import copy
import math
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, prune

from pruning_explorer.measure.sparsity import layer_sparsity, sparsity_totals
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import StoredLayer

Make = Callable[..., Subject]


def test_rows_by_hand(make: Make) -> None:
    subject = make(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)))
    first = torch.ones(4, 5, dtype=torch.bool)
    first[1], first[3], first[0, :2] = False, False, False
    masks = Masks.from_dict(subject, {"0.weight": first, "0.bias": torch.tensor([1, 1, 0, 0])})
    frame = layer_sparsity(subject, masks)
    assert list(frame.columns) == [
        "target",
        "layer_type",
        "role",
        "shape",
        "weights",
        "kept",
        "removed",
        "requested",
        "achieved",
        "channels",
        "dead_channels",
    ]
    weight, bias = frame.to_dict("records")
    assert math.isnan(weight.pop("requested"))
    assert weight == {
        "target": "0.weight",
        "layer_type": "Linear",
        "role": "weight",
        "shape": "4x5",
        "weights": 20,
        "kept": 8,
        "removed": 12,
        "achieved": 0.6,
        "channels": 4,
        "dead_channels": 2,
    }
    assert (bias["shape"], bias["role"], bias["channels"], bias["dead_channels"]) == ("4", "bias", 0, 0)
    assert sparsity_totals(subject, masks) == {
        "targets": 2,
        "weights": 24,
        "kept": 10,
        "removed": 14,
        "requested": None,
        "achieved": 14 / 24,
        "achieved_of_weights": 12 / 32,
        "achieved_of_all": 14 / 39,
        "parameters": 39,
        "nonzero_parameters": 25,
        "nonzero_parameters_dense": 39,
        "dead_channels": 2,
    }


def test_requested_is_not_achieved(make: Make) -> None:
    # 20 x 0.37 = 7.4 and 12 x 0.37 = 4.44: 7 and 4 go
    subject = make(lambda: nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)))
    by_layer = layer_sparsity(subject, masks := compute_masks(subject, Recipe(amount=0.37)))
    assert by_layer["requested"].tolist() == [0.37, 0.37]
    assert by_layer["achieved"].tolist() == [7 / 20, 4 / 12]
    totals = sparsity_totals(subject, masks)
    assert (totals["requested"], totals["achieved"]) == (pytest.approx(0.37), 11 / 32)
    jointly = layer_sparsity(subject, masks := compute_masks(subject, Recipe(amount=0.37, scope="global")))
    assert jointly["requested"].isna().all()
    assert sparsity_totals(subject, masks)["requested"] == pytest.approx(0.37)
    assert jointly["removed"].sum() == 12


def test_channels_of_a_transposed_convolution_are_its_second_dim(make: Make) -> None:
    subject = make(lambda: nn.ConvTranspose1d(3, 2, 4))
    mask = torch.ones(3, 2, 4, dtype=torch.bool)
    mask[:, 1] = False
    row = layer_sparsity(subject, Masks.from_dict(subject, {"weight": mask})).iloc[0]
    assert (row["shape"], row["channels"], row["dead_channels"], row["removed"]) == ("3x2x4", 2, 1, 12)
    # As many weights gone, but no output channel whole
    mask = torch.ones(3, 2, 4, dtype=torch.bool)
    mask[:2, :, :3] = False
    row = layer_sparsity(subject, Masks.from_dict(subject, {"weight": mask})).iloc[0]
    assert (row["removed"], row["dead_channels"]) == (12, 0)


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_structured_pruning_kills_as_many_channels_as_it_removes(everything: Subject, amount: float) -> None:
    frame = layer_sparsity(everything, compute_masks(everything, Recipe(amount=amount, granularity="channel")))
    assert frame["dead_channels"].tolist() == [round(amount * channels) for channels in frame["channels"]]


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_nonzero_parameters_are_those_of_a_pruned_copy(make: Make, scope: str) -> None:
    def build() -> nn.Module:
        model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 4))
        with torch.no_grad():
            model[0].weight[0] = 0  # zeros that pruning takes first, and that were no parameters worth counting before
            model[2].bias.zero_()
        return model

    subject = make(build)
    masks = compute_masks(subject, Recipe(amount=0.3, scope=scope, biases=True))
    written = copy.deepcopy(subject.model)
    masks.apply(written)
    for target in masks.targets:
        path, _, leaf = target.name.rpartition(".")
        prune.remove(written.get_submodule(path), leaf)
    flat = parameters_to_vector(written.parameters())
    totals = sparsity_totals(subject, masks)
    assert totals["nonzero_parameters"] == int(flat.count_nonzero())
    assert totals["parameters"] == flat.numel() == 30 + 5 + 10 + 20 + 4


def test_tied_weights_count_once(make: Make) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.head.weight = self.embedding.weight

    subject = make(Tied)
    totals = sparsity_totals(subject, compute_masks(subject, Recipe(amount=0.5, embeddings=True)))
    assert (totals["parameters"], totals["removed"], totals["nonzero_parameters"]) == (28, 14, 14)


def test_an_embedding_counts_among_the_weights_pruned_or_not(make: Make) -> None:
    """Of 28 + 12 weights; a bias is none."""
    subject = make(lambda: nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 3)))
    without, among = (
        sparsity_totals(subject, compute_masks(subject, Recipe(amount=0.5, embeddings=embeddings, biases=True)))
        for embeddings in (False, True)
    )
    assert without["achieved_of_weights"] == 6 / 40
    assert among["achieved_of_weights"] == 20 / 40


def test_no_masks_at_all(make: Make) -> None:
    subject = make(lambda: nn.Linear(2, 2))
    masks = Masks.from_dict(subject, {})
    assert len(layer_sparsity(subject, masks)) == 0
    assert "achieved" in layer_sparsity(subject, masks)
    totals = sparsity_totals(subject, masks)
    assert totals["achieved"] is None
    assert totals["nonzero_parameters"] == 6


def odd_layers() -> dict[str, nn.Module]:
    """Layers that are not offered, each with what its zeros are counted by."""
    float8 = nn.Linear(4, 4)
    float8.weight = nn.Parameter(torch.eye(4).to(torch.float8_e4m3fn), requires_grad=False)
    quantised = nn.Linear(4, 4)
    with warnings.catch_warnings(action="ignore"):  # torch will let go of these dtypes; files still hold them
        values = torch.quantize_per_tensor(torch.eye(4), 0.1, 0, torch.qint8)
    quantised.weight = nn.Parameter(values, requires_grad=False)
    packed = nn.Linear(4, 4)
    packed.weight = nn.Parameter(torch.eye(4).to(torch.uint8), requires_grad=False)
    return {"float8": float8, "quantised": quantised, "packed": packed}


@pytest.mark.parametrize("layer", odd_layers().values(), ids=odd_layers().keys())
def test_zeros_of_every_dtype_are_counted(layer: nn.Module) -> None:
    """An identity has 4 of its 16; the bias and the other layer's 6 have none."""
    with torch.no_grad():
        layer.get_parameter("bias").fill_(1)
    other = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        other.weight.fill_(1)
    subject = Subject.from_module(nn.ModuleList([layer, other]))
    totals = sparsity_totals(subject, compute_masks(subject, Recipe(amount=0.5)))
    assert (totals["parameters"], totals["nonzero_parameters_dense"], totals["nonzero_parameters"]) == (26, 14, 11)


def test_what_has_no_values_is_not_counted() -> None:
    subject = Subject.from_module(nn.ModuleList([nn.Linear(4, 4, device="meta"), nn.Linear(2, 2, bias=False)]))
    totals = sparsity_totals(subject, compute_masks(subject, Recipe(amount=0.5)))
    assert (totals["parameters"], totals["nonzero_parameters_dense"], totals["nonzero_parameters"]) == (24, None, None)
    assert (totals["removed"], totals["achieved"]) == (2, 0.5)


def test_of_stored_weights_only_the_chosen_layer_is_read() -> None:
    """The other one cannot be: it has no values at all, and nothing fails."""
    stored = StoredLayer("Linear")
    stored.weight = nn.Parameter(torch.tensor([[0.0, 1.0], [2.0, 3.0]]), requires_grad=False)
    never_read = StoredLayer("Embedding")
    never_read.weight = nn.Parameter(torch.empty(1 << 20, 1 << 20, device="meta"), requires_grad=False)
    subject = Subject.from_module(nn.ModuleList([stored, never_read]), runnable=False, identity=b"two layers")
    masks = compute_masks(subject, Recipe(amount=0.5, targets=("0.weight",)))
    totals = sparsity_totals(subject, masks)
    assert (totals["parameters"], totals["nonzero_parameters"], totals["removed"]) == (4 + (1 << 40), None, 2)
    assert layer_sparsity(subject, masks)["kept"].tolist() == [2]


@pytest.mark.parametrize("zeros", [0, 3, 40, 100])
@pytest.mark.parametrize("amount", [0.0, 0.02, 0.5, 1.0])
def test_zeros_that_go_are_no_loss(zeros: int, amount: float) -> None:
    """Few zeros are remembered by their places, many are looked for again; the count is the same."""
    weight = torch.randperm(200).float().add_(1).view(10, 20)
    weight.view(-1)[torch.randperm(200)[:zeros]] = 0
    layer = nn.Linear(20, 10, bias=False)
    layer.weight = nn.Parameter(weight)
    subject = Subject.from_module(layer)
    masks = compute_masks(subject, Recipe("random", amount=amount))
    assert sparsity_totals(subject, masks)["nonzero_parameters"] == int((weight * masks["weight"]).count_nonzero())


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (4, 2, 3, 3)])
@pytest.mark.parametrize("transposed", [False, True])
def test_dead_channels_along_either_dim(shape: tuple[int, ...], transposed: bool) -> None:
    layer = nn.ConvTranspose2d(1, 1, 1) if transposed else nn.Conv2d(1, 1, 1)
    layer.weight = nn.Parameter(torch.randn(shape))
    subject = Subject.from_module(layer)
    mask = torch.ones(shape, dtype=torch.bool)
    mask.select(1 if transposed else 0, 1)[:] = False
    mask[0].view(-1)[0] = False
    masks = Masks.from_dict(subject, {"weight": mask})
    assert layer_sparsity(subject, masks)["dead_channels"].tolist() == [1]


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transposed", [False, True])
def test_dead_channels_are_the_outputs_that_are_constant(dims: int, groups: int, transposed: bool) -> None:
    kinds = {1: (nn.Conv1d, nn.ConvTranspose1d), 2: (nn.Conv2d, nn.ConvTranspose2d), 3: (nn.Conv3d, nn.ConvTranspose3d)}
    torch.manual_seed(0)
    layer = kinds[dims][transposed](4, 8, 2, groups=groups)
    images = torch.randn(5, 4, *[3] * dims)
    subject = Subject.from_module(layer, images)
    # Whatever the outputs 0, 1, 4 and 5 are made of
    lit = torch.zeros(8, *[1] * dims)
    lit[[0, 1, 4, 5]] = 1
    weight = layer.weight.detach().clone().requires_grad_()
    made = torch.func.functional_call(layer, {"weight": weight}, images)
    (gradient,) = torch.autograd.grad((made * lit).sum(), weight)
    masks = Masks.from_dict(subject, {"weight": gradient == 0})
    row = layer_sparsity(subject, masks).iloc[0]
    assert (row["channels"], row["dead_channels"]) == (8, 4)
    pruned = torch.func.functional_call(layer, {"weight": weight * masks["weight"]}, images)
    constant = (pruned == pruned.transpose(0, 1).flatten(1)[:, 0].view(1, 8, *[1] * dims)).transpose(0, 1).flatten(1)
    assert constant.all(dim=1).tolist() == [True, True, False, False, True, True, False, False]
    assert masks.empty_channels(subject.target("weight")).tolist() == constant.all(dim=1).tolist()


def test_dead_channels_of_gpt2s_linear_are_its_columns() -> None:
    from transformers.pytorch_utils import Conv1D

    subject = Subject.from_module(nn.Sequential(Conv1D(3, 5)))
    mask = torch.ones(5, 3, dtype=torch.bool)
    mask[:, 1] = False
    row = layer_sparsity(subject, Masks.from_dict(subject, {"0.weight": mask})).iloc[0]
    assert (row["channels"], row["dead_channels"]) == (3, 1)


def test_dead_channels_of_recurrent_layers_are_rows_of_gates() -> None:
    subject = Subject.from_module(nn.LSTM(3, 4))
    mask = torch.ones(16, 3, dtype=torch.bool)
    mask[[2, 9]] = False
    row = layer_sparsity(subject, Masks.from_dict(subject, {"weight_ih_l0": mask})).iloc[0]
    assert (row["channels"], row["dead_channels"]) == (16, 2)
