"""What a network takes, as far as its first layer and its present samples tell."""

from torch import nn

from pruning_explorer.prune.network import sample_shapes
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import CONVOLUTIONS, Target, layer_class

PLACES = {nn.Conv1d: "L", nn.Conv2d: "H, W", nn.Conv3d: "D, H, W"}


def first_layer(subject: Subject) -> Target | None:
    """The weight of the layer that was made first, which is nearly always the one that sees the inputs."""
    return next((each for each in subject.targets if each.is_weight), None)


def class_of(subject: Subject, target: Target) -> type[nn.Module]:
    """The class of a target's layer."""
    return layer_class(subject.model.get_submodule(target.module))


def what_it_takes(subject: Subject) -> str:
    """What is known of the inputs that a network takes, in words."""
    known = []
    first = first_layer(subject)
    if first is not None:
        where = f" {first.module}" if first.module else ""
        known.append(f"the network's first layer{where} ({first.layer_type}) takes {_taken(subject, first)}")
    if subject.samples:
        known.append(f"it is run on {sample_shapes(subject.samples)} now")
    return ", and ".join(known) or "the network says nothing of its inputs"


def _taken(subject: Subject, first: Target) -> str:
    kind, dtype = class_of(subject, first), str(first.dtype).removeprefix("torch.")
    if issubclass(kind, nn.Embedding | nn.EmbeddingBag):
        return f"whole numbers from 0 to {first.shape[0] - 1}, such as int64 [N, T]"
    if issubclass(kind, nn.Linear):
        return f"{dtype} [N, …, {first.shape[1]}]"
    if issubclass(kind, CONVOLUTIONS):
        channels = first.shape[1] * int(getattr(subject.model.get_submodule(first.module), "groups", 1))
        places = next(places for convolution, places in PLACES.items() if issubclass(kind, convolution))
        return f"{dtype} [N, {channels}, {places}]"
    return f"what its {dtype} weight {list(first.shape)} fits"
