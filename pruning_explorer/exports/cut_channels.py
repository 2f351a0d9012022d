"""Cut the channels that masks leave empty out of a copy of the network, by Torch-Pruning: its tensors get smaller."""

import copy
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.exports.couplings import NOT_FOLLOWED, ChannelGraph, Coupled
from pruning_explorer.exports.pruned_models import permanent_model
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import call_network, require_samples
from pruning_explorer.prune.outputs import all_tensors
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import TRANSPOSED

_ONE_AT_A_TIME = threading.Lock()
"""Torch-Pruning keeps the dim that it is at on objects that all graphs share."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A network without its empty channels.

    Attributes:
        model: in eval mode, without hooks, with tensors of its own. What is not cut is masked: zeros for good.
        empty: target -> the output channels that the masks leave without any weight, ascending.
        removed: target -> those of them that are cut out, ascending.
        left: target -> why the others stay, of each target that has such.
    """

    model: nn.Module
    empty: Mapping[str, tuple[int, ...]]
    removed: Mapping[str, tuple[int, ...]]
    left: Mapping[str, str]

    @property
    def channels_empty(self) -> int:
        """Number of empty output channels of all targets together."""
        return sum(map(len, self.empty.values()))

    @property
    def channels_removed(self) -> int:
        """Number of output channels cut out of all targets together."""
        return sum(map(len, self.removed.values()))


def cut_channels(subject: Subject, masks: Masks) -> Cut:
    """Cut out every output channel that the masks leave empty, where it can go without taking others along.

    It goes with its bias, its BatchNorm, and the weights of the next layers that read it. Channels that a shortcut
    adds up go together or not at all: only where every layer that makes them has that one empty. A channel stays, too,
    where the network returns it, in whichever of its tensors, where a norm such as LayerNorm computes over all channels
    at once, and where it goes through a layer of a kind that is not cut here: embeddings, attention, recurrent and
    grouped layers. One channel of each layer always stays. So do all of a layer after which the network would fail or
    say something else than it does when nobody reads them: where a reshape or a function counts on them or mixes them.

    **Not quite the masked network.** A mask leaves an empty channel its bias, and BatchNorm shifts it, so that it still
    says the same number whatever the input; the cut network does not have that number. Where it is zero, both give the
    same outputs up to rounding; where it is not, measure how far apart they are.

    The subject is not touched. What hangs together, Torch-Pruning (https://github.com/VainF/Torch-Pruning) finds out
    from one sample (Fang et al., DepGraph, arXiv 2301.12900).

    Raises:
        SubjectError: the subject has no samples or fails on them, or Torch-Pruning cannot follow it.
        TargetError, MaskError: the masks are not for this subject.
    """
    example = tuple(tensor[:1] for tensor in require_samples(subject))
    empty = {each.name: tuple(np.flatnonzero(masks.empty_channels(each)).tolist()) for each in masks.targets}
    whole: dict[tuple[str, ...], str] = {}
    if not any(empty.values()):
        return _Cutting(subject, masks, example, empty, whole).cut
    with _ONE_AT_A_TIME:
        first = _Cutting(subject, masks, example, empty, whole)
        if not first.cut_all():
            # One after the other then: those after which it is not what it was stay whole
            while (failed := (again := _Cutting(subject, masks, example, empty, whole)).cut_one_by_one()) is not None:
                whole[failed[0]] = failed[1]
            return again.cut
        return first.cut


class _Cutting:
    """One try. Beside the network that gets smaller there is one in which nobody reads the channels that go.

    The two say the same, unless a channel is mixed with others on its way, or its forward counts on their number.
    """

    def __init__(
        self,
        subject: Subject,
        masks: Masks,
        example: tuple[Tensor, ...],
        empty: Mapping[str, tuple[int, ...]],
        whole: Mapping[tuple[str, ...], str],
    ) -> None:
        self._subject, self._example, self._empty, self._whole = subject, example, empty, whole
        self._model = permanent_model(subject, masks)
        self._unread = copy.deepcopy(self._model)
        self._expected = _outputs(subject, self._unread, example)
        self._removed: dict[str, tuple[int, ...]] = dict.fromkeys(empty, ())
        self._lost: str | None = None
        self._left = {name: NOT_FOLLOWED for name, channels in empty.items() if channels}

    @property
    def cut(self) -> Cut:
        return Cut(
            self._model.requires_grad_(False),
            MappingProxyType(dict(self._empty)),
            MappingProxyType(self._removed),
            MappingProxyType(self._left),
        )

    def cut_all(self) -> bool:
        """Cut all empty channels out; whether the network still gives the outputs it should."""
        for _ in self._steps():
            pass
        return self._problem() is None

    def cut_one_by_one(self) -> tuple[tuple[str, ...], str] | None:
        """Cut layer by layer up to a failure: the layers that cannot be cut, and why; None where all can."""
        for makers in self._steps():
            if (problem := self._problem()) is not None:
                return makers, f"without them the network {problem}"
        return None

    def _steps(self) -> Iterator[tuple[str, ...]]:
        graph = ChannelGraph(self._subject, self._model, self._example)
        for coupled in graph.coupled:
            makers = tuple(maker.name for maker in coupled.makers)
            places = _places(coupled, self._whole.get(makers) or coupled.why_whole, self._empty, self._left)
            if places:
                try:
                    graph.cut(coupled, places)
                except SubjectError as error:
                    self._lost = f"cannot be followed ({error.__cause__})"
                    yield makers
                    return
                for maker, channels in zip(coupled.makers, coupled.places, strict=True):
                    self._removed[maker.name] = _at(channels, places)
                for path, inputs in coupled.readers:
                    _read_no_more(self._unread.get_submodule(path), _at(inputs, places))
                yield makers

    def _problem(self) -> str | None:
        if self._lost is not None:
            return self._lost
        expected = _outputs(self._subject, self._unread, self._example)
        try:
            found = _outputs(self._subject, self._model, self._example)
        except SubjectError as error:
            cause = error.__cause__
            return f"fails with {type(cause).__name__}: {(str(cause).splitlines() or ['no message'])[0]}"
        shapes, dense = ([list(each.shape) for each in outputs] for outputs in (found, self._expected))
        if shapes != dense:
            return f"gives outputs {_written(shapes)} and not {_written(dense)}"
        if not all(map(_same, found, expected)):
            return "says something else: on their way its channels are mixed, or told apart by their places"
        return None


def _at(channels: Mapping[int, list[int]], places: list[int]) -> tuple[int, ...]:
    return tuple(sorted(channel for place in places for channel in channels.get(place, ())))


def _read_no_more(layer: nn.Module, inputs: tuple[int, ...]) -> None:
    weight = layer.get_parameter("weight").detach()
    dim = 0 if isinstance(layer, TRANSPOSED) else 1
    there = [each for each in inputs if each < weight.shape[dim]]  # a reshape may lead to fewer
    weight.index_fill_(dim, torch.tensor(there, dtype=torch.long), 0)


def _same(found: Tensor, expected: Tensor) -> bool:
    if not found.is_floating_point():
        return True  # a choice among equals may fall the other way
    near = 4 * torch.finfo(found.dtype).eps ** 0.5
    return torch.allclose(found, expected, rtol=near, atol=near * float(expected.abs().max()), equal_nan=True)


def _written(shapes: list[list[int]]) -> str:
    return ", ".join(map(str, shapes))


def output_layers(subject: Subject) -> tuple[str, ...]:
    """The targets whose channels are the network's outputs: without them it would give fewer answers.

    Raises:
        SubjectError: the subject has no samples or fails on them, or Torch-Pruning cannot follow it.
    """
    example = tuple(tensor[:1] for tensor in require_samples(subject))
    model = subject.copy_model()
    _outputs(subject, model, example)
    with _ONE_AT_A_TIME:
        coupled = ChannelGraph(subject, model, example).coupled
    return tuple(maker.name for each in coupled if each.outputs for maker in each.makers)


def _places(coupled: Coupled, why_whole: str, empty: Mapping[str, tuple[int, ...]], left: dict[str, str]) -> list[int]:
    """Where every maker is empty; notes in ``left`` why other empty channels of them stay."""
    names = [maker.name for maker in coupled.makers]
    wanted = [set(empty.get(name, ())) for name in names]
    if why_whole:
        left.update((name, why_whole) for name, channels in zip(names, wanted, strict=True) if channels)
        return []
    everywhere = [
        place
        for place in coupled.places[0]
        if all(channels.issuperset(at.get(place, ())) for at, channels in zip(coupled.places, wanted, strict=True))
    ]
    staying = everywhere[:1] if len(everywhere) == len(coupled.places[0]) else []
    places = everywhere[len(staying) :]
    for name, at, channels in zip(names, coupled.places, wanted, strict=True):
        left.pop(name, None)
        if len(channels) > sum(len(at.get(place, ())) for place in places):
            others = ", ".join(other for other in names if other != name)
            left[name] = "one channel has to stay" if staying else f"its channels go only where {others} is empty, too"
    return places


def _outputs(subject: Subject, model: nn.Module, example: tuple[Tensor, ...]) -> list[Tensor]:
    with torch.no_grad():
        outputs = all_tensors(call_network(subject, model, {}, example))
    if not outputs:
        raise SubjectError(f"{subject.name} returns no tensor; wrap it in a module whose forward returns logits")
    return outputs
