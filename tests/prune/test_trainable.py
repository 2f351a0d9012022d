"""What a script leaves can be trained: two steps for each kind of layer, and the third pass computes under the mask."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import prune

from pruning_explorer import Masks, Recipe, Subject, compute_masks, load_subject, write_script
from pruning_explorer.exports.pruned_models import permanent_model
from pruning_explorer.prune.uncalled import readers_of


class Reads(nn.Module):
    """Packs two layers whose weights it reads; calls a third; has a fourth that nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = nn.ModuleDict({"q": nn.Linear(8, 8), "k": nn.Linear(8, 8, bias=False)})
        self.out = nn.Linear(8, 8)
        self.spare = nn.Linear(8, 8)

    def forward(self, inputs: Tensor) -> Tensor:
        read = nn.functional.linear(inputs, self.packed["q"].weight) @ self.packed["k"].weight
        return self.out(read)


class Outer(nn.Module):
    """A network that itself is only the caller of one that reads."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(Reads(), nn.Linear(8, 3))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs)


class Attends(nn.Module):
    """Attention, with keys and values as wide as the queries, or not: its weights then have other names."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, kdim=width, vdim=width, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        keys = inputs[..., : self.attention.kdim]
        return self.attention(inputs, keys, keys)[0]


class First(nn.Module):
    """The first of what a layer returns."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Tensor) -> Tensor:
        output = self.layer(*inputs)
        return output[0] if isinstance(output, tuple) else output


class Again(nn.Module):
    """A cell, called with its own state: the weights of the state do nothing at first, where it is zero."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, inputs: Tensor) -> Tensor:
        output = self.cell(inputs, self.cell(inputs))
        return output[0] if isinstance(output, tuple) else output


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Bilinear(8, 8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs, inputs)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, 8), nn.Linear(8, 9, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.embedding(tokens))


WORDS = torch.tensor([[1, 4, 2], [0, 8, 4]])
LAYERS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "Linear": (lambda: nn.Linear(8, 3), torch.ones(2, 8)),
    "Bilinear": (Twice, torch.ones(2, 8)),
    "Conv1d": (lambda: nn.Conv1d(8, 3, 3), torch.ones(2, 8, 6)),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3, groups=2), torch.ones(2, 4, 5, 5)),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2), torch.ones(2, 2, 4, 4, 4)),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(8, 3, 3), torch.ones(2, 8, 6)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, groups=2), torch.ones(2, 4, 5, 5)),
    "ConvTranspose3d": (lambda: nn.ConvTranspose3d(2, 3, 2), torch.ones(2, 2, 4, 4, 4)),
    "Embedding": (lambda: nn.Embedding(9, 8), WORDS),
    "Embedding, sparse": (lambda: nn.Embedding(9, 8, sparse=True), WORDS),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(9, 8), WORDS),
    "tied": (Tied, WORDS),
    "RNN": (lambda: First(nn.RNN(8, 4, 2, bidirectional=True)), torch.ones(5, 2, 8)),
    "LSTM": (lambda: First(nn.LSTM(8, 4, 2)), torch.ones(5, 2, 8)),
    "LSTM, projected": (lambda: First(nn.LSTM(8, 4, proj_size=2)), torch.ones(5, 2, 8)),
    "GRU": (lambda: First(nn.GRU(8, 4, batch_first=True)), torch.ones(2, 5, 8)),
    "RNNCell": (lambda: Again(nn.RNNCell(8, 4)), torch.ones(2, 8)),
    "LSTMCell": (lambda: Again(nn.LSTMCell(8, 4)), torch.ones(2, 8)),
    "GRUCell": (lambda: Again(nn.GRUCell(8, 4)), torch.ones(2, 8)),
    "MultiheadAttention": (Attends, torch.ones(2, 5, 8)),
    "MultiheadAttention, other widths": (lambda: Attends(6), torch.ones(2, 5, 8)),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True),
        torch.ones(2, 5, 8),
    ),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), 2),
        torch.ones(2, 5, 8),
    ),
    "read and not called": (Reads, torch.ones(2, 8)),
    "read deeper": (Outer, torch.ones(2, 8)),
}


def prepared(kind: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    make, like = LAYERS[kind]
    model = make()
    for parameter in model.parameters():
        nn.init.normal_(parameter)  # biases of attention begin at zero: ties, of which torch may choose others
    return model, like if not like.is_floating_point() else torch.randn(like.shape)


def train(model: nn.Module, inputs: Tensor, steps: int = 2) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()


def assert_masked(model: nn.Module, dense: nn.Module, masks: Masks, before: nn.Module, inputs: Tensor) -> None:
    """What it computes is what ``weight_orig`` times the mask gives in a network without a hook."""
    trained = dict(model.named_parameters())
    weights = {name: trained.get(name, trained.get(f"{name}_orig")) for name, _ in dense.named_parameters()}
    for name, mask in masks.items():
        weights[name] = torch.where(mask, trained[f"{name}_orig"], 0.0)
    still = [name for name in masks if torch.equal(trained[f"{name}_orig"], before.get_parameter(name))]
    assert all(name.rpartition("packed.q.b")[1] or "spare." in name for name in still), still  # which nobody uses
    found, expected = model(inputs), functional_call(dense, weights, (inputs,))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert bool(found.isfinite().all())


@pytest.mark.parametrize("biases", [False, True], ids=["weights", "biases too"])
@pytest.mark.parametrize("kind", LAYERS)
def test_two_steps_after_the_script(kind: str, biases: bool) -> None:
    dense, inputs = prepared(kind)
    subject = Subject.from_module(copy.deepcopy(dense), inputs)
    recipe = Recipe(
        amount=0.5, biases=biases, targets=tuple(t.name for t in subject.targets if biases or t.role != "bias")
    )
    model = subject.copy_model()
    exec(compile(write_script(subject, recipe), "script", "exec"), {"model": model})
    train(model, inputs)
    assert_masked(model, dense.train(), compute_masks(subject, recipe), dense, inputs)


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if not kind.startswith("read")])
def test_two_steps_after_apply(kind: str) -> None:
    dense, inputs = prepared(kind)
    masks = compute_masks(Subject.from_module(dense), Recipe(amount=0.5, embeddings=True))
    model = copy.deepcopy(dense)
    masks.apply(model)
    train(model, inputs)
    assert_masked(model, dense.train(), masks, dense, inputs)


def test_torch_still_never_calls_out_proj() -> None:
    """If this fails, torch has learnt it, and the hook of the reader is not needed any more."""
    model, inputs = prepared("MultiheadAttention")
    prune.l1_unstructured(model.attention.out_proj, "weight", 0.5)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        train(model, inputs)


@pytest.mark.parametrize("name", ["digits-vit", "adder-transformer", "digits-gru", "digits-cnn"])
def test_two_steps_of_a_sample(name: str) -> None:
    subject = load_subject(name)
    names: dict[str, object] = {}
    exec(compile(write_script(subject, Recipe(amount=0.5, scope="global")), "script", "exec"), names)
    model, inputs = names["model"], subject.samples[0][:8]  # type: ignore[index]
    assert isinstance(model, nn.Module)
    train(model, inputs)
    for target, mask in compute_masks(subject, Recipe(amount=0.5, scope="global")).items():
        original = model.get_parameter(f"{target}_orig")
        path, _, leaf = target.rpartition(".")
        model(inputs)
        assert torch.equal(getattr(model.get_submodule(path), leaf), torch.where(mask, original, 0.0))


def test_who_reads_which_layer() -> None:
    """A layer that nobody uses is not read; one that is read has the nearest module that is called as its reader."""
    for kind, readers in {
        "read and not called": {"packed.q": "", "packed.k": ""},
        "read deeper": {"body.0.packed.q": "body.0", "body.0.packed.k": "body.0"},
        "TransformerEncoderLayer": {"self_attn.out_proj": "self_attn"},
        "LSTM": {},
        "tied": {},
    }.items():
        dense, inputs = prepared(kind)
        subject = Subject.from_module(dense, inputs)
        assert readers_of(subject, [target.module for target in subject.targets]) == readers, kind


def test_made_permanent_no_hook_is_left() -> None:
    dense, inputs = prepared("TransformerEncoderLayer")
    subject = Subject.from_module(dense, inputs)
    permanent = permanent_model(subject, compute_masks(subject, Recipe(amount=0.5)))
    assert not any(module._forward_pre_hooks for module in permanent.modules())


def test_a_mask_put_on_anew_is_put_on_once() -> None:
    dense, _ = prepared("MultiheadAttention")
    subject = Subject.from_module(dense)
    model = subject.copy_model()
    for amount in (0.5, 0.7):
        masks = compute_masks(subject, Recipe(amount=amount))
        masks.apply(model)
        assert len(model.attention._forward_pre_hooks) == 2  # of in_proj_weight, and for out_proj
        for module, name in ((model.attention, "in_proj_weight"), (model.attention.out_proj, "weight")):
            prune.remove(module, name)
