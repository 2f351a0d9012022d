"""What a granularity is, and the two that ``torch.nn.utils.prune`` has itself: single weights and whole channels."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.utils import prune

from pruning_explorer.prune.targets import Target

Shape = tuple[int, ...]


class Granularity(ABC):
    """How the weights of a target are grouped.

    It turns a score per weight into a score per *group*, and a decision per group into a mask.

    Attributes:
        unit: the word for groups, in the plural: ``"weights"``.
        within_rows: whether each group is one weight, so that those of one output row can compete among themselves.
        even: whether all groups of a target hold equally many weights.
        decided_by: how much of a target's weights says which of its groups may go: any piece of them, an index along
            dim 0 with all its weights, or no less than the whole. It matters where ``within_rows`` holds.
    """

    unit: str
    within_rows: bool = False
    even: bool = True
    decided_by: Literal["piece", "row", "whole"] = "whole"

    @property
    def channel_dim(self) -> int | None:
        """The dim whose indices are the groups; below 0 it counts from the last; None where the groups are others."""
        return None

    @abstractmethod
    def refuse(self, target: Target) -> str | None:
        """Why ``target`` cannot be grouped this way; None if it can."""

    @abstractmethod
    def group_shape(self, shape: Shape) -> Shape:
        """Shape of one number per group of a target of that shape."""

    @abstractmethod
    def group_scores(self, scores: Tensor) -> Tensor:
        """Importance per weight -> importance per group, of shape ``group_shape``."""

    @abstractmethod
    def expand(self, groups: Tensor, shape: Shape) -> Tensor:
        """One value per group -> one per weight, as a view where possible."""

    def protected(self, scores: Tensor, target: Target) -> Tensor | None:
        """Bool per group: those that stay whatever the amount, given the groups' scores; None where all may go."""
        return None

    @abstractmethod
    def method(self, amount: float | int) -> prune.BasePruningMethod:
        """The library's method that cuts the same groups: ``method(a).compute_mask(scores, ones)`` is the oracle."""


class SingleWeights(Granularity):
    """Each weight is a group; where none is protected, any of them may go."""

    unit = "weights"
    within_rows = True

    def group_shape(self, shape: Shape) -> Shape:
        return shape

    def group_scores(self, scores: Tensor) -> Tensor:
        return scores

    def expand(self, groups: Tensor, shape: Shape) -> Tensor:
        return groups.view(shape)


@dataclass(frozen=True)
class Element(SingleWeights):
    """Every weight by itself."""

    decided_by = "piece"

    def refuse(self, target: Target) -> str | None:
        return None

    def method(self, amount: float | int) -> prune.BasePruningMethod:
        return prune.L1Unstructured(amount)


@dataclass(frozen=True)
class Channel(Granularity):
    """All weights at one index of ``dim``; their importance is the Ln norm of their scores.

    Attributes:
        dim: 0 is the output channel (a neuron), 1 the input channel, of Linear and Conv layers; the other way round of
            transposed convolutions and of GPT-2's Conv1D, which store ``[in, out, ...]`` (:attr:`Target.out_dim` says).
        n: order of the norm: 1, 2, any number, ``inf`` or ``-inf``.
    """

    dim: int = 0
    n: float = 2.0

    unit = "channels"

    @property
    def channel_dim(self) -> int:
        return self.dim

    def refuse(self, target: Target) -> str | None:
        rank = len(target.shape)
        if rank < 2:
            return "it has one dim only, so its channels are its elements"
        if not -rank <= self.dim < rank:
            return f"it has {rank} dims, so there is no dim {self.dim}"
        return None

    def group_shape(self, shape: Shape) -> Shape:
        return (shape[self.dim],)

    def group_scores(self, scores: Tensor) -> Tensor:
        # In the weight's own dtype and by the library's own function: another order of summing would round otherwise
        norm: Tensor = prune._compute_norm(scores, self.n, self.dim)
        return norm

    def expand(self, groups: Tensor, shape: Shape) -> Tensor:
        broadcast = [1] * len(shape)
        broadcast[self.dim] = shape[self.dim]
        return groups.view(broadcast).expand(shape)

    def method(self, amount: float | int) -> prune.BasePruningMethod:
        return prune.LnStructured(amount, self.n, self.dim)
