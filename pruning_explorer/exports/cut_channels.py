"""Cut the channels that masks leave empty out of a copy of the network, by Torch-Pruning: it really gets smaller."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.exports.couplings import NOT_FOLLOWED, ChannelGraph, Coupled
from pruning_explorer.exports.pruned_models import permanent_model
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import call_network, first_tensor, require_samples
from pruning_explorer.prune.subject import Subject

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
        """Of all targets together."""
        return sum(map(len, self.empty.values()))

    @property
    def channels_removed(self) -> int:
        """Of all targets together."""
        return sum(map(len, self.removed.values()))


def cut_channels(subject: Subject, masks: Masks) -> Cut:
    """Cut out every output channel that the masks leave empty, where it can go without taking others along.

    It goes with its bias, its BatchNorm, and the weights of the next layers that read it. Channels that a shortcut
    adds up go together or not at all: only where every layer that makes them has that one empty. A channel stays, too,
    where it is an output of the network, where a norm such as LayerNorm computes over all channels at once, and
    where it goes through a layer of a kind that is not cut here: embeddings, attention, recurrent and grouped layers.
    One channel of each layer always stays.

    **Not quite the masked network.** A mask leaves an empty channel its bias, and BatchNorm shifts it, so that it still
    says the same number whatever the input; the cut network does not have that number. Where it is zero, both give the
    same outputs up to rounding; where it is not, measure how far apart they are.

    The subject is not touched. What hangs together, Torch-Pruning (https://github.com/VainF/Torch-Pruning) finds out
    from one sample (Fang et al., DepGraph, arXiv 2301.12900); a function that mixes channels, it does not know.

    Raises:
        SubjectError: the subject has no samples or fails on them, Torch-Pruning cannot follow it, or what is left does
            not run, or gives outputs of another shape.
        TargetError, MaskError: the masks are not for this subject.
    """
    example = tuple(tensor[:1] for tensor in require_samples(subject))
    model = permanent_model(subject, masks)
    before = _output(subject, model, example)
    empty = {each.name: tuple(np.flatnonzero(masks.empty_channels(each)).tolist()) for each in masks.targets}
    removed: dict[str, tuple[int, ...]] = dict.fromkeys(empty, ())
    left = {name: NOT_FOLLOWED for name, channels in empty.items() if channels}
    if any(empty.values()):
        with _ONE_AT_A_TIME:
            graph = ChannelGraph(subject, model, example)
            for coupled in graph.coupled:
                if places := _places(coupled, empty, left):
                    graph.cut(coupled, places)
                    for maker, channels in zip(coupled.makers, coupled.places, strict=True):
                        removed[maker.name] = tuple(sorted(c for place in places for c in channels.get(place, ())))
    _check(subject, model, example, before)
    return Cut(model.requires_grad_(False), MappingProxyType(empty), MappingProxyType(removed), MappingProxyType(left))


def output_layers(subject: Subject) -> tuple[str, ...]:
    """The targets whose channels are the network's outputs: without them it would give fewer answers.

    Raises:
        SubjectError: the subject has no samples or fails on them, or Torch-Pruning cannot follow it.
    """
    example = tuple(tensor[:1] for tensor in require_samples(subject))
    model = subject.copy_model()
    _output(subject, model, example)
    with _ONE_AT_A_TIME:
        coupled = ChannelGraph(subject, model, example).coupled
    return tuple(maker.name for each in coupled if each.outputs for maker in each.makers)


def _places(coupled: Coupled, empty: Mapping[str, tuple[int, ...]], left: dict[str, str]) -> list[int]:
    """Where every maker is empty; notes in ``left`` why other empty channels of them stay."""
    names = [maker.name for maker in coupled.makers]
    wanted = [set(empty.get(name, ())) for name in names]
    if coupled.why_whole:
        left.update((name, coupled.why_whole) for name, channels in zip(names, wanted, strict=True) if channels)
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


def _check(subject: Subject, model: nn.Module, example: tuple[Tensor, ...], before: Tensor) -> None:
    try:
        after = list(_output(subject, model, example).shape)
    except SubjectError as error:
        after, cause = [], error.__cause__
        reason = f"fails with {type(cause).__name__}: {(str(cause).splitlines() or ['no message'])[0]}"
    else:
        reason = f"gives outputs {after} and not {list(before.shape)}"
    if after != list(before.shape):
        raise SubjectError(
            f"without its empty channels {subject.name} {reason}: its forward counts on all of them; "
            "freeze the layers that make these channels"
        )


def _output(subject: Subject, model: nn.Module, example: tuple[Tensor, ...]) -> Tensor:
    with torch.no_grad():
        output = first_tensor(call_network(subject, model, {}, example))
    if output is None:
        raise SubjectError(f"{subject.name} returns no tensor; wrap it in a module whose forward returns logits")
    return output
