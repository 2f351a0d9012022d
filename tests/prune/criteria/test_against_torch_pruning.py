"""Held against the importances of Torch-Pruning: the same numbers, or the same up to a factor."""

from typing import Any

import pytest
import torch
import torch_pruning as tp
from torch import Tensor, nn

from pruning_explorer import Subject
from tests.prune.criteria.tiny import scores_of


@pytest.fixture(scope="module")
def subject() -> Subject:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 5, 3),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * 64, 4),
    )
    for norm in (model[1], model[4]):
        nn.init.normal_(norm.weight)
    inputs = torch.randn(10, 2, 8, 8)
    return Subject.from_module(model, inputs, calibration=inputs, calibration_labels=torch.arange(10) % 4, name="small")


def group_of(model: nn.Module, layer: str, inputs: Tensor) -> Any:
    """Torch-Pruning's group of a layer's output channels."""
    graph = tp.DependencyGraph().build_dependency(model.eval(), example_inputs=inputs)
    module = model.get_submodule(layer)
    prune = tp.prune_linear_out_channels if isinstance(module, nn.Linear) else tp.prune_conv_out_channels
    return graph.get_pruning_group(module, prune, idxs=list(range(graph.get_out_channels(module))))


def theirs(subject: Subject, importance: Any, layer: str, labels: Tensor | None = None) -> Tensor:
    """What an importance says of the output channels of one layer."""
    model = subject.copy_model()
    assert subject.calibration is not None
    if labels is not None:
        nn.functional.cross_entropy(model(subject.calibration[0][: len(labels)]), labels).backward()
    scores: Tensor = importance(group_of(model, layer, subject.calibration[0][:1]))
    return scores.detach().double()


LAYERS = ("0", "3", "7")
FIRST: dict[str, Any] = {"group_reduction": "first", "normalizer": None}


@pytest.mark.parametrize("layer", LAYERS)
def test_magnitude(subject: Subject, layer: str) -> None:
    dim = subject.target(f"{layer}.weight").out_dim
    ours = scores_of(subject, "magnitude", f"{layer}.weight", f"channel:dim={dim},n=1")
    expected = theirs(subject, tp.importance.GroupMagnitudeImportance(p=1, **FIRST), layer)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradient(subject: Subject, layer: str) -> None:
    target = subject.target(f"{layer}.weight")
    ours = scores_of(subject, "gradient", target.name, f"channel:dim={target.out_dim},n=1")
    expected = theirs(subject, tp.importance.GroupTaylorImportance(**FIRST), layer, subject.calibration_labels)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_fisher(subject: Subject, layer: str) -> None:
    """Of one sample, whose squared gradient stands in for the Hessian: theirs keeps only the last one's."""
    assert subject.calibration is not None
    assert subject.calibration_labels is not None
    labels = subject.calibration_labels[:1]
    one = Subject.from_module(subject.model, calibration=subject.calibration[0][:1], calibration_labels=labels)
    importance = tp.importance.GroupHessianImportance(**FIRST)
    model = one.copy_model()
    nn.functional.cross_entropy(model(subject.calibration[0][:1]), labels).backward()
    importance.accumulate_grad(model)
    expected = importance(group_of(model, layer, subject.calibration[0][:1])).detach().double()
    target = one.target(f"{layer}.weight")
    ours = scores_of(one, "fisher", target.name, f"channel:dim={target.out_dim},n=1")
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("layer", LAYERS)
def test_lamp(subject: Subject, layer: str) -> None:
    target = subject.target(f"{layer}.weight")
    ours = scores_of(subject, "lamp", target.name, f"channel:dim={target.out_dim},n=2")
    expected = theirs(subject, tp.importance.LAMPImportance(group_reduction="first"), layer)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("layer", LAYERS)
def test_geometric_median(subject: Subject, layer: str) -> None:
    """Of weights that are not negative: theirs takes the distances of |w|."""
    model = subject.copy_model().requires_grad_(False)
    for name in LAYERS:
        model.get_parameter(f"{name}.weight").abs_()
    positive = Subject.from_module(model, calibration=subject.calibration)
    target = positive.target(f"{layer}.weight")
    ours = scores_of(positive, "fpgm", target.name, f"channel:dim={target.out_dim}")
    expected = theirs(positive, tp.importance.FPGMImportance(p=1, **FIRST), layer)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", ["0", "3"])
def test_batchnorm_scale(subject: Subject, layer: str) -> None:
    target = subject.target(f"{layer}.weight")
    ours = scores_of(subject, "bn-scale", target.name, f"channel:dim={target.out_dim}")
    torch.testing.assert_close(ours, theirs(subject, tp.importance.BNScaleImportance(normalizer=None), layer))


def test_mean_activation() -> None:
    """Theirs is of a layer's inputs: what comes out of the one before."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 3, 3))
    inputs = torch.randn(10, 2, 8, 8)
    found = Subject.from_module(model, inputs, calibration=inputs)
    importance = tp.pruner.importance.ActivationImportance(**FIRST)
    copied = found.copy_model()
    with importance.compute_importance(copied):
        copied(inputs)
    # What its hook left on the first layer is of that one's inputs, and is not asked for
    expected = importance(group_of(copied, "0", inputs[:1])).double()
    ours = scores_of(found, "mean-activation", "0.weight", "channel")
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-7)
