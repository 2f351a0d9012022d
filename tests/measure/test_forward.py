import copy
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from pruning_explorer.errors import MaskError, SubjectError, TargetError
from pruning_explorer.measure.forward import (
    dense_outputs,
    layer_outputs,
    leaf_modules,
    masked_outputs,
    run_subject,
)
from pruning_explorer.measure.masking import masked_weights
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

Make = Callable[..., Subject]


class Wrapped(nn.Module):
    """A linear layer whose output goes through ``wrap``."""

    def __init__(self, wrap: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.wrap = wrap

    def forward(self, x: Tensor) -> object:
        return self.wrap(self.fc(x))


class Last(nn.Module):
    """A recurrent layer and a head on its last state."""

    def __init__(self, layer: nn.Module, features: int) -> None:
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(features, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0][:, -1])


class Tied(nn.Module):
    """A language model whose head is its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(torch.tanh(self.embedding(tokens)))


def attention() -> nn.Module:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.attention(x, x, x, need_weights=False)[0][:, 0])

    return Attention()


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(8, 3))


def sequence(seed: int = 3) -> Tensor:
    return torch.randn(6, 5, 8, generator=torch.Generator().manual_seed(seed))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "gru": (lambda: Last(nn.GRU(8, 4, 2, batch_first=True, bidirectional=True), 8), sequence()),
    "lstm": (lambda: Last(nn.LSTM(8, 4, 2, batch_first=True, bidirectional=True), 8), sequence()),
    "rnn": (lambda: Last(nn.RNN(8, 4, batch_first=True), 4), sequence()),
    "attention": (attention, sequence()),
    "encoder": (encoder, sequence()),
    "tied": (Tied, torch.arange(12).reshape(3, 4) % 7),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose1d(5, 4, 3), nn.BatchNorm1d(4), nn.Flatten(), nn.Linear(40, 3)),
        sequence(),
    ),
}


@pytest.mark.parametrize("granularity", ["element", "channel:dim=0,n=2"])
@pytest.mark.parametrize("name", NETWORKS)
def test_masked_outputs_are_those_of_a_copy_with_the_weights_written_in(
    make: Make, name: str, granularity: str
) -> None:
    build, samples = NETWORKS[name]
    subject = make(build, samples)
    masks = compute_masks(subject, Recipe(amount=0.5, granularity=granularity, embeddings=True))
    written = copy.deepcopy(subject.model)
    masks.apply(written)
    for target in masks.targets:
        for each in (target.name, *target.aliases):
            path, _, leaf = each.rpartition(".")
            prune.remove(written.get_submodule(path), leaf)
    with torch.inference_mode():
        expected, dense = written(samples), copy.deepcopy(subject.model)(samples)
    assert torch.equal(masked_outputs(subject, masks), expected)
    assert torch.equal(dense_outputs(subject), dense)
    assert not torch.equal(expected, dense)


def test_masking_by_hand(by_hand: Subject) -> None:
    masks = Masks.from_dict(by_hand, {"weight": torch.tensor([[0, 1], [1, 1]])})
    outcome = run_subject(by_hand, masks)
    assert outcome.dense.tolist() == [[2, 0], [0, 1], [6, 1]]
    assert outcome.pruned.tolist() == [[0, 0], [0, 1], [0, 1]]


def test_a_removed_infinity_is_zero(make: Make) -> None:
    subject = make(lambda: nn.Linear(2, 2, bias=False), torch.ones(1, 2))
    subject.weight("weight")[:] = torch.tensor([[torch.inf, 1.0], [2.0, torch.nan]])
    masks = Masks.from_dict(subject, {"weight": torch.tensor([[0, 1], [1, 0]])})
    assert masked_outputs(subject, masks).tolist() == [[1, 2]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_masked_weights_are_exact(make: Make, dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    subject = make(lambda: nn.Conv2d(3, 4, 3).to(dtype).to(memory_format=memory_format))
    weight = subject.weight("weight")
    masks = compute_masks(subject, Recipe(amount=0.4))
    weight[0, 0, 0] = torch.tensor([-torch.inf, torch.nan, -0.0], dtype=dtype)
    masked = masked_weights(subject, masks)["weight"]
    expected = torch.where(masks["weight"], weight, 0)
    assert torch.equal(masked.nan_to_num(7), expected.nan_to_num(7))
    assert (masked.dtype, masked.stride()) == (dtype, weight.stride())


def test_dense_outputs_are_computed_once(everything: Subject) -> None:
    assert dense_outputs(everything) is dense_outputs(everything)


def test_equal_weights_do_not_make_equal_networks(make: Make) -> None:
    samples = -torch.ones(2, 4)
    relu = make(lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()), samples)
    tanh = make(lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh()), samples)
    assert torch.equal(relu.weight("0.weight"), tanh.weight("0.weight"))
    assert not torch.equal(dense_outputs(relu), dense_outputs(tanh))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: (y, None),
        lambda y: [None, y],
        lambda y: {"loss": y.sum(), "logits": y},
        lambda y: {"out": y},
        lambda y: SimpleNamespace(logits=y),
        lambda y: ((y, y), y),
    ],
)
def test_the_first_tensor_of_whatever_comes_out_counts(make: Make, wrap: Callable[[Tensor], object]) -> None:
    samples = torch.ones(2, 4)
    assert torch.equal(
        dense_outputs(make(lambda: Wrapped(wrap), samples)), dense_outputs(make(lambda: Wrapped(lambda y: y), samples))
    )


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda y: None, "returns a NoneType"),
        (lambda y: {"text": "hello"}, "a dict with the keys 'text'"),
        (lambda y: (1, "a"), "a tuple of \\(int, str\\)"),
        (lambda y: y.argmax(-1), "int64 \\[2\\]"),
        (lambda y: y[:, 0], "float32 \\[2\\]"),
        (lambda y: y[:1], "for 2 samples; make its output batch first"),
        (lambda y: y[:, :0], "float32 \\[2, 0\\]"),
        (lambda y: y @ y, "failed on its samples of float32 \\[2, 4\\] with RuntimeError"),
    ],
)
def test_no_logits_is_an_error_that_says_what_came_out(make: Make, wrap: Callable[[Tensor], object], said: str) -> None:
    with pytest.raises(SubjectError, match=said):
        dense_outputs(make(lambda: Wrapped(wrap), torch.ones(2, 4)))


def test_no_samples_is_an_error_that_says_what_to_do(make: Make) -> None:
    with pytest.raises(SubjectError, match=r"has no samples.*Subject\.from_module\(model, samples="):
        dense_outputs(make(lambda: nn.Linear(2, 2)))


def test_masks_of_another_network_are_refused(make: Make) -> None:
    small, large = make(lambda: nn.Linear(2, 2), torch.ones(1, 2)), make(lambda: nn.Linear(4, 2), torch.ones(1, 4))
    other = make(lambda: nn.Sequential(nn.Linear(2, 2)), torch.ones(1, 2))
    with pytest.raises(MaskError, match="made for another network"):
        masked_weights(large, compute_masks(small, Recipe()))
    with pytest.raises(TargetError, match="no parameter"):
        masked_outputs(other, compute_masks(small, Recipe()))


def test_a_network_that_writes_to_its_input_buffers_and_itself_writes_to_nobodys(make: Make) -> None:
    class Careless(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 3)
            self.register_buffer("calls", torch.zeros(()))
            self.before = 0.0

        def forward(self, x: Tensor) -> Tensor:
            x += 1
            self.calls += 1
            self.before += 1
            return self.fc(x) + self.calls + self.before

    samples = torch.ones(2, 4)
    subject = make(Careless, samples)
    masks = Masks.from_dict(subject, {"fc.weight": torch.ones(3, 4)})
    first = masked_outputs(subject, masks)
    assert torch.equal(first, masked_outputs(subject, masks))
    assert torch.equal(first, dense_outputs(subject))
    assert bool((samples == 1).all())
    assert subject.model.get_buffer("calls") == 0


def test_layer_outputs_in_the_order_of_running(everything: Subject) -> None:
    layers = layer_outputs(everything, None)
    assert list(layers) == ["conv", "bn", "relu", "attention", "gru", "head"]
    assert torch.equal(layers["head"], dense_outputs(everything))
    # The inplace ReLU must not reach what was kept of the layer before it
    assert bool((layers["bn"] < 0).any())
    assert torch.equal(layers["relu"], layers["bn"].relu())
    assert layers["attention"].shape == (24, 8, 8)
    assert layers["gru"].shape == (24, 8, 6)


def test_a_module_called_twice_counts_with_its_last_call(make: Make) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)
            self.act = nn.Tanh()

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.act(self.fc(x)))

    subject = make(Twice, torch.ones(2, 3))
    layers = layer_outputs(subject, None)
    assert list(layers) == ["act", "fc"]
    assert torch.equal(layers["fc"], dense_outputs(subject))


def test_containers_are_no_leaves() -> None:
    model = nn.Sequential(
        nn.Sequential(nn.Linear(2, 2), nn.ReLU()),
        nn.MultiheadAttention(2, 1),
        parametrizations.weight_norm(nn.Linear(2, 2)),
    )
    assert list(leaf_modules(model)) == ["0.0", "0.1", "1", "2"]
    assert list(leaf_modules(nn.Linear(2, 2))) == [""]
