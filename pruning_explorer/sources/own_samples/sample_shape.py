"""Arrays in the shape that a network takes, where the same numbers are written in another one."""

from math import prod

from torch import Tensor, nn

from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.taken_inputs import PLACES, class_of, first_layer

CHANNELS = (1, 3, 4)
"""How many channels images have; of other arrays it is not guessed which dim is the channels."""

Shape = tuple[int, ...]


def in_shape(subject: Subject, inputs: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """The only input ``[N, ...]`` of a network in the shape that it takes, as far as that is known.

    ``[N, F]``, ``[N, H, W]`` and ``[N, 1, H, W]`` are the same numbers, and so is ``[N, H, W, C]``. What the network is
    run on now says which of them it takes, else its first layer. What is none of these stays as it is.

    Returns:
        The inputs, and a sentence where their dims were put in another order.
    """
    one = tuple(inputs.shape[1:])
    if subject.samples:
        now = subject.samples[0]
        taken: Shape = tuple(now.shape[1:])
        if one == taken or not now.is_floating_point() or not one:
            return inputs, ()
        if _same_numbers(one, taken):
            return inputs.reshape(len(inputs), *taken), ()
        if len(one) == len(taken) >= 3 and one == (*taken[1:], taken[0]):
            return _channels_first(inputs)
    return _for_first_layer(subject, inputs)


def _same_numbers(one: Shape, taken: Shape) -> bool:
    """Whether both are the same numbers in the same order, whatever the dims of size 1."""
    bare, wanted = _bare(one), _bare(taken)
    if prod(one) != prod(taken):
        return False
    return bare == wanted or len(one) == 1 or (len(taken) == 1 and len(bare) <= 2)


def _bare(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _for_first_layer(subject: Subject, inputs: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    first, one = first_layer(subject), tuple(inputs.shape[1:])
    if first is None:
        return inputs, ()
    kind = class_of(subject, first)
    places = next((len(PLACES[each].split(", ")) for each in PLACES if issubclass(kind, each)), None)
    if places is not None:
        channels = first.shape[1] * int(getattr(subject.model.get_submodule(first.module), "groups", 1))
        now = subject.samples
        if channels == 1 and len(one) == places and (not now or now[0].dim() == places + 2):
            return inputs.unsqueeze(1), ()
        last = len(one) == places + 1 > 2 and one[-1] == channels in CHANNELS
        if last and one[0] != channels and not now:
            return _channels_first(inputs)
        return inputs, ()
    flat = len(one) > 1 and one[-1] != first.shape[1] == prod(one) and len(_bare(one)) <= 2
    if flat and issubclass(kind, nn.Linear) and not subject.samples:
        return inputs.flatten(1), ()
    return inputs, ()


def _channels_first(inputs: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """``[N, ..., C]`` as ``[N, C, ...]``."""
    return inputs.movedim(-1, 1).contiguous(), ("Its channels, which come last in the file, are put first.",)
