"""Sparsity: how many weights go, layer by layer and in all, beside what was asked."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import Target, is_lazy


@dataclass(frozen=True)
class _DenseCounts:
    """Of a dense network, all parameters in: how many, how many not zero (None if unknown), and zeros per target."""

    parameters: int
    nonzero: int | None
    zeros: dict[str, int]


_DENSE_COUNTS: SubjectCache[_DenseCounts] = SubjectCache(1 << 20, lambda counts: 100 * len(counts.zeros))


def layer_sparsity(subject: Subject, masks: Masks) -> pd.DataFrame:
    """One row per target in ``masks``.

    Columns:
        - ``target``, ``layer_type``, ``role``, ``shape`` (``"16x8x3x3"``).
        - ``weights``, ``kept``, ``removed``: counts.
        - ``requested``: fraction asked of this target; NaN where it was ranked together with others, or made by hand.
        - ``achieved``: fraction removed, in [0, 1]; rounding, ties and groups make it differ from ``requested``.
        - ``channels``: output channels (size of the target's ``out_dim``; a gate's row in a recurrent layer, a
          token in an embedding); 0 for targets of one dim.
        - ``dead_channels``: those of them that have lost all their weights. Such a channel's output is constant, which
          need not be zero: a bias that is kept, or a BatchNorm behind it, can still give it a value.
    """
    return pd.DataFrame([_row(target, masks) for target in masks.targets], columns=_COLUMNS)


_COLUMNS = [
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


def sparsity_totals(subject: Subject, masks: Masks) -> dict[str, float | int | None]:
    """Sparsity over all targets in ``masks``, and over the whole network.

    Keys: ``targets``, ``weights``, ``kept``, ``removed``, ``dead_channels`` (counts, over the masked targets);
    ``requested`` (fraction asked of them; None for masks made by hand), ``achieved`` (fraction of them removed; None
    where there is no mask); ``achieved_of_weights`` (of all weights that can be pruned, biases and norm layers left
    out), ``achieved_of_all`` (of all parameters, these and those that cannot be pruned in); ``parameters``;
    ``nonzero_parameters`` (after pruning; zeros that the dense network has do not count) and
    ``nonzero_parameters_dense`` (before), None where a parameter has no values.
    """
    counts = _DENSE_COUNTS.get(subject, lambda: _count_dense(subject))
    kept = {target.name: masks.kept(target.name) for target in masks.targets}
    weights = sum(target.numel for target in masks.targets)
    removed = weights - sum(kept.values())
    removed_weights = sum(target.numel - kept[target.name] for target in masks.targets if target.role == "weight")
    all_weights = sum(target.numel for target in subject.targets if target.role == "weight")
    nonzero = counts.nonzero
    if nonzero is not None:
        nonzero -= sum(
            _removed_nonzero(subject, target, masks[target.name], counts, kept[target.name]) for target in masks.targets
        )
    return {
        "targets": len(masks.targets),
        "weights": weights,
        "kept": weights - removed,
        "removed": removed,
        "requested": masks.requested_total,
        "achieved": removed / weights if weights else None,
        "achieved_of_weights": removed_weights / all_weights if all_weights else None,
        "achieved_of_all": removed / counts.parameters,
        "parameters": counts.parameters,
        "nonzero_parameters": nonzero,
        "nonzero_parameters_dense": counts.nonzero,
        "dead_channels": sum(_dead_channels(target, masks[target.name], kept[target.name]) for target in masks.targets),
    }


def _row(target: Target, masks: Masks) -> tuple[str | int | float, ...]:
    kept = masks.kept(target.name)
    return (
        target.name,
        target.layer_type,
        target.role,
        "x".join(map(str, target.shape)),
        target.numel,
        kept,
        target.numel - kept,
        masks.requested.get(target.name, math.nan),
        (target.numel - kept) / target.numel,
        _channels(target),
        _dead_channels(target, masks[target.name], kept),
    )


def _channels(target: Target) -> int:
    return target.shape[target.out_dim] if len(target.shape) > 1 else 0


def _dead_channels(target: Target, mask: Tensor, kept: int) -> int:
    channels = _channels(target)
    if channels == 0 or target.numel - kept < target.numel // channels:
        return 0
    by_channel = np.moveaxis(mask.cpu().numpy(), target.out_dim, 0).reshape(channels, -1)
    return channels - int(np.count_nonzero(by_channel.any(axis=1)))


def _count_dense(subject: Subject) -> _DenseCounts:
    parameters = [each for each in subject.model.parameters() if not is_lazy(each)]
    countable = not any(each.is_meta for each in parameters)
    return _DenseCounts(
        sum(each.numel() for each in parameters),
        sum(int(torch.count_nonzero(each)) for each in parameters) if countable else None,
        {
            target.name: target.numel - int(torch.count_nonzero(subject.weight(target.name)))
            for target in subject.targets
        },
    )


def _removed_nonzero(subject: Subject, target: Target, mask: Tensor, counts: _DenseCounts, kept: int) -> int:
    if counts.zeros[target.name] == 0:
        return target.numel - kept
    nonzero: NDArray[np.bool_] = (subject.weight(target.name) != 0).cpu().numpy()
    return int(np.count_nonzero(nonzero & ~mask.cpu().numpy()))
