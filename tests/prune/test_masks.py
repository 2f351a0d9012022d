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
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5, embeddings=True))
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
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5, embeddings=True))
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


def misfit(change: str) -> nn.Module:
    """The network of ``tied``, changed so that masks made for it do not fit."""
    torch.manual_seed(0)
    network = Tied()
    if change == "another shape":
        network.body = nn.Linear(5, 3)
    elif change == "no module":
        del network.body
    elif change == "no parameter":
        network.body = nn.Identity()
    elif change == "not initialised":
        network.body = nn.LazyLinear(3)
    elif change == "computed":
        nn.utils.parametrizations.weight_norm(network.body)
    elif change == "pruned":
        prune.l1_unstructured(network.body, "weight", 0.3)
    elif change == "pruned under the second name":
        prune.l1_unstructured(network.head, "weight", 0.3)
    return network


@pytest.mark.parametrize(
    ("change", "said"),
    {
        "another shape": r"body\.weight has shape \(3, 5\), its mask \(3, 3\)",
        "no module": r"it has no module body, so no body\.weight",
        "no parameter": r"its body has no weight",
        "not initialised": r"body\.weight is not initialised yet",
        "computed": r"body\.weight is computed from other tensors",
        "pruned": r"body\.weight is already pruned by torch\.nn\.utils\.prune; call prune\.remove first",
        "pruned under the second name": r"head\.weight is already pruned by .* call prune\.remove first",
    }.items(),
)
def test_a_network_that_does_not_fit_stays_as_it_was(tied: Tied, change: str, said: str) -> None:
    """The first target would fit, and is not pruned either."""
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5, embeddings=True))
    network = misfit(change)
    before = {name: (id(each), None if nn.parameter.is_lazy(each) else each.clone()) for name, each in state(network)}
    with pytest.raises(MaskError, match=rf"^the masks do not fit this network, and it stays as it was: {said}"):
        masks.apply(network)
    assert [name for name, _ in state(network)] == list(before)
    for name, each in state(network):
        assert id(each) == before[name][0]
        assert before[name][1] is None or torch.equal(each, before[name][1])
    assert prune.is_pruned(network) == change.startswith("pruned")


def state(network: nn.Module) -> list[tuple[str, Tensor]]:
    return [*network.named_parameters(remove_duplicate=False), *network.named_buffers()]


def test_all_that_does_not_fit_is_counted(tied: Tied) -> None:
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5, embeddings=True, biases=True))
    with pytest.raises(MaskError, match=r"embed\.weight; it has no module head, so no head\.weight; .*; and 1 more$"):
        masks.apply(nn.Module())


def test_a_network_on_another_device(tied: Tied) -> None:
    """The masks follow the weights: what torch makes of both lies on one device."""
    masks = compute_masks(Subject.from_module(tied), Recipe(amount=0.5, embeddings=True))
    with torch.device("meta"):
        elsewhere = Tied()
    masks.apply(elsewhere)
    assert elsewhere.body.weight_mask.is_meta


def test_an_already_pruned_network_is_told_so(tied: Tied) -> None:
    prune.l1_unstructured(tied.body, "weight", 0.5)
    with pytest.raises(
        TargetError, match=r"^body\.weight cannot be pruned: already pruned .*; call prune\.remove first"
    ):
        Masks.from_dict(Subject.from_module(tied), {"body.weight": checkerboard(3, 3)})
