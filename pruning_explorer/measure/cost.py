"""Cost: multiply-adds per sample, dense, and what masks would leave of them in theory.

"Theoretical" is meant: a mask changes no shape, so dense kernels go on multiplying by the zeros.
"""

from bisect import bisect_right
from contextlib import nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import call_network, require_samples
from pruning_explorer.prune.subject import Subject, skeleton
from pruning_explorer.prune.subject_cache import SubjectCache


@dataclass(frozen=True)
class DenseCost:
    """Multiply-adds of one sample through a dense network.

    Attributes:
        macs: of all matrix products and convolutions, attention's among them.
        by_target: of those products that a target's weights take part in; 0 for embeddings, biases and norm layers.
    """

    macs: int
    by_target: dict[str, int]


_COSTS: SubjectCache[DenseCost] = SubjectCache(1 << 20, lambda cost: 100 * len(cost.by_target), "multiply-adds")


def layer_cost(subject: Subject, masks: Masks) -> pd.DataFrame:
    """Multiply-adds per sample of each target in ``masks``.

    Columns: ``target``; ``macs_dense``; ``macs_theoretical``, the same times the fraction of the target's weights that
    are kept, for kernels that would skip every zero.

    Raises:
        SubjectError: the subject has no samples, or fails on the first of them.
    """
    cost = dense_cost(subject)
    dense = np.array([cost.by_target[name] for name in masks], dtype=np.int64)
    kept = np.array([masks.kept(target.name) / target.numel for target in masks.targets], dtype=np.float64)
    return pd.DataFrame({"target": list(masks), "macs_dense": dense, "macs_theoretical": dense * kept})


def cost_totals(subject: Subject, masks: Masks) -> dict[str, float | int]:
    """``macs_dense`` and ``macs_theoretical`` of the whole network, per sample.

    What no target takes part in, such as the products of queries and keys, stays dense.

    Raises:
        SubjectError: as :func:`layer_cost`.
    """
    cost = dense_cost(subject)
    removed = sum(
        cost.by_target[target.name] * (1 - masks.kept(target.name) / target.numel) for target in masks.targets
    )
    return {"macs_dense": cost.macs, "macs_theoretical": cost.macs - removed}


def dense_cost(subject: Subject) -> DenseCost:
    """Count the first sample's multiply-adds, once per subject: half of what torch's flop counter says.

    Torch counts matrix products and convolutions (padding in), no element-wise work. A product with a weight that the
    network first computes from a target - a cast, a concatenation - is part of the total and of no target.

    Raises:
        SubjectError: the subject has no samples, or fails on the first of them.
    """
    return _COSTS.get(subject, lambda: _count(subject))


def _count(subject: Subject) -> DenseCost:
    sample = tuple(tensor[:1] for tensor in require_samples(subject))
    # A program that was exported for a fixed number of samples computes that many, however few it is given
    computed = getattr(subject.model, "samples_per_call", 1)
    # Attention takes its fused path, which has no formula, only where nothing wants a gradient
    tensors = {
        name: each.detach().requires_grad_()
        for name, each in subject.model.named_parameters()
        if each.is_floating_point()
    }
    weights = {target.name: subject.weight(target.name) for target in subject.targets if target.is_weight}
    with torch.enable_grad(), _WeightFlopCounter(weights) as counter:
        call_network(subject, skeleton(subject.model), tensors, sample)
    by_target = {target.name: counter.by_weight.get(target.name, 0) // 2 // computed for target in subject.targets}
    return DenseCost(int(counter.get_total_flops()) // 2 // computed, by_target)


class _WeightFlopCounter(FlopCounterMode):
    """Torch's flop counter, which also notes in which weights' products the flops are spent.

    A weight is known by its memory, so views of it count, and so do tied names.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        aten = torch.ops.aten
        formulas = {
            aten.mkldnn_rnn_layer: _rnn_layer_flops,
            aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
        }
        super().__init__(display=False, custom_mapping=formulas)
        # Its own tracker hooks the modules of all threads of the process
        self.mod_tracker = _Untracked()  # type: ignore[assignment]
        self.by_weight: dict[str, int] = {}
        spans = sorted((t.data_ptr(), t.data_ptr() + t.nbytes, name) for name, t in weights.items())
        self._starts = [start for start, _, _ in spans]
        self._spans = spans
        self._numel = {name: t.numel() for name, t in weights.items()}

    def _count_flops(self, func_packet: Any, out: Any, args: Any, kwargs: Any) -> Any:
        before = self.get_total_flops()
        out = super()._count_flops(func_packet, out, args, kwargs)  # type: ignore[no-untyped-call]
        flops = self.get_total_flops() - before
        found = {self._name_of(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)} - {None}
        names = sorted(name for name in found if name is not None)
        # A recurrent kernel takes the weights of inputs and of states at once, each used as often as the other
        together = sum(self._numel[name] for name in names)
        for name in names if flops else ():
            self.by_weight[name] = self.by_weight.get(name, 0) + flops * self._numel[name] // together
        return out

    def _name_of(self, tensor: Tensor) -> str | None:
        if tensor.layout is not torch.strided:
            return None
        start = tensor.data_ptr()
        index = bisect_right(self._starts, start) - 1
        if index < 0 or start >= self._spans[index][1]:
            return None
        return self._spans[index][2]


class _Untracked(nullcontext[None]):
    parents = ("Global",)


def _rnn_layer_flops(
    inputs: tuple[int, ...], input_weight: tuple[int, ...], state_weight: tuple[int, ...], *_: Any, **__: Any
) -> int:
    """oneDNN's fused layer of one direction: inputs ``[T, N, I]`` by ``[G, I]``, states ``[T, N, H]`` by ``[G, H]``."""
    return 2 * prod(inputs[:-1]) * (prod(input_weight) + prod(state_weight))


def _attention_flops(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any) -> int:
    """The CPU's kernel, for which torch has no formula; that of its other attention kernels."""
    return int(sdpa_flop_count(query, key, value))
