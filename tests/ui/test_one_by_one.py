"""A large checkpoint is looked at layer by layer, on every page."""

import torch
from torch import nn

from pruning_explorer import Recipe, Subject
from pruning_explorer.prune.targets import StoredLayer
from pruning_explorer.ui.one_by_one import ONE_LAYER_FROM, beginning, first_layer, one_by_one
from pruning_explorer.ui.shared_controls import fitting


def checkpoint(rows: int) -> Subject:
    """An embedding that takes no memory, whatever its size, and two layers."""
    network = nn.Module()
    for name, kind, shape in (
        ("embed", "Embedding", (rows, 1024)),
        ("up", "Linear", (8, 4)),
        ("down", "Linear", (4, 8)),
    ):
        layer = StoredLayer(kind)
        layer.weight = nn.Parameter(torch.zeros(1).expand(shape), requires_grad=False)
        network.add_module(name, layer)
    return Subject.from_module(network, name="checkpoint", runnable=False, identity=b"it")


def test_only_a_large_checkpoint_begins_with_one_layer() -> None:
    assert not one_by_one(checkpoint(4))
    large = checkpoint(ONE_LAYER_FROM // 1024)
    assert one_by_one(large)
    assert first_layer(large).name == "up.weight"
    assert not one_by_one(Subject.from_module(nn.Linear(3, 2)))


def test_a_recipe_that_names_no_layers_begins_with_the_first_and_one_that_does_keeps_them() -> None:
    large, small = checkpoint(ONE_LAYER_FROM // 1024), checkpoint(4)
    assert beginning(Recipe(amount=0.3), large) == Recipe(amount=0.3, targets=("up.weight",))
    assert beginning(Recipe(), small) == Recipe()
    named = Recipe(targets=("down.weight",))
    assert beginning(named, large) == named
    assert fitting(Recipe(targets=("elsewhere.weight",)), large).targets == ("up.weight",)
    assert fitting(named, large) == named
