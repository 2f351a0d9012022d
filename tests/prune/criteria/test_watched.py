"""Wanda, mean activation, APoZ and BatchNorm scale, worked by hand or against the naive way."""

from math import sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning_explorer import Subject, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.observe import observe
from tests.prune.criteria.tiny import assert_scores, linear, scores_of

TWO = torch.tensor([[3.0, 0.0], [4.0, 2.0]])


def wanda_norms(model: nn.Module, inputs: Tensor | tuple[Tensor, ...], name: str) -> Tensor:
    """||x|| of each weight: Wanda's scores over |w|."""
    subject = Subject.from_module(model, calibration=inputs)
    return scores_of(subject, "wanda", name) / subject.weight(name).abs().double()


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected.double(), rtol=1e-4, atol=1e-6)


def test_wanda_of_a_layer() -> None:
    """Inputs (3, 0) and (4, 2): norms 5 and 2."""
    subject = Subject.from_module(linear([[1, -2], [3, 0.5]], bias=[7, 7]), calibration=TWO)
    assert_scores(scores_of(subject, "wanda", "weight"), [[1 * 5, 2 * 2], [3 * 5, 0.5 * 2]])
    assert_scores(scores_of(subject, "wanda", "weight", "channel:dim=1,n=1"), [4 * 5, 2.5 * 2])


def test_wanda_of_tokens_sums_over_positions() -> None:
    subject = Subject.from_module(linear([[1, -2]]), calibration=TWO[None])
    assert_scores(scores_of(subject, "wanda", "weight"), [[5, 4]])


def test_wanda_reads_the_inputs_of_the_layer_not_of_the_network() -> None:
    """Hidden (3, 0) and (4, 0) behind ReLU of weights 1 and -1."""
    model = nn.Sequential(linear([[1, 0], [0, -1]]), nn.ReLU(), linear([[10, 10]]))
    assert_scores(scores_of(Subject.from_module(model, calibration=TWO), "wanda", "2.weight"), [[10 * 5, 0]])


def test_wanda_of_a_convolution_looks_at_what_each_weight_reaches() -> None:
    """Of inputs 1, 2, 3 the first weight meets 1 and 2, the second 2 and 3."""
    inputs = torch.tensor([[[1.0, 2.0, 3.0]]])
    layer = nn.Conv1d(1, 1, 2, bias=False)
    assert_scores(wanda_norms(layer, inputs, "weight"), [[[sqrt(1 + 4), sqrt(4 + 9)]]])


def test_wanda_of_a_convolution_with_stride_and_padding() -> None:
    """Of 0, 1, 2, 3, 0 two places in steps of two: the first weight meets 0 and 2, the second 1 and 3."""
    inputs = torch.tensor([[[1.0, 2.0, 3.0]]])
    layer = nn.Conv1d(1, 1, 2, stride=2, padding=1, bias=False)
    assert_scores(wanda_norms(layer, inputs, "weight"), [[[sqrt(0 + 4), sqrt(1 + 9)]]])


CONVOLUTIONS: dict[str, nn.Conv2d] = {
    "plain": nn.Conv2d(4, 6, 3),
    "stride and padding": nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "dilation": nn.Conv2d(4, 6, (3, 2), padding=2, dilation=(2, 1)),
    "groups": nn.Conv2d(4, 6, 3, padding=1, groups=2),
    "one a channel": nn.Conv2d(4, 4, 3, groups=4, bias=False),
    "channels last": nn.Conv2d(4, 6, 3, padding=1).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("layer", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def test_wanda_of_convolutions_against_unfolding(layer: nn.Conv2d) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(70, 4, 7, 7)
    columns = F.unfold(inputs.square(), layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    of_inputs = columns.sum(dim=(0, 2)).sqrt().view(layer.groups, -1, *layer.kernel_size)
    each = layer.out_channels // layer.groups
    assert_close(wanda_norms(layer, inputs, "weight"), of_inputs.repeat_interleave(each, dim=0))


@pytest.mark.parametrize("groups", [1, 2])
def test_wanda_of_a_transposed_convolution_against_one_weight_at_a_time(groups: int) -> None:
    torch.manual_seed(0)
    layer = nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, groups=groups, bias=False)
    inputs = torch.randn(5, 4, 6)
    expected = torch.zeros_like(layer.weight)
    for place in torch.cartesian_prod(*(torch.arange(n) for n in layer.weight.shape)):
        alone = torch.zeros_like(layer.weight)
        alone[tuple(place)] = 1
        reached = F.conv_transpose1d(inputs.square(), alone, stride=2, padding=1, groups=groups)
        expected[tuple(place)] = reached.sum().sqrt()
    assert_close(wanda_norms(layer, inputs, "weight"), expected)


class Attend(nn.Module):
    """Attention of one sequence to another, or to itself."""

    def __init__(self, need_weights: bool = False, kdim: int | None = None) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True, kdim=kdim)
        self.need_weights = need_weights

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None) -> Tensor:
        output, _ = self.attention(
            query, query if key is None else key, query if value is None else value, need_weights=self.need_weights
        )
        return output


def norm_of(inputs: Tensor) -> Tensor:
    """``[1, in]``: over samples and positions."""
    return inputs.flatten(0, -2).square().sum(dim=0, keepdim=True).sqrt()


def naively_attended(model: Attend, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What goes into ``out_proj``: two heads of width 2."""
    layer = model.attention
    weights, biases = layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3)
    q, k, v = (
        F.linear(x, w, b).unflatten(-1, (2, 2)).transpose(1, 2)
        for x, w, b in zip((query, key, value), weights, biases, strict=True)
    )
    return ((q @ k.transpose(-1, -2) / sqrt(2)).softmax(dim=-1) @ v).transpose(1, 2).flatten(2)


@pytest.mark.parametrize("need_weights", [False, True])
def test_wanda_of_attention_to_itself(need_weights: bool) -> None:
    torch.manual_seed(0)
    model, tokens = Attend(need_weights), torch.randn(9, 5, 4)
    with torch.no_grad():
        attended = naively_attended(model, tokens, tokens, tokens)
    norms = wanda_norms(model, tokens, "attention.in_proj_weight")
    assert_close(norms, norm_of(tokens).expand(12, 4))
    assert_close(wanda_norms(model, tokens, "attention.out_proj.weight"), norm_of(attended).expand(4, 4))


def test_wanda_of_attention_to_another_sequence() -> None:
    """Each third of the packed weight has inputs of its own."""
    torch.manual_seed(0)
    model = Attend()
    query, key, value = torch.randn(9, 5, 4), 2 * torch.randn(9, 3, 4), 3 * torch.randn(9, 3, 4)
    with torch.no_grad():
        attended = naively_attended(model, query, key, value)
    norms = wanda_norms(model, (query, key, value), "attention.in_proj_weight")
    assert_close(norms, torch.cat([norm_of(each).expand(4, 4) for each in (query, key, value)]))
    out = wanda_norms(model, (query, key, value), "attention.out_proj.weight")
    assert_close(out, norm_of(attended).expand(4, 4))


class Twice(nn.Module):
    """A tied weight: used by one layer, and transposed, in a product written by hand, once more."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 3, bias=False)
        self.head = nn.Linear(2, 3, bias=False)
        self.head.weight = self.body.weight

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(inputs) + inputs @ self.body.weight.T


def test_products_with_a_tied_weight_add_up() -> None:
    """Both times inputs of norms 5 and 2."""
    norms = wanda_norms(Twice(), TWO, "body.weight")
    assert_scores(norms, [[sqrt(2) * 5, sqrt(2) * 2]] * 3)


class ByHand(nn.Module):
    """Products that are no layer's: of halves of a weight, from the left, and expanded over a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        weight = self.layer.weight
        low = inputs @ weight[:2].T
        high = (weight[2:] @ (2 * inputs).T).T
        batched = torch.bmm(3 * inputs[:, None], weight[3:].T.expand(len(inputs), 2, 1))
        return torch.cat([low, high], dim=1) + batched[:, 0]


def test_products_by_hand_with_parts_of_a_weight() -> None:
    """Row 3 meets twice the inputs, and three times: sqrt(4 + 9) their norm."""
    norms = wanda_norms(ByHand(), TWO, "layer.weight")
    rows = [[5, 2], [5, 2], [10, 4], [sqrt(13) * 5, sqrt(13) * 2]]
    assert_scores(norms, rows)


def test_chunks_add_up() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(200, 3)
    assert_close(wanda_norms(nn.Linear(3, 2), inputs, "weight"), norm_of(inputs).expand(2, 3))


def test_wanda_in_a_masked_network_sees_what_is_left() -> None:
    """Without the weight that made hidden unit 0, its only input is 0."""
    subject = Subject.from_module(nn.Sequential(linear([[1, 0], [0, 1]]), linear([[10, 10]])), calibration=TWO)
    masks = {"0.weight": torch.tensor([[False, True], [True, True]])}
    assert_scores(scores_of(subject, "wanda", "1.weight"), [[50, 20]])
    assert_scores(scores_of(subject, "wanda", "1.weight", masks=masks), [[0, 20]])
    assert_scores(scores_of(subject, "wanda", "0.weight", masks=masks), [[0, 0], [0, 2]])


# Of inputs (3, 0) and (4, 2) this layer makes (3, -1) and (4, 1)
SIGNED = ([[1.0, 0.0], [0.0, 1.0]], [0.0, -1.0])


def test_activation_of_a_layer_without_any_function_behind() -> None:
    subject = Subject.from_module(linear(*SIGNED), calibration=TWO)
    assert_scores(scores_of(subject, "mean-activation", "weight", "channel"), [3.5, 1])
    assert_scores(scores_of(subject, "apoz", "weight", "channel"), [1, 0.5])
    assert_scores(scores_of(subject, "mean-activation", "weight"), [[3.5, 3.5], [1, 1]])
    assert_scores(scores_of(subject, "apoz", "weight", "channel:dim=1,n=1"), [1.5, 1.5])


@pytest.mark.parametrize("inplace", [False, True])
def test_activation_behind_relu(inplace: bool) -> None:
    """(3, 0) and (4, 1)."""
    model = nn.Sequential(linear(*SIGNED), nn.ReLU(inplace), nn.Linear(2, 1))
    subject = Subject.from_module(model, calibration=TWO)
    assert_scores(scores_of(subject, "mean-activation", "0.weight", "channel"), [3.5, 0.5])
    assert_scores(scores_of(subject, "apoz", "0.weight", "channel"), [1, 0.5])


@pytest.mark.parametrize(
    "function", [nn.GELU(), nn.SiLU(), nn.Tanh(), nn.Sigmoid(), nn.LeakyReLU(), nn.ELU(), nn.ReLU6()]
)
@pytest.mark.parametrize("inputs", [TWO, TWO[None]], ids=["rows", "tokens"])
def test_activation_behind_other_functions(function: nn.Module, inputs: Tensor) -> None:
    subject = Subject.from_module(nn.Sequential(linear(*SIGNED), function), calibration=inputs)
    expected = function(torch.tensor([[3.0, -1.0], [4.0, 1.0]])).abs().mean(dim=0)
    assert_close(scores_of(subject, "mean-activation", "0.weight", "channel"), expected)


def batchnorm(scale: list[float], shift: list[float], norm: nn.Module) -> nn.Module:
    """A norm that only scales and shifts."""
    norm.eps = 0
    norm.weight = nn.Parameter(torch.tensor(scale))
    norm.bias = nn.Parameter(torch.tensor(shift))
    return norm


class Normed(nn.Module):
    """Layer, BatchNorm, functional ReLU."""

    def __init__(self, before: bool = False) -> None:
        super().__init__()
        self.layer = linear(*SIGNED)
        self.norm = batchnorm([-2.0, 0.5], [7.0, 0.0], nn.BatchNorm1d(2))
        self.before = before

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.layer(inputs)
        return self.norm(F.relu(hidden)) if self.before else F.relu(self.norm(hidden))


def test_activation_behind_batchnorm_and_relu() -> None:
    """(3, -1) and (4, 1) become (1, -0.5) and (-1, 0.5), then (1, 0) and (0, 0.5)."""
    subject = Subject.from_module(Normed(), calibration=TWO)
    assert_scores(scores_of(subject, "mean-activation", "layer.weight", "channel"), [0.5, 0.25])
    assert_scores(scores_of(subject, "apoz", "layer.weight", "channel"), [0.5, 0.5])


@pytest.mark.parametrize("before", [False, True])
def test_bn_scale_is_that_of_the_batchnorm_that_follows(before: bool) -> None:
    subject = Subject.from_module(Normed(before), TWO)
    assert_scores(scores_of(subject, "bn-scale", "layer.weight", "channel"), [2, 0.5])
    assert_scores(scores_of(subject, "bn-scale", "layer.weight"), [[2, 2], [0.5, 0.5]])
    expected = [3.5, 0.5] if before else [0.5, 0.25]
    seen = observe(subject, (TWO,), {})
    assert_scores(seen.activation["layer.weight"], expected)
    assert seen.norms["layer.weight"][0] == "norm.weight"


def test_bn_scale_follows_a_convolution_and_not_a_sum() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
            self.norm = batchnorm([3.0, -4.0], [0.0, 0.0], nn.BatchNorm2d(2))
            self.last = nn.BatchNorm2d(2)

        def forward(self, images: Tensor) -> Tensor:
            hidden = self.norm(self.first(images))
            return self.last(self.second(hidden) + images)

    subject = Subject.from_module(Block(), torch.randn(1, 2, 4, 4))
    assert_scores(scores_of(subject, "bn-scale", "first.weight", "channel"), [3, 4])
    refuse = CRITERIA["bn-scale"].refuse
    assert refuse(subject, subject.target("second.weight")) == "no BatchNorm follows it"
    assert refuse(subject, subject.target("first.bias")) == "a bias has no channels that a BatchNorm follows"
    assert refuse(subject, subject.target("norm.weight")) == "a norm parameter has no channels that a BatchNorm follows"


def test_an_instance_norm_is_no_batchnorm() -> None:
    model = nn.Sequential(nn.Conv1d(1, 2, 1), nn.InstanceNorm1d(2, affine=True))
    subject = Subject.from_module(model, torch.randn(1, 1, 5))
    assert CRITERIA["bn-scale"].refuse(subject, subject.target("0.weight")) == "no BatchNorm follows it"


def test_activation_before_a_sum_in_place_is_the_product_itself() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = linear(*SIGNED)

        def forward(self, inputs: Tensor) -> Tensor:
            hidden = self.layer(inputs)
            hidden += 100
            return hidden

    subject = Subject.from_module(Residual(), calibration=TWO)
    assert_scores(scores_of(subject, "mean-activation", "layer.weight", "channel"), [3.5, 1])


def test_activation_of_a_convolution_is_over_samples_and_places() -> None:
    """Inputs 1, -2, 3 and 0, 5, -1 by weights 1 and -2, then ReLU; what follows may look at them transposed."""
    layer = nn.Conv1d(1, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1))

    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, inputs: Tensor) -> Tensor:
            return torch.relu(self.layer(inputs).transpose(1, 2))

    subject = Subject.from_module(Patches(), calibration=torch.tensor([[[1.0, -2.0, 3.0]], [[0.0, 5.0, -1.0]]]))
    channel = "channel:dim=0"
    assert_scores(scores_of(subject, "mean-activation", "layer.weight", channel), [9 / 6, 2 * 3 / 6])
    assert_scores(scores_of(subject, "apoz", "layer.weight", channel), [3 / 6, 2 / 6])


@pytest.mark.parametrize("groups", [1, 2])
def test_activation_of_a_transposed_convolution(groups: int) -> None:
    """Where there are groups, a channel of the weight makes one output in each, which are one together."""
    torch.manual_seed(0)
    layer, inputs = nn.ConvTranspose1d(4, 6, 3, groups=groups), torch.randn(70, 4, 6)
    subject = Subject.from_module(layer, calibration=inputs)
    with torch.no_grad():
        expected = layer(inputs).abs().mean(dim=(0, 2)).view(groups, -1).mean(dim=0)
    assert_close(scores_of(subject, "mean-activation", "weight", "channel:dim=1"), expected)


def test_packed_weights_have_the_outputs_of_their_rows() -> None:
    torch.manual_seed(0)
    model = Attend()
    query, key = torch.randn(9, 5, 4), torch.randn(9, 3, 4)
    subject = Subject.from_module(model, calibration=(query, key, 2 * key))
    layer = model.attention
    with torch.no_grad():
        parts = [
            F.linear(x, w).flatten(0, 1).abs().mean(dim=0)
            for x, w in zip((query, key, 2 * key), layer.in_proj_weight.chunk(3), strict=True)
        ]
    found = scores_of(subject, "mean-activation", "attention.in_proj_weight", "channel")
    assert_close(found, torch.cat(parts))


@pytest.mark.parametrize("whole", [True, False])
def test_only_products_of_whole_channels_have_their_activation(whole: bool) -> None:
    """Three rows of two from the first weight on are channels 0 to 2; from the second weight on they are none."""

    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 4, bias=False)

        def forward(self, inputs: Tensor) -> Tensor:
            start = 0 if whole else 1
            return inputs @ self.layer.weight.view(-1)[start : start + 6].view(3, 2).T + self.layer(inputs)[:, :3]

    subject = Subject.from_module(Rows(), calibration=TWO)
    expected = (TWO @ subject.weight("layer.weight").T).abs().mean(dim=0)
    assert_close(observe(subject, (TWO,), {}).activation["layer.weight"], expected)


def test_what_a_schedule_removed_has_no_activation() -> None:
    """A channel without weights still gives its bias."""
    subject = Subject.from_module(linear(*SIGNED), calibration=TWO)
    masks = {"weight": torch.tensor([[True, True], [False, False]])}
    assert_scores(scores_of(subject, "mean-activation", "weight", "channel", masks), [3.5, 0])


class Unseen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.spare = nn.Embedding(5, 4), nn.Linear(4, 4)
        self.memory, self.gates = nn.LSTM(4, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden, _ = self.memory(self.words(tokens))
        hidden, _ = self.gates(hidden)
        return hidden[:, -1]


def test_what_cannot_be_watched_is_refused_with_a_reason() -> None:
    subject = Subject.from_module(Unseen(), calibration=torch.zeros(3, 6, dtype=torch.long))
    why = {
        (name, target.name): CRITERIA[name].refuse(subject, target)
        for name in ("wanda", "mean-activation")
        for target in subject.targets
    }
    assert "linear layers are judged" in str(why["wanda", "words.weight"])
    for unseen in ("spare.weight",):
        assert "no product with it was seen" in str(why["wanda", unseen])
        assert "no product with it was seen" in str(why["mean-activation", unseen])
    for layer in ("memory", "gates"):
        assert why["wanda", f"{layer}.weight_ih_l0"] is None
        assert why["wanda", f"{layer}.weight_hh_l0"] is None
    assert why["mean-activation", "gates.weight_hh_l0"] == "its products are parts of gates, not channels"
    assert why["wanda", "spare.bias"] == "a bias is in no product with inputs"


class Remembers(nn.Module):
    """A recurrent layer and what reads its last state."""

    def __init__(self, kind: type[nn.RNNBase], **how: object) -> None:
        super().__init__()
        self.memory = kind(3, 4, **how)
        self.head = nn.Linear(self.memory.proj_size or 4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        states, _ = self.memory(inputs)
        return self.head(states[..., : self.head.in_features].flatten(0, -2))


RECURRENT = {
    "lstm": (nn.LSTM, {}),
    "lstm, both ways, two layers": (nn.LSTM, {"bidirectional": True, "num_layers": 2, "batch_first": True}),
    "lstm without biases": (nn.LSTM, {"bias": False, "batch_first": True}),
    "projected lstm": (nn.LSTM, {"proj_size": 2, "bidirectional": True, "batch_first": True}),
    "gru": (nn.GRU, {"bidirectional": True, "num_layers": 2}),
    "rnn": (nn.RNN, {"bidirectional": True, "nonlinearity": "relu"}),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(("kind", "how"), RECURRENT.values(), ids=RECURRENT.keys())
def test_every_weight_of_a_recurrent_layer_is_watched(kind: type[nn.RNNBase], how: dict[str, object]) -> None:
    """Inside a fused kernel too: the oracle is torch with that kernel off, whose products are all seen."""
    torch.manual_seed(0)
    inputs = torch.randn(70, 5, 3)  # more than are run at once
    subject = Subject.from_module(Remembers(kind, **how), calibration=inputs)
    weights = [target for target in subject.targets if target.role == "weight"]
    assert [CRITERIA["wanda"].refuse(subject, target) for target in weights] == [None] * len(weights)
    with torch.backends.mkldnn.flags(enabled=False):
        apart = observe(subject, (inputs,), {}).squares
    fused = observe(subject, (inputs,), {}).squares
    for target in weights:
        expected = apart[target.name].expand(target.shape)
        torch.testing.assert_close(fused[target.name].expand(target.shape), expected, rtol=1e-4, atol=1e-5)
    ih = fused["memory.weight_ih_l0"].expand(subject.target("memory.weight_ih_l0").shape)
    torch.testing.assert_close(ih[0], inputs.square().sum((0, 1)), rtol=1e-4, atol=1e-5)


def test_what_is_missing_is_said() -> None:
    bare = Subject.from_module(nn.Linear(2, 2), TWO, name="mine")
    for name in ("wanda", "mean-activation", "apoz"):
        assert "it needs inputs of the training part, and mine has none" in str(CRITERIA[name].missing(bare))
        assert CRITERIA[name].refuse(bare, bare.target("weight")) is None
    assert CRITERIA["bn-scale"].missing(bare) is None
    assert "it needs one input" in str(CRITERIA["bn-scale"].missing(Subject.from_module(nn.Linear(2, 2))))


def test_inputs_that_do_not_fit_are_told() -> None:
    subject = Subject.from_module(nn.Linear(3, 2), calibration=TWO)
    with pytest.raises(SubjectError, match="failed on its samples of float32"):
        CRITERIA["wanda"].refuse(subject, subject.target("weight"))


def test_narrow_weights_are_watched_in_float32() -> None:
    subject = Subject.from_module(linear([[1, -2], [3, 0.5]]).half(), calibration=TWO.half())
    assert observe(subject, (TWO.half(),), {}).squares["weight"].dtype == torch.float32
    assert_scores(scores_of(subject, "wanda", "weight"), [[5, 4], [15, 1]])


def test_watching_leaves_the_network_as_it_was() -> None:
    subject = load_subject("digits-cnn")
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    assert subject.calibration is not None
    observe(subject, subject.calibration, {})
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in subject.model.parameters())
