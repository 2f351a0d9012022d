"""Masks are checked where they are made, and do to a network what the library's own do."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Masks, Recipe, Subject, compute_masks
from pruning_explorer.errors import MaskError, TargetError


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(4, 3)
        self.body = nn.Linear(3, 3)
        self.head = nn.Linear(3, 4, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.body(self.embed(tokens)))


@pytest.fixture
def tied() -> Tied:
    torch.manual_seed(0)
    return Tied()


def checkerboard(*shape: int) -> Tensor:
    return (torch.arange(torch.Size(shape).numel()) % 2 == 0).view(shape)


def test_a_mapping_in_the_order_of_the_network(tied: Tied) -> None:
    masks = Masks.from_dict(
        Subject.from_module(tied), {"body.weight": checkerboard(3, 3), "embed.weight": checkerboard(4, 3)}
    )
    assert list(masks) == ["embed.weight", "body.weight"]
    assert len(masks) == 2
    assert "head.weight" not in masks
    assert (masks.kept("embed.weight"), masks.kept("body.weight")) == (6, 5)
    assert (dict(masks.requested), masks.requested_total, masks.recipe_id) == ({}, None, None)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.uint8, torch.int64, torch.bfloat16], ids=str)
def test_zeros_and_ones_of_any_dtype_are_understood(tied: Tied, dtype: torch.dtype) -> None:
    mask = Masks.from_dict(Subject.from_module(tied), {"body.weight": checkerboard(3, 3).to(dtype)})["body.weight"]
    assert mask.dtype == torch.bool
    assert mask.flatten().tolist() == [True, False] * 4 + [True]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.tensor([[0.5] * 3] * 3), "values other than 0 and 1"),
        (torch.full((3, 3), torch.nan), "values other than 0 and 1"),
        (torch.full((3, 3), -1), "values other than 0 and 1"),
        (torch.ones(9), r"shape \(9,\), the weight \(3, 3\)"),
        (torch.ones(3, 1, dtype=torch.bool), r"shape \(3, 1\), the weight \(3, 3\)"),
        (torch.tensor(1), r"shape \(\), the weight"),
        ([[1] * 3] * 3, "is no tensor but list; torch.as_tensor"),
    ],
)
def test_what_is_no_mask_of_this_weight(tied: Tied, mask: Tensor, message: str) -> None:
    with pytest.raises(MaskError, match=f"mask of body.weight .*{message}"):
        Masks.from_dict(Subject.from_module(tied), {"body.weight": mask})


def test_names_that_are_no_target(tied: Tied) -> None:
    with pytest.raises(TargetError, match=r"no parameter 'tail\.weight'"):
        Masks.from_dict(Subject.from_module(tied), {"tail.weight": checkerboard(3, 3)})


def test_masks_of_another_dtype_are_refused_where_nobody_converts_them(tied: Tied) -> None:
    target = Subject.from_module(tied).target("body.weight")
    with pytest.raises(MaskError, match=r"body\.weight is torch\.uint8; make it bool"):
        Masks((target,), {"body.weight": torch.ones(3, 3, dtype=torch.uint8)})


def test_a_tied_weight_has_one_mask_under_its_first_name(tied: Tied) -> None:
    subject, mask = Subject.from_module(tied), checkerboard(4, 3)
    assert list(Masks.from_dict(subject, {"head.weight": mask})) == ["embed.weight"]
    assert list(Masks.from_dict(subject, {"head.weight": mask, "embed.weight": mask.float()})) == ["embed.weight"]
    with pytest.raises(MaskError, match=r"head\.weight and embed\.weight are one tied tensor and have two masks"):
        Masks.from_dict(subject, {"embed.weight": mask, "head.weight": ~mask})


def test_apply_prunes_every_module_that_shares_a_weight(tied: Tied) -> None:
    """The library alone makes only the pruned view sparse: the head would go on with the dense weight."""
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5))
    dense = tied.embed.weight.detach().clone()
    pruned = copy.deepcopy(tied)
    masks.apply(pruned)
    assert torch.equal(pruned.embed.weight, torch.where(masks["embed.weight"], dense, 0.0))
    assert torch.equal(pruned.head.weight, pruned.embed.weight)
    assert torch.equal(pruned.body.weight, torch.where(masks["body.weight"], tied.body.weight, 0.0))
    assert prune.is_pruned(pruned.head)
    assert not prune.is_pruned(tied)
    assert torch.equal(tied.embed.weight, dense)


def test_applied_and_removed_the_zeros_stay(tied: Tied) -> None:
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5))
    pruned = copy.deepcopy(tied)
    masks.apply(pruned)
    tokens = torch.tensor([[0, 3, 1]])
    before = pruned(tokens)
    for module in (pruned.embed, pruned.body, pruned.head):
        prune.remove(module, "weight")
    assert torch.equal(pruned(tokens), before)
    assert not torch.equal(before, tied(tokens))
    assert pruned.head.weight is pruned.embed.weight
    assert (int((pruned.embed.weight != 0).sum()), int((pruned.body.weight != 0).sum())) == (6, 5)
