"""Cost: multiply-adds per sample, dense, and what masks would leave of them in theory.

"Theoretical" is meant: a mask changes no shape, so dense kernels go on multiplying by the zeros.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from pruning_explorer.measure.counter import ProductCounter
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import call_network, require_samples
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import SAMPLES_PER_CALL, is_lazy


@dataclass(frozen=True)
class DenseCost:
    """Multiply-adds of one sample through a dense network.

    Attributes:
        macs: of all matrix products and convolutions, attention's among them.
        by_target: of those products that a target's weights take part in; 0 for embeddings, biases and norm layers, and
            for layers that did not run.
        uncounted: parameters, targets or not, whose layer ran and whose products are not in ``macs``: at 0 in
            ``by_target``, which is not their number.
    """

    macs: int
    by_target: dict[str, int]
    uncounted: tuple[str, ...] = ()


_COSTS: SubjectCache[DenseCost] = SubjectCache(1 << 20, lambda cost: 100 * len(cost.by_target), "multiply-adds")


def layer_cost(subject: Subject, masks: Masks) -> pd.DataFrame:
    """Multiply-adds per sample of each target in ``masks``.

    Columns: ``target``; ``macs_dense``; ``macs_theoretical``, the same times the fraction of the target's weights that
    are kept, for kernels that would skip every zero. Both are NaN where the products are not counted.

    Raises:
        SubjectError: the subject has no samples, or fails on the first of them.
    """
    cost = dense_cost(subject)
    counted = [math.nan if name in cost.uncounted else cost.by_target[name] for name in masks]
    dense = np.array(counted, dtype=np.float64 if set(masks) & set(cost.uncounted) else np.int64)
    kept = np.array([masks.kept(target.name) / target.numel for target in masks.targets], dtype=np.float64)
    return pd.DataFrame({"target": list(masks), "macs_dense": dense, "macs_theoretical": dense * kept})


def cost_totals(subject: Subject, masks: Masks) -> dict[str, Any]:
    """``macs_dense`` and ``macs_theoretical`` of the whole network, per sample, and what is not in them.

    What no target takes part in, such as the products of queries and keys, stays dense. ``uncounted`` names the
    parameters whose layer ran and whose products are in neither number.

    Raises:
        SubjectError: as :func:`layer_cost`.
    """
    cost = dense_cost(subject)
    removed = sum(
        cost.by_target[target.name] * (1 - masks.kept(target.name) / target.numel) for target in masks.targets
    )
    return {"macs_dense": cost.macs, "macs_theoretical": cost.macs - removed, "uncounted": list(cost.uncounted)}


def dense_cost(subject: Subject) -> DenseCost:
    """Count the first sample's multiply-adds, once per subject.

    Matrix products and convolutions (padding in), no element-wise work: half of what torch's flop counter says where it
    has a formula. A product with a weight that is cast, joined with others or otherwise computed from weights alone
    counts for these, in proportion to their sizes.

    Raises:
        SubjectError: the subject has no samples, or fails on the first of them.
    """
    return _COSTS.get(subject, lambda: _count(subject))


def _count(subject: Subject) -> DenseCost:
    sample = tuple(tensor[:1] for tensor in require_samples(subject))
    # A program that was exported for a fixed number of samples computes that many, however few it is given
    computed = getattr(subject.model, SAMPLES_PER_CALL, 1)
    # Attention takes its fused path, whose products nobody sees, only where nothing wants a gradient
    tensors = {
        name: each.detach().requires_grad_()
        for name, each in subject.model.named_parameters()
        if each.is_floating_point()
    }
    model = skeleton(subject.model)
    weights = [target.name for target in subject.targets if target.is_weight]
    own = {name: each for name, each in (*model.named_parameters(), *model.named_buffers()) if not is_lazy(each)}
    with torch.enable_grad(), ProductCounter(model, own, weights) as counter:
        call_network(subject, model, tensors, sample)
    by_target = {target.name: counter.by_weight.get(target.name, 0) // computed for target in subject.targets}
    return DenseCost(counter.macs // computed, by_target, counter.uncounted)
