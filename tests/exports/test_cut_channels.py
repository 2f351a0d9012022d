"""Channels cut out, held against networks that torch alone makes smaller."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils import prune
from transformers.modeling_outputs import SequenceClassifierOutput

from pruning_explorer import Masks, Recipe, Subject, compute_masks, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.exports import couplings
from pruning_explorer.exports.cut_channels import cut_channels, output_layers
from pruning_explorer.exports.pruned_models import masked_model, permanent_model
from pruning_explorer.prune.outputs import all_tensors
from pruning_explorer.sources.networks import DigitsCNN, DigitsMLP
from pruning_explorer.sources.sample_data import SAMPLE_MODELS


def trained(network: type[nn.Module], name: str) -> nn.Module:
    model = network()
    model.load_state_dict(load_file(SAMPLE_MODELS / "weights" / f"{name}.safetensors"))
    return model.eval()


def empty_rows(layer: nn.Module, amount: float) -> Tensor:
    """Which rows ``ln_structured`` zeroes; it stays on the layer, for good."""
    prune.ln_structured(layer, "weight", amount, n=2, dim=0)
    prune.remove(layer, "weight")
    return ~layer.weight.flatten(1).any(dim=1)


def by_row(subject: Subject, empty: dict[str, list[int]]) -> Masks:
    masks = {}
    for name, rows in empty.items():
        masks[name] = torch.ones(subject.target(name).shape, dtype=torch.bool)
        masks[name][rows] = False
    return Masks.from_dict(subject, masks)


def outputs(model: nn.Module, *inputs: Tensor) -> Tensor:
    with torch.no_grad():
        return model(*inputs)


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.5, 0.9])
def test_a_chain_of_layers_keeps_the_rows_that_torch_keeps_and_their_columns_further_on(amount: float) -> None:
    subject = load_subject("digits-mlp")
    recipe = Recipe(granularity="channel:dim=0,n=2", amount=amount, frozen=("fc3.weight",))
    cut = cut_channels(subject, compute_masks(subject, recipe))

    model = trained(DigitsMLP, "digits-mlp")
    kept1, kept2 = ~empty_rows(model.fc1, amount), ~empty_rows(model.fc2, amount)
    expected = {
        "fc1.weight": model.fc1.weight[kept1],
        "fc1.bias": model.fc1.bias[kept1],
        "fc2.weight": model.fc2.weight[kept2][:, kept1],
        "fc2.bias": model.fc2.bias[kept2],
        "fc3.weight": model.fc3.weight[:, kept2],
        "fc3.bias": model.fc3.bias,
    }
    assert cut.model.state_dict().keys() == expected.keys()
    for name, tensor in cut.model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    a, b = int(kept1.sum()), int(kept2.sum())
    assert (a, b) == (300 - round(amount * 300), 100 - round(amount * 100))
    assert sum(p.numel() for p in cut.model.parameters()) == 65 * a + (a + 1) * b + (b + 1) * 10
    assert cut.channels_empty == cut.channels_removed == 400 - a - b
    assert not cut.left


def test_the_cut_network_is_the_masked_one_without_the_constants_of_its_empty_channels() -> None:
    subject = load_subject("digits-mlp")
    recipe = Recipe(granularity="channel", amount=0.5, frozen=("fc3.weight",))
    cut = cut_channels(subject, compute_masks(subject, recipe))
    assert subject.samples is not None

    model = trained(DigitsMLP, "digits-mlp")
    empty = {layer: empty_rows(layer, 0.5) for layer in (model.fc1, model.fc2)}
    masked, smaller = outputs(model, *subject.samples), outputs(cut.model, *subject.samples)
    assert (masked - smaller).abs().max() > 0.1
    for layer, rows in empty.items():
        layer.bias.data[rows] = 0
    torch.testing.assert_close(outputs(model, *subject.samples), smaller, rtol=0, atol=1e-5)


@pytest.mark.parametrize("amount", [0.5, 0.75])
def test_what_a_shortcut_adds_up_goes_only_where_all_of_it_is_empty(amount: float) -> None:
    subject = load_subject("digits-cnn")
    recipe = Recipe(granularity="channel", amount=amount, frozen=("fc.weight",))
    cut = cut_channels(subject, compute_masks(subject, recipe))
    assert subject.samples is not None

    model = trained(DigitsCNN, "digits-cnn")
    one, two = model.block1, model.block2
    stem, first, second = (empty_rows(layer, amount) for layer in (model.conv1, one.conv1, two.conv1))
    ends = [empty_rows(layer, amount) for layer in (one.conv2, one.shortcut, two.conv2)]
    summed = ends[0] & ends[1] & ends[2]
    asked = sum(int(rows.sum()) for rows in (stem, first, second, *ends))
    gone = sum(int(rows.sum()) for rows in (stem, first, second)) + 3 * int(summed.sum())
    assert 0 < gone < asked
    assert (cut.channels_empty, cut.channels_removed) == (asked, gone)
    assert list(cut.removed["block1.shortcut.weight"]) == summed.nonzero().flatten().tolist()
    assert "block2.conv2.weight" in cut.left["block1.conv2.weight"]
    assert "conv1.weight" not in cut.left
    shapes = {name: tuple(tensor.shape) for name, tensor in cut.model.state_dict().items()}
    s, f, g, e = (int((~rows).sum()) for rows in (stem, first, second, summed))
    assert shapes["conv1.weight"] == (s, 1, 3, 3)
    assert shapes["block1.conv1.weight"] == (f, s, 3, 3)
    assert shapes["block1.conv2.weight"] == (e, f, 3, 3)
    assert shapes["block1.shortcut.weight"] == (e, s, 1, 1)
    assert shapes["block2.conv1.weight"] == (g, e, 3, 3)
    assert shapes["block2.bn2.running_var"] == (e,)
    assert shapes["fc.weight"] == (10, e)
    # Without what bias and BatchNorm say in place of an empty channel, the masked network is the cut one
    norms = ((model.bn1, stem), (one.bn1, first), (one.bn2, summed), (two.bn1, second), (two.bn2, summed))
    for norm, rows in norms:
        norm.bias.data[rows] = norm.running_mean[rows] = 0
    one.shortcut.bias.data[summed] = 0
    torch.testing.assert_close(
        outputs(model, *subject.samples), outputs(cut.model, *subject.samples), rtol=0, atol=1e-4
    )


class Joined(nn.Module):
    """Two convolutions side by side, one of them split per channel after, joined, and read by a Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(2, 6, 3, bias=False)
        self.right = nn.Conv2d(2, 4, 3, bias=False)
        self.each = nn.Conv2d(10, 10, 1, groups=10, bias=False)
        self.up = nn.ConvTranspose2d(10, 5, 2, bias=False)
        self.fc = nn.Linear(5 * 9, 3)

    def forward(self, images: Tensor) -> Tensor:
        joined = self.each(torch.cat([self.left(images), self.right(images)], dim=1).relu())
        return self.fc(self.up(joined).relu().flatten(1))


def test_joined_split_transposed_and_flattened_channels_are_found_again() -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 2, 4, 4)
    subject = Subject.from_module(Joined(), images)
    masks = {name: torch.ones(subject.target(name).shape, dtype=torch.bool) for name in ("left.weight", "right.weight")}
    masks["left.weight"][[0, 3]] = False
    masks["right.weight"][[1, 2]] = False
    masks["each.weight"] = torch.ones(10, 1, 1, 1, dtype=torch.bool)
    masks["each.weight"][[0, 3, 6 + 1]] = False
    masks["up.weight"] = torch.ones(10, 5, 2, 2, dtype=torch.bool)
    masks["up.weight"][:, [4]] = False
    made = Masks.from_dict(subject, masks)
    cut = cut_channels(subject, made)
    assert dict(cut.removed) == {
        "left.weight": (0, 3),
        "right.weight": (1,),
        "each.weight": (0, 3, 7),
        "up.weight": (4,),
    }
    assert "each.weight" in cut.left["right.weight"]
    assert cut.model.fc.weight.shape == (3, 4 * 9)
    torch.testing.assert_close(outputs(permanent_model(subject, made), images), outputs(cut.model, images))


def test_one_channel_stays_where_all_are_empty() -> None:
    subject = load_subject("spirals-mlp")
    cut = cut_channels(subject, by_row(subject, {"fc1.weight": list(range(16))}))
    assert cut.removed["fc1.weight"] == tuple(range(1, 16))
    assert cut.left == {"fc1.weight": "one channel has to stay"}
    assert cut.model.fc2.weight.shape == (16, 1)


def test_nothing_is_cut_for_single_weights_and_zeros_stay() -> None:
    subject = load_subject("digits-mlp")
    masks = compute_masks(subject, Recipe(amount=0.5))
    cut = cut_channels(subject, masks)
    assert cut.channels_empty == cut.channels_removed == 0
    expected = permanent_model(subject, masks).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in cut.model.state_dict().items())


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight
        self.fc = nn.Linear(4, 2)

    def forward(self, vectors: Tensor) -> Tensor:
        return self.fc(self.b(self.a(vectors).relu()).relu())


@pytest.mark.parametrize(
    ("make", "name", "why"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2)), "0.weight", "1 computes over all"),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU()), "0.weight", "the network's outputs"),
        (
            lambda: nn.Sequential(nn.Conv1d(4, 4, 1, groups=2), nn.Flatten(), nn.Linear(4, 2)),
            "0.weight",
            "grouped convolution",
        ),
        (Tied, "a.weight", "tied to b.weight"),
    ],
)
def test_what_stays_is_said(make: Callable[[], nn.Module], name: str, why: str) -> None:
    torch.manual_seed(0)
    model = make()
    samples = torch.randn(3, 4, 1) if isinstance(next(model.children()), nn.Conv1d) else torch.randn(3, 4)
    subject = Subject.from_module(model, samples)
    masks = by_row(subject, {name: [1]})
    cut = cut_channels(subject, masks)
    assert cut.removed == {name: ()}
    assert why in cut.left[name]
    assert torch.equal(outputs(cut.model, samples), outputs(permanent_model(subject, masks), samples))


def test_the_layers_that_make_the_outputs() -> None:
    assert output_layers(load_subject("digits-mlp")) == ("fc3.weight",)
    assert output_layers(load_subject("digits-cnn")) == ("fc.weight",)


class Reading(nn.Module):
    """A recurrent layer between two that are not."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.first, self.read = nn.Linear(6, 8), kind(8, 5, batch_first=True)
        self.fc, self.out = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, rows: Tensor) -> Tensor:
        return self.out(self.fc(self.read(self.first(rows))[0][:, -1]).relu())


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
def test_a_recurrent_network_is_refused(kind: type[nn.RNNBase]) -> None:
    subject = Subject.from_module(Reading(kind), torch.randn(3, 2, 6))
    with pytest.raises(SubjectError, match=rf"cannot follow my-model.*read is a recurrent layer, {kind.__name__}"):
        cut_channels(subject, by_row(subject, {"fc.weight": [0]}))


def test_a_way_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couplings, "MOST_VISITS", 0)
    with pytest.raises(SubjectError, match=r"cannot follow digits-mlp.*it goes in circles"):
        output_layers(load_subject("digits-mlp"))


class Counting(nn.Module):
    """Its forward says how many channels there are."""

    def __init__(self, outputs: bool) -> None:
        super().__init__()
        self.a, self.fc = nn.Linear(4, 6), nn.Linear(6, 2)
        self.outputs = outputs

    def forward(self, vectors: Tensor) -> Tensor:
        hidden = self.a(vectors).relu()
        return torch.cat([self.fc(hidden), hidden.detach()], dim=1) if self.outputs else self.fc(hidden + torch.ones(6))


@pytest.mark.parametrize(("told", "why"), [(True, "gives outputs [1, 7] and not [1, 8]"), (False, "RuntimeError")])
def test_a_layer_on_whose_channels_the_network_counts_stays_whole(told: bool, why: str) -> None:
    samples = torch.randn(3, 4)
    subject = Subject.from_module(Counting(told), samples)
    masks = by_row(subject, {"a.weight": [2]})
    cut = cut_channels(subject, masks)
    assert cut.removed == {"a.weight": ()}
    assert why in cut.left["a.weight"]
    assert torch.equal(outputs_of(cut.model, samples)[0], outputs(permanent_model(subject, masks), samples))


class Between(nn.Module):
    """Something that channels go through between two layers, and two layers that nothing is between."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 8), nn.Linear(8, 6), nn.Linear(6, 3)
        self.pair, self.how = nn.Linear(2, 2), how

    def forward(self, vectors: Tensor) -> Tensor:
        hidden = self.a(vectors).relu()
        rows = len(hidden)
        if self.how == "groups of two":
            hidden = hidden.view(rows, 4, 2).transpose(1, 2).reshape(rows, 8)
        elif self.how == "four groups":  # which runs with any number of channels
            hidden = hidden.view(rows, 4, -1).transpose(1, 2).reshape(rows, -1)
        elif self.how == "softmax":
            hidden = hidden.softmax(dim=1)
        else:
            hidden = self.pair(hidden.view(rows, 4, 2)).reshape(rows, 8)
        return self.c(self.b(hidden).relu())


@pytest.mark.parametrize("how", ["groups of two", "four groups", "softmax", "a layer"])
def test_what_mixes_channels_leaves_its_layer_whole_and_the_rest_is_cut(how: str) -> None:
    torch.manual_seed(0)
    model, samples = Between(how), torch.randn(5, 4)
    model.b.bias.data[[0, 3]] = 0
    subject = Subject.from_module(model, samples)
    masks = by_row(subject, {"a.weight": [1, 2, 5, 7], "b.weight": [0, 3]})
    cut = cut_channels(subject, masks)
    assert cut.removed == {"a.weight": (), "b.weight": (0, 3)}
    assert "without them the network" in cut.left["a.weight"]
    torch.testing.assert_close(outputs(permanent_model(subject, masks), samples), outputs(cut.model, samples))


@dataclass
class Answer:
    logits: Tensor
    features: Tensor


class Returning(nn.Module):
    """A trunk, two heads, and the features between as a further output; or two heads alone."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.stem, self.trunk = nn.Linear(4, 8), nn.Linear(8, 6)
        self.left, self.right = nn.Linear(6, 3), nn.Linear(6, 2)
        self.how = how

    def forward(self, vectors: Tensor) -> object:
        features = self.trunk(self.stem(vectors).relu()).relu()
        logits = self.left(features)
        return {
            "tuple": lambda: (logits, features),
            "list": lambda: [logits, [features]],
            "dict": lambda: {"logits": logits, "more": {"features": features}},
            "dataclass": lambda: Answer(logits, features),
            "model output": lambda: SequenceClassifierOutput(logits=logits, hidden_states=(features,)),
            "two heads": lambda: (logits, self.right(features)),
        }[self.how]()


def outputs_of(model: nn.Module, *inputs: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return all_tensors(model(*inputs))


@pytest.mark.parametrize("how", ["tuple", "list", "dict", "dataclass", "model output", "two heads"])
def test_whatever_the_network_returns_keeps_its_channels(how: str) -> None:
    torch.manual_seed(0)
    model, samples = Returning(how), torch.randn(5, 4)
    for layer in (model.stem, model.trunk):
        layer.bias.data.zero_()
    subject = Subject.from_module(model, samples)
    masks = by_row(subject, {"stem.weight": [1, 5], "trunk.weight": [0, 2]})
    cut = cut_channels(subject, masks)
    heads = how == "two heads"
    assert cut.removed == {"stem.weight": (1, 5), "trunk.weight": (0, 2) if heads else ()}
    assert cut.left == ({} if heads else {"trunk.weight": couplings.OUTPUTS})
    for found, expected in zip(
        outputs_of(cut.model, samples), outputs_of(permanent_model(subject, masks), samples), strict=True
    ):
        torch.testing.assert_close(found, expected)
    ends = output_layers(subject)
    assert set(ends) == ({"left.weight", "right.weight"} if heads else {"left.weight", "trunk.weight"})


def test_weights_alone_cannot_be_followed() -> None:
    subject = Subject.from_module(nn.Linear(4, 2))
    with pytest.raises(SubjectError, match="has no samples"):
        cut_channels(subject, by_row(subject, {"weight": [0]}))


def test_the_subject_is_not_touched() -> None:
    subject = load_subject("digits-cnn")
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    cut = cut_channels(subject, compute_masks(subject, Recipe(granularity="channel", amount=0.5)))
    after = subject.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    own = {tensor.data_ptr() for tensor in after.values()}
    assert own.isdisjoint(tensor.data_ptr() for tensor in cut.model.state_dict().values() if tensor.numel() > 1)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in cut.model.modules())


def test_masked_and_permanent_copies_are_torchs_own() -> None:
    subject = load_subject("digits-mlp")
    masks = compute_masks(subject, Recipe(amount=0.3, targets=("fc1.weight", "fc2.weight")))
    masked, permanent = masked_model(subject, masks), permanent_model(subject, masks)
    model = trained(DigitsMLP, "digits-mlp")
    for layer in (model.fc1, model.fc2):
        prune.l1_unstructured(layer, "weight", 0.3)
    expected = model.state_dict()
    assert masked.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in masked.state_dict().items())
    for layer in (model.fc1, model.fc2):
        prune.remove(layer, "weight")
    expected = model.state_dict()
    assert permanent.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in permanent.state_dict().items())


def test_statistics_that_were_measured_again_go_along() -> None:
    subject = load_subject("digits-cnn")
    recipe = Recipe(granularity="channel", amount=0.5, recalibrate=True, frozen=("fc.weight",))
    cut = cut_channels(subject, compute_masks(subject, recipe))
    kept = [channel for channel in range(16) if channel not in cut.removed["conv1.weight"]]
    assert subject.calibration is not None
    model = trained(DigitsCNN, "digits-cnn")
    empty_rows(model.conv1, 0.5)
    stem = outputs(model.conv1, *subject.calibration)
    torch.testing.assert_close(cut.model.bn1.running_mean, stem.mean(dim=(0, 2, 3))[kept])
    torch.testing.assert_close(cut.model.bn1.running_var, stem.var(dim=(0, 2, 3))[kept])
