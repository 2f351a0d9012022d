"""Masks: which weights of which targets are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer.errors import MaskError
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import ALREADY_PRUNED, Target, is_lazy
from pruning_explorer.prune.uncalled import mask_by_reader


@dataclass(frozen=True, eq=False)
class Masks(Mapping[str, Tensor]):
    """Target name -> bool tensor of the target's shape; True means kept. Checked when made.

    A tied tensor has one mask, under the first of its names.

    Attributes:
        requested: the amount asked of each target that is cut by itself; a target that was ranked together with
            others, or whose share an allocation decided, is not in it.
        requested_total: the fraction asked of all chosen targets together; None for masks made by hand.
        recipe: the one behind them; None for masks made by hand.
        recalibrate: whether BatchNorm's running statistics are to be measured again under these masks.

    Raises:
        MaskError: a mask has another dtype or shape than it must.
        TargetError: there is no such target.
    """

    targets: tuple[Target, ...]
    values_by_name: Mapping[str, Tensor] = field(repr=False)
    requested: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    requested_total: float | None = None
    recipe: Recipe | None = None
    recalibrate: bool = False
    _kept: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _dead: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for target in self.targets:
            mask = self.values_by_name[target.name]
            if mask.dtype != torch.bool:
                raise MaskError(f"the mask of {target.name} is {mask.dtype}; make it bool, True = kept")
            if tuple(mask.shape) != target.shape:
                raise MaskError(f"the mask of {target.name} has shape {tuple(mask.shape)}, the weight {target.shape}")

    @classmethod
    def from_dict(cls, subject: Subject, masks: Mapping[str, Tensor]) -> "Masks":
        """Masks made elsewhere, by any of a tied tensor's names; 0/1 tensors of other dtypes are understood.

        Raises:
            MaskError: values other than 0 and 1, a wrong shape, or two masks for one tied tensor.
            TargetError: there is no such target.
        """
        named: dict[str, Tensor] = {}
        for name, mask in masks.items():
            if not isinstance(mask, Tensor):
                raise MaskError(f"the mask of {name} is no tensor but {type(mask).__name__}; torch.as_tensor makes one")
            if mask.dtype != torch.bool and not bool(((mask == 0) | (mask == 1)).all()):
                raise MaskError(f"the mask of {name} has values other than 0 and 1; 1 keeps a weight, 0 removes it")
            first = subject.target(name).name
            if first in named and not torch.equal(named[first], mask.bool()):
                raise MaskError(f"{name} and {first} are one tied tensor and have two masks; give it one")
            named[first] = mask.bool()
        return cls(tuple(target for target in subject.targets if target.name in named), MappingProxyType(named))

    @property
    def recipe_id(self) -> str | None:
        """The recipe's; None for masks made by hand."""
        return None if self.recipe is None else self.recipe.id

    # Masks compare by identity: a Mapping would compare its tensors, whose comparison has no single truth value
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, name: str) -> Tensor:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return (target.name for target in self.targets)

    def __len__(self) -> int:
        return len(self.targets)

    def kept(self, name: str) -> int:
        """How many weights of a target are kept; counted at the first call."""
        if name not in self._kept:
            # 60 times faster than torch's count
            self._kept[name] = int(np.count_nonzero(self[name].numpy()))
        return self._kept[name]

    def dead_channels(self, target: Target) -> int:
        """How many output channels of a target have lost all their weights; 0 where it has one dim only."""
        if target.name not in self._dead:
            self._dead[target.name] = self._count_dead(target)
        return self._dead[target.name]

    def _count_dead(self, target: Target) -> int:
        if not target.channels or target.numel - self.kept(target.name) < target.numel // target.channels:
            return 0
        return int(np.count_nonzero(self.empty_channels(target)))

    def empty_channels(self, target: Target) -> NDArray[np.bool_]:
        """Which output channels of a target have lost all their weights, ``[target.channels]``."""
        if not target.channels:
            return np.zeros(0, dtype=np.bool_)
        kept = np.moveaxis(self[target.name].numpy(), target.out_dim, 0)
        # [out / groups, in, ...], where each group of inputs makes outputs of its own
        alive = np.asarray(kept.reshape(len(kept), target.out_groups, -1).any(axis=2))
        return np.logical_not(alive.T.reshape(-1))

    def apply(self, model: nn.Module) -> None:
        """Put the masks on a network with the same parameters, by ``prune.custom_from_mask``.

        Every module that shares a tied tensor gets its mask. ``prune.remove`` makes each permanent. The output
        projection of ``MultiheadAttention``, which is never called, is masked anew by the attention that reads it.

        Raises:
            MaskError: the network does not fit, or is pruned already; then nothing of it is pruned.
        """
        names = {name: target.name for target in self.targets for name in (target.name, *target.aliases)}
        misfits = [reason for name, first in names.items() if (reason := _misfit(model, name, self[first])) is not None]
        if misfits:
            more = f"; and {len(misfits) - 3} more" if len(misfits) > 3 else ""
            raise MaskError(
                f"the masks do not fit this network, and it stays as it was: {'; '.join(misfits[:3])}{more}"
            )
        for name, first in names.items():
            path, _, leaf = name.rpartition(".")
            module = model.get_submodule(path)
            prune.custom_from_mask(module, leaf, self[first].to(module.get_parameter(leaf).device))
            mask_by_reader(model, path)


def _misfit(model: nn.Module, name: str, mask: Tensor) -> str | None:
    path, _, leaf = name.rpartition(".")
    try:
        module = model.get_submodule(path)
    except AttributeError:
        return f"it has no module {path}, so no {name}"
    parameter = module._parameters.get(leaf)
    if parameter is None:
        if f"{leaf}_orig" in module._parameters and f"{leaf}_mask" in module._buffers:
            return f"{name} is {ALREADY_PRUNED}"
        computed = hasattr(module, leaf)
        return f"{name} is computed from other tensors" if computed else f"its {path or 'root'} has no {leaf}"
    if is_lazy(parameter):
        return f"{name} is not initialised yet; run the network once first"
    if parameter.shape != mask.shape:
        return f"{name} has shape {tuple(parameter.shape)}, its mask {tuple(mask.shape)}"
    return None
