"""Explore with layers that are not offered: they are listed with the reason, and everything else works."""

import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from pruning_explorer import Subject
from pruning_explorer.prune.targets import StoredLayer
from pruning_explorer.ui import subjects
from tests.ui.page import Page

Open = Callable[..., Page]


def odd_layer(kind: str) -> nn.Module:
    layer = nn.Linear(6, 6)
    with warnings.catch_warnings(action="ignore"):  # torch will let go of some of these; people still have them
        if kind == "quantised":
            return torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), {nn.Linear})
        if kind == "weight norm":
            return nn.utils.weight_norm(layer)
        if kind == "spectral norm":
            return nn.utils.spectral_norm(layer)
    if kind == "parametrized":
        return parametrizations.orthogonal(layer)
    return layer.bfloat16()


def with_samples(kind: str) -> Subject:
    torch.manual_seed(0)
    inputs = torch.randn(12, 6)
    network = nn.Sequential(odd_layer(kind), nn.ReLU(), nn.Linear(6, 3))
    if kind == "bfloat16":
        network, inputs = network.bfloat16(), inputs.bfloat16()
    return Subject.from_module(network, inputs, torch.arange(12) % 3, name="odd")


def without_samples(kind: str) -> Subject:
    """Layers that no network here could compute with, beside one that it could."""
    layer = StoredLayer("Linear")
    values = torch.eye(6)
    if kind == "meta":
        values = torch.empty(6, 6, device="meta")
    elif kind == "float8":
        values = values.to(torch.float8_e4m3fn)
    else:
        values = values.to(torch.uint8)
    layer.weight = nn.Parameter(values, requires_grad=False)
    return Subject.from_module(nn.Sequential(layer, nn.Linear(6, 3)), name="odd", runnable=kind != "packed")


@pytest.fixture
def show(open_page: Open) -> Iterator[Callable[[Subject], Page]]:
    def opened(subject: Subject) -> Page:
        subjects._OPERATORS["odd"] = subject
        return open_page(subject="odd", amount="0.5")

    yield opened
    subjects._OPERATORS.pop("odd", None)


@pytest.mark.parametrize("kind", ["quantised", "weight norm", "spectral norm", "parametrized", "bfloat16"])
@pytest.mark.filterwarnings("ignore:.*(quantiz|quantis|weight_norm)")
def test_a_network_that_runs(show: Callable[[Subject], Page], kind: str) -> None:
    page = show(with_samples(kind))
    assert page.errors == []
    assert page.layers == (["0.weight", "2.weight"] if kind == "bfloat16" else ["2.weight"])
    metrics = page.metrics
    assert metrics["Sparsity"].value == "50.0 %"
    assert "–" not in [metrics[name].value for name in ("Parameters", "Accuracy", "Drift, nats", "Multiply-adds")]
    for tab in ("Drift by layer", "By class", "Numbers", "Code and recipe"):
        page.open(tab)
        assert page.errors == []


@pytest.mark.parametrize("kind", ["meta", "float8", "packed"])
def test_a_network_that_cannot_run(show: Callable[[Subject], Page], kind: str) -> None:
    """Of 36 + 18 + 3 parameters half of the 18 go; the identity has 30 zeros, where they can be counted."""
    page = show(without_samples(kind))
    assert page.errors == []
    assert page.layers == ["1.weight"]
    assert page.metrics["Parameters"].value == ("18" if kind == "float8" else "48")
    assert ("not counted" in page.metrics["Parameters"].help) == (kind != "float8")
    for tab in ("Outputs", "Drift by layer", "By class", "Numbers", "Code and recipe"):
        page.open(tab)
        assert page.errors == []
