"""Which channels of a network can only be removed together, found by Torch-Pruning from one forward pass."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.prune.outputs import all_tensors
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

OUTPUTS = "its channels are the network's outputs"
UNKNOWN = "is of a kind that is not cut here"
NOT_FOLLOWED = "Torch-Pruning does not follow its layer"
MOST_VISITS = 10
"""Most visits of each node of the graph, for each layer; in a graph with a cycle the search would never end."""


@dataclass(frozen=True, eq=False)
class Coupled:
    """Channels that can only be removed together: the same index in every layer that makes, shifts or reads them.

    Attributes:
        makers: the layers whose output channels they are; more than one where a shortcut adds them up.
        places: of each maker, place -> its output channels there; places are counted in the first maker. Where
            channels are joined, a maker has only some of them.
        readers: the layers that read them by their paths, each place -> the inputs of it that read the channels there.
        outputs: whether they are outputs of the network.
        why_whole: why none of them can be cut; ``""`` where they can.
        group: Torch-Pruning's own.
    """

    makers: tuple[Target, ...]
    places: tuple[Mapping[int, list[int]], ...]
    readers: tuple[tuple[str, Mapping[int, list[int]]], ...]
    outputs: bool
    why_whole: str
    group: Any


class ChannelGraph:
    """The couplings of one network, which it can cut. Hold a lock: Torch-Pruning's graphs share objects.

    Attributes:
        coupled: all of them.
    """

    def __init__(self, subject: Subject, model: nn.Module, example: tuple[Tensor, ...]) -> None:
        """Follow ``model``, a copy of the subject's network whose parameters want gradients.

        Raises:
            SubjectError: Torch-Pruning cannot follow it.
        """
        recurrent = (nn.RNNBase, nn.RNNCellBase)
        for path, module in model.named_modules():
            # It follows none but the plainest of them, and some without end
            if isinstance(module, recurrent):
                raise self._lost(subject, f"{path or 'it'} is a recurrent layer, {type(module).__name__}")
        # A library that takes a second to import, and that only this needs
        self._library: Any = importlib.import_module("torch_pruning")
        self._subject = subject
        self._names = {module: path for path, module in model.named_modules()}
        try:
            with torch.enable_grad():
                self._graph = self._library.DependencyGraph().build_dependency(
                    model, tuple(tensor.clone() for tensor in example), output_transform=_ends, verbose=False
                )
            roots = (nn.Linear, _ConvNd)
            nodes = self._graph.module2node.values()
            steps = _Steps(MOST_VISITS * len(nodes) * (1 + sum(isinstance(each.module, roots) for each in nodes)))
            for node in nodes:
                node.dependencies = _Counted(node.dependencies, steps)
            self.coupled = tuple(map(self._read, self._graph.get_all_groups(root_module_types=roots)))
        except BaseException as error:  # it runs the network
            if not theirs(error):
                raise
            raise self._lost(self._subject, _words(error)) from error

    def cut(self, coupled: Coupled, places: list[int]) -> None:
        """Take channels out of the network, wherever they are made, shifted or read.

        Raises:
            SubjectError: Torch-Pruning fails at it.
        """
        try:
            coupled.group.prune(places)
        except Exception as error:
            raise self._lost(self._subject, _words(error)) from error

    @staticmethod
    def _lost(subject: Subject, reason: str) -> SubjectError:
        return SubjectError(
            f"Torch-Pruning cannot follow {subject.name}, so nothing can be cut out of it ({reason}); choose a network "
            "of Linear, convolution and BatchNorm layers"
        )

    def _read(self, group: Any) -> Coupled:
        makers: list[Target] = []
        places: list[Mapping[int, list[int]]] = []
        readers: list[tuple[str, Mapping[int, list[int]]]] = []
        reasons: list[str] = []
        kinds = self._library.ops.OPTYPE
        read, outputs = False, False
        for item in group:
            module = item.dep.target.module
            makes = self._graph.is_out_channel_pruning_fn(item.dep.handler)
            if isinstance(module, nn.Linear | _ConvNd):
                reasons.extend(self._refusals(module))
                read = read or not makes
                if not makes:
                    readers.append((self._names[module], _by_place(item.idxs, item.root_idxs)))
                if makes and (target := self._target(module)) is not None:
                    makers.append(target)
                    places.append(_by_place(item.idxs, item.root_idxs))
            else:
                reasons.extend(self._objections(item.dep.target))
                outputs = outputs or item.dep.target.type == kinds.OUTPUT
                read = read or item.dep.target.type in (kinds.LSTM, kinds.MHA, kinds.PARAMETER)
        outputs = outputs or not read
        why_whole = OUTPUTS if outputs else next(iter(reasons), "")
        return Coupled(tuple(makers), tuple(places), tuple(readers), outputs, why_whole, group)

    def _refusals(self, layer: nn.Linear | _ConvNd) -> Iterator[str]:
        name = self._names.get(layer, "a layer")
        target = self._target(layer)
        if target is None:
            yield f"the weight of {name}, which its channels go through, cannot be pruned"
        elif target.aliases:
            yield f"{target.name} is tied to {target.aliases[0]}"
        groups = getattr(layer, "groups", 1)
        if groups > 1 and not groups == layer.out_channels == layer.in_channels:
            yield f"{name} is a grouped convolution, which {UNKNOWN}"

    def _objections(self, node: Any) -> Iterator[str]:
        kinds = self._library.ops.OPTYPE
        followers = {kinds.BN, kinds.IN, kinds.PRELU, kinds.ELEMENTWISE, kinds.RESHAPE, kinds.CONCAT, kinds.SPLIT}
        followers |= {kinds.UNBIND, kinds.SLICE, kinds.EXPAND, kinds.OUTPUT}
        name = self._names.get(node.module, "")
        if node.type in (kinds.LN, kinds.GN):
            yield f"{name} computes over all of its channels at once"
        elif node.type == kinds.PARAMETER:
            yield "a parameter that belongs to no layer shares its channels"
        elif node.type not in followers:
            yield f"{name or 'a layer'} shares its channels, and {type(node.module).__name__} {UNKNOWN}"

    def _target(self, module: nn.Module) -> Target | None:
        name = f"{self._names[module]}.weight".removeprefix(".")
        return next((each for each in self._subject.targets if name in (each.name, *each.aliases)), None)


def _ends(output: Any) -> list[Tensor]:
    """Whatever the network returns, each at an end of its own: a layer whose output is returned may be read, too."""
    return [tensor.clone() for tensor in all_tensors(output) if tensor.grad_fn is not None]


def _by_place(channels: Sequence[int], places: Sequence[int]) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = {}
    for channel, place in zip(channels, places, strict=True):
        found.setdefault(place, []).append(channel)
    return found


class _Steps:
    def __init__(self, most: int) -> None:
        self.left = most


class _Counted(list[Any]):
    """The ways on from one place, which may be looked at only so often."""

    def __init__(self, ways: Sequence[Any], steps: _Steps) -> None:
        super().__init__(ways)
        self._steps = steps

    def __iter__(self) -> Iterator[Any]:
        self._steps.left -= 1
        if self._steps.left < 0:
            raise RecursionError("it goes in circles")
        return super().__iter__()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or ['no message'])[0][:200]}"
