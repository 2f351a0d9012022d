"""Watch a network run once: what goes into the products of each target, and what comes out of its channels.

Every operation is seen below autograd, by a dispatch mode of this thread alone. So nothing is hooked, a product counts
however it is written (a module, a function, a slice of a packed weight), and a target is known by its memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from pruning_explorer.prune.dispatch import OperationMode
from pruning_explorer.prune.network import call_network, widen, working_tensors
from pruning_explorer.prune.observe.channels import Chain, ChannelNotes
from pruning_explorer.prune.observe.memory import MemoryMap
from pruning_explorer.prune.observe.products import InputSquares, products_of
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import layer_class

CHUNK = 64
"""Samples in one forward pass."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Measurements of one run over inputs. A target that took part in no product is in none of these dicts.

    Attributes:
        squares: target name -> for each weight the sum of the squares of the inputs that it multiplies, over samples
            and positions; float32 or better, of the target's shape, or what broadcasts to it: ``[1, in]`` for a layer.
        activation: target name -> mean absolute output of each output channel, over samples and positions,
            ``[shape[out_dim]]``: after the BatchNorm and the activation function that follow the product directly.
        off: target name -> share, in [0, 1], of the same outputs that are not above 0.
        norms: target name -> name and scale ``[shape[out_dim]]`` of the BatchNorm that follows, directly or after an
            activation function.
    """

    squares: Mapping[str, Tensor]
    activation: Mapping[str, Tensor]
    off: Mapping[str, Tensor]
    norms: Mapping[str, tuple[str, Tensor]]

    @property
    def nbytes(self) -> int:
        scales = [scale for _, scale in self.norms.values()]
        held = (*self.squares.values(), *self.activation.values(), *self.off.values(), *scales)
        return sum(tensor.nbytes for tensor in held)


def observe(subject: Subject, inputs: tuple[Tensor, ...], masks: Mapping[str, Tensor]) -> Observed:
    """Run a subject over ``inputs``, some at a time, in float32 or better.

    Args:
        inputs: one tensor for each positional input of ``forward``, batch first.
        masks: target name -> bool mask of the weights that are still there; the others are zero.

    Raises:
        SubjectError: it fails on the inputs.
    """
    with torch.inference_mode(False), torch.enable_grad():
        tensors = working_tensors(subject, masks)
        for name, _ in subject.model.named_parameters():
            if name in tensors:
                # Attention takes its fused path, whose products nobody sees, only where nothing wants a gradient
                tensors[name] = tensors[name].detach().requires_grad_()
        watch = _Watch(subject, tensors)
        for start in range(0, len(inputs[0]), CHUNK):
            some = tuple(widen(each[start : start + CHUNK]) for each in inputs)
            with watch:
                call_network(subject, skeleton(subject.model), tensors, some)
            watch.finish_chains()
    return watch.observed()


class _Watch(OperationMode):
    def __init__(self, subject: Subject, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._targets = {target.name: target for target in subject.targets if target.is_weight}
        self._weights = MemoryMap({name: tensors[name] for name in self._targets})
        # Of vectors only: a bias that is added, the scale of a norm
        parameters = (name for name, each in subject.model.named_parameters() if each.dim() == 1)
        self._vectors = MemoryMap({name: tensors[name] for name in parameters if name in tensors})
        self._scales = frozenset(
            f"{path}.weight".removeprefix(".")
            for path, module in subject.model.named_modules()
            if issubclass(layer_class(module), nn.modules.batchnorm._BatchNorm)
        )
        self._squares: dict[str, InputSquares] = {}
        self._notes: dict[str, ChannelNotes] = {}
        self._chains: list[Chain] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        used = {
            leaf.untyped_storage().data_ptr()
            for leaf in (tree_leaves((args, kwargs)) if self._chains else ())
            if isinstance(leaf, Tensor) and leaf.layout is torch.strided
        }
        going_on = [chain for chain in self._chains if chain.storage in used and chain.goes_on(func, args)]
        for chain in self._chains:
            if chain.storage in used and chain not in going_on:
                chain.finish()  # before the operation, which may work in place
        self._chains = [chain for chain in self._chains if not chain.finished]
        output = func(*args, **kwargs)
        for chain in going_on:
            chain.follow(func, args, output)
        for product in products_of(func.overloadpacket, args, output):
            name = self._weights.name_of(product.weight)
            if name is not None:
                whole = self._weights[name]
                self._squares.setdefault(name, InputSquares(whole)).add(product)
                notes = self._notes.setdefault(name, ChannelNotes(self._targets[name]))
                if (begun := Chain.begin(notes, whole, product, self._vectors, self._scales)) is not None:
                    self._chains.append(begun)
        return output

    def finish_chains(self) -> None:
        """Note what was still being followed as the network ended."""
        for chain in self._chains:
            chain.finish()
        self._chains = []

    def observed(self) -> Observed:
        whole = {name: each for name, each in self._notes.items() if each.complete}
        return Observed(
            {name: each.total() for name, each in self._squares.items()},
            {name: each.activation() for name, each in whole.items()},
            {name: each.off() for name, each in whole.items()},
            {name: (each.norm, each.scale) for name, each in whole.items() if each.norm is not None},
        )
