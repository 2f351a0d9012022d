"""Experts of a mixture that lie in one parameter, and granularities that take each of their matrices by itself."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer.prune.grouping import Granularity, Shape
from pruning_explorer.prune.targets import INPUTS_FIRST, NORMS, PRUNABLE, Target, is_lazy, layer_class, layer_type


class EachExpert(Granularity):
    """Groups of a granularity, in each expert of ``[E, ...]`` as in a matrix by itself.

    Args:
        each: groups of one matrix.
    """

    def __init__(self, each: Granularity) -> None:
        self.each = each
        self.unit = each.unit
        self.even = each.even

    @property
    def channel_dim(self) -> int | None:
        dim = self.each.channel_dim
        return None if dim is None else 1 + dim % 2

    def refuse(self, target: Target) -> str | None:
        return self.each.refuse(target.of_one)

    def group_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.each.group_shape(shape[1:]))

    def group_scores(self, scores: Tensor) -> Tensor:
        return torch.stack([self.each.group_scores(matrix) for matrix in scores])

    def expand(self, groups: Tensor, shape: Shape) -> Tensor:
        of_each = groups.view(self.group_shape(shape))
        return torch.stack([self.each.expand(matrix, shape[1:]) for matrix in of_each])

    def method(self, amount: float | int) -> prune.BasePruningMethod:
        return _EachExpertMethod(self, amount)


class _EachExpertMethod(prune.BasePruningMethod):
    """All groups of all experts compete in one ranking."""

    PRUNING_TYPE = "global"

    def __init__(self, granularity: EachExpert, amount: float | int) -> None:
        prune._validate_pruning_amount_init(amount)
        self.granularity, self.amount = granularity, amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        scores = self.granularity.group_scores(t.detach().abs())
        gone: int = prune._compute_nparams_toprune(self.amount, scores.numel())
        keep = torch.ones(scores.numel(), dtype=torch.bool)
        keep[scores.flatten().argsort(stable=True)[:gone]] = False
        return default_mask * self.granularity.expand(keep, tuple(t.shape))


def grouping_of(granularity: Granularity, target: Target) -> Granularity:
    """The granularity as it groups ``target``: in each matrix by itself where its experts lie behind one another.

    Single weights are the same either way, and go as they are.
    """
    whole = granularity.each if isinstance(granularity, EachExpert) else granularity
    return EachExpert(whole) if target.experts and not whole.within_rows else whole


_PROJECTIONS = ("gate_up_proj", "up_proj", "gate_proj", "down_proj", "w1", "w2", "w3", "v1", "weight")


def expert_dims(module: nn.Module) -> dict[str, int]:
    """The parameters of a module in which a mixture's experts lie behind one another, and the dim of their outputs.

    ``[E, out, in]`` has 1, ``[E, in, out]`` has 2, as the library says or else as the shapes of a pair fit each other.
    DBRX lays its experts out below one another, in two dims: there it is 0, or 1 of what it multiplies from the left.
    """
    kind = layer_type(module)
    if "xpert" not in kind or issubclass(layer_class(module), PRUNABLE + NORMS):
        return {}
    own = {leaf: each for leaf, each in module.named_parameters(recurse=False) if not is_lazy(each)}
    inputs_first = getattr(module, INPUTS_FIRST, getattr(module, "is_transposed", None))
    return expert_layout(own, inputs_first if isinstance(inputs_first, bool) else None)


def expert_layout(tensors: Mapping[str, Tensor], inputs_first: bool | None = None) -> dict[str, int]:
    """:func:`expert_dims`, by the tensors of a layer that is known to hold experts.

    >>> expert_layout({"gate_up_proj": torch.ones(2, 3, 8), "down_proj": torch.ones(2, 4, 3)})
    {'gate_up_proj': 2, 'down_proj': 2}
    """
    if {"w1", "v1", "w2"} <= tensors.keys() and all(tensors[leaf].dim() == 2 for leaf in ("w1", "v1", "w2")):
        return {"w1": 0, "v1": 0, "w2": 1}
    if inputs_first is None:
        up, down = tensors.get("gate_up_proj"), tensors.get("down_proj")
        inputs_first = stored_inputs_first(up, down)
    return {leaf: 2 if inputs_first else 1 for leaf in _PROJECTIONS if leaf in tensors and tensors[leaf].dim() == 3}


def stored_inputs_first(up: Tensor | None, down: Tensor | None) -> bool:
    """Whether these are ``[E, H, 2I]`` and ``[E, I, H]``, and not ``[E, 2I, H]`` and ``[E, H, I]``."""
    if up is None or down is None or up.dim() != 3 or down.dim() != 3:
        return False
    return up.shape[1] == down.shape[2] and up.shape[2] == 2 * down.shape[1]
