"""Multiply-adds held against torch's own counter, and against numbers worked out by hand where it has none."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pruning_explorer.measure.cost import DenseCost, dense_cost
from pruning_explorer.prune.subject import Subject

Make = Callable[..., Subject]


class First(nn.Module):
    """The first of what a layer returns; the layer sees its input as often as it wants it."""

    def __init__(self, layer: nn.Module, times: int = 1) -> None:
        super().__init__()
        self.layer, self.times = layer, times

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.layer(*inputs * self.times)[0]


class Called(nn.Module):
    """A layer, and a function that calls it."""

    def __init__(self, layer: nn.Module, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.call = layer, call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self.layer, x)


def cost(make: Make, model: nn.Module, *inputs: Tensor) -> DenseCost:
    return dense_cost(make(lambda: model, inputs))


def by_torch(model: nn.Module, *inputs: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        model.eval()(*(each[:1] for each in inputs))
    return int(counter.get_total_flops()) // 2


def called(layer: nn.Module, call: Callable[[nn.Module, Tensor], Tensor]) -> nn.Module:
    return Called(layer, call)


CONVOLUTIONS = [
    pytest.param(kind(4, 8, 3, **settings), torch.ones(2, 4, *[5] * dims), id=f"{kind.__name__}-{settings}")
    for dims, kinds in ((1, (nn.Conv1d, nn.ConvTranspose1d)), (2, (nn.Conv2d, nn.ConvTranspose2d)),
                        (3, (nn.Conv3d, nn.ConvTranspose3d)))
    for kind in kinds
    for settings in ({}, {"groups": 4}, {"stride": 2, "groups": 2}, {"padding": 1, "dilation": 2})
]  # fmt: skip
LAYERS = [
    pytest.param(nn.Linear(5, 4), torch.ones(2, 3, 5), id="Linear"),
    pytest.param(nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), torch.ones(2, 4, 5, 5), id="circular"),
    pytest.param(First(nn.RNN(3, 4, 2, batch_first=True)), torch.ones(2, 5, 3), id="RNN"),
    pytest.param(First(nn.GRU(3, 4, 2, batch_first=True)), torch.ones(2, 5, 3), id="GRU"),
    pytest.param(nn.RNNCell(3, 4), torch.ones(2, 3), id="RNNCell"),
    pytest.param(nn.GRUCell(3, 4), torch.ones(2, 3), id="GRUCell"),
    pytest.param(First(nn.LSTMCell(3, 4)), torch.ones(2, 3), id="LSTMCell"),
    pytest.param(First(nn.MultiheadAttention(8, 2, batch_first=True), 3), torch.ones(2, 5, 8), id="Attention"),
    pytest.param(called(nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0), lambda a, x: a.log_prob(x)),
                 torch.ones(2, 8), id="AdaptiveLogSoftmaxWithLoss"),
    pytest.param(called(nn.Linear(4, 3), lambda a, x: torch.einsum("oi,nti->nto", a.weight, x)),
                 torch.ones(2, 5, 4), id="einsum"),
    pytest.param(nn.EmbeddingBag(5, 3), torch.zeros(2, 2, dtype=torch.long), id="EmbeddingBag"),
    *(pytest.param(norm, torch.ones(2, 4, 3), id=type(norm).__name__)
      for norm in (nn.BatchNorm1d(4), nn.InstanceNorm1d(4, affine=True), nn.LayerNorm((4, 3)), nn.GroupNorm(2, 4),
                   nn.RMSNorm((4, 3)), nn.PReLU(4))),
]  # fmt: skip


@pytest.mark.parametrize(("model", "inputs"), [*CONVOLUTIONS, *LAYERS])
def test_where_torch_counts_it_counts_the_same(make: Make, model: nn.Module, inputs: Tensor) -> None:
    counted = cost(make, model, inputs)
    assert counted.macs == by_torch(model, inputs)
    assert not counted.uncounted


def test_bilinear(make: Make) -> None:
    counted = cost(make, nn.Bilinear(3, 4, 5), torch.ones(2, 3), torch.ones(2, 4))
    # Each of 5 outputs: 3 inputs by a 3x4 matrix, and the 4 results by 4 inputs
    assert counted.by_target["weight"] == 5 * 3 * 4
    assert counted.macs == 5 * 3 * 4 + 5 * 4


def test_a_matrix_by_a_vector(make: Make) -> None:
    counted = cost(make, called(nn.Linear(4, 3, bias=False), lambda a, x: (a.weight @ x[0])[None]), torch.ones(2, 4))
    assert counted.macs == counted.by_target["layer.weight"] == 12


@pytest.mark.parametrize("grad", [torch.no_grad, torch.inference_mode])
def test_attentions_fused_kernels(make: Make, grad: Callable[[], torch.no_grad]) -> None:
    def frozen(layer: nn.Module, x: Tensor) -> Tensor:
        with grad():
            return layer(x)

    counted = cost(make, called(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), frozen), torch.ones(3, 5, 8))
    weights = {"self_attn.in_proj_weight": 24 * 8, "self_attn.out_proj.weight": 8 * 8, "linear1.weight": 16 * 8}
    for name, size in {**weights, "linear2.weight": 8 * 16}.items():
        assert counted.by_target[f"layer.{name}"] == 5 * size
    assert counted.macs == 5 * (24 * 8 + 8 * 8 + 2 * 16 * 8) + 2 * 5 * 5 * 8


def test_attention_without_gradients(make: Make) -> None:
    def frozen(layer: nn.Module, x: Tensor) -> Tensor:
        with torch.no_grad():
            return layer(x, x, x, need_weights=False)[0]

    counted = cost(make, called(nn.MultiheadAttention(8, 2, batch_first=True), frozen), torch.ones(3, 5, 8))
    assert counted.by_target["layer.in_proj_weight"] == 5 * 24 * 8
    assert counted.macs == 5 * 24 * 8 + 5 * 8 * 8 + 2 * 5 * 5 * 8


EXPERTS = ["eager", "batched_mm", "grouped_mm"]


@pytest.mark.parametrize("experts", EXPERTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_mixture_of_experts(make: Make, experts: str, dtype: torch.dtype) -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=256, hidden_size=32, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2, bos_token_id=1, eos_token_id=2,
        use_cache=False,
    )  # fmt: skip
    model = MixtralForCausalLM._from_config(config, experts_implementation=experts).to(dtype)
    counted = cost(make, model, torch.arange(8)[None].repeat(2, 1))
    projections = 8 * (2 * 32 * 32 + 2 * 32 * 16)
    attention = 2 * 8 * 8 * 32
    router = 8 * 4 * 32
    chosen = 8 * 2 * 3 * 32 * 128
    assert counted.macs == 2 * (projections + attention + router + chosen) + 8 * 256 * 32 == 518_144
    assert not counted.uncounted


def test_what_is_computed_from_weights_alone_counts_for_them(make: Make) -> None:
    class Casting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 3, bias=False), nn.Linear(4, 2, bias=False)
            self.c = nn.Linear(5, 2, bias=False, dtype=torch.bfloat16)

        def forward(self, x: Tensor) -> Tensor:
            joined = torch.cat([self.a.weight, self.b.weight.tanh()])
            return nn.functional.linear(nn.functional.linear(x, joined), self.c.weight.to(x.dtype))

    counted = cost(make, Casting(), torch.ones(2, 4))
    assert counted.by_target == {"a.weight": 12, "b.weight": 8, "c.weight": 10}
    assert counted.macs == 30


def test_a_part_of_a_weight_that_the_input_selects_counts_for_it(make: Make) -> None:
    class Choosing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Linear(4, 6, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            chosen = self.rows.weight[x[:, :2].long().abs().flatten()]
            return x @ chosen.T

    assert cost(make, Choosing(), torch.ones(1, 4)).by_target == {"rows.weight": 8}


def test_a_table_of_embeddings_takes_no_part_in_what_is_computed_from_its_rows(make: Make) -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2, bias=False))
    assert cost(make, model, torch.ones(2, 3, dtype=torch.long)).by_target == {"0.weight": 0, "1.weight": 3 * 8}


def test_memory_that_is_used_again_is_no_weight(make: Make) -> None:
    class Reusing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(20):
                self.a.weight.tanh()  # freed at once
                x = self.b(x)
            return x

    assert cost(make, Reusing(), torch.ones(1, 64)).by_target == {"a.weight": 0, "b.weight": 20 * 64 * 64}


@torch.library.custom_op("tests::product", mutates_args=())
def product(x: Tensor, weight: Tensor) -> Tensor:
    return x @ weight.T


product.register_autograd(lambda _context, grad: (grad, None))


def past_torch(layer: nn.Linear, x: Tensor) -> Tensor:
    return torch.from_numpy(x.detach().numpy() @ layer.weight.data.numpy().T)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda a, x: product(x, a.weight), id="an operator that nobody knows"),
        pytest.param(lambda a, x: product(x, a.weight.double().float()), id="such an operator on a cast"),
        pytest.param(lambda a, x: (x[:, None] * a.weight).sum(-1), id="a product written element by element"),
    ],
)
def test_what_is_not_counted_is_said_to_be_uncounted(make: Make, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
    model = nn.Sequential(nn.Linear(5, 4), called(nn.Linear(4, 3), call))
    counted = cost(make, model, torch.ones(2, 5))
    assert counted.uncounted == ("1.layer.weight",)
    assert counted.macs == 20


def test_weights_that_are_read_past_torch_are_uncounted(make: Make) -> None:
    class Numpy(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return past_torch(self, x)

    assert cost(make, nn.Sequential(nn.Linear(5, 4), Numpy(4, 3)), torch.ones(2, 5)).uncounted == ("1.weight",)


def test_a_part_that_was_compiled_is_counted_as_it_is_written(make: Make) -> None:
    squared = torch.compile(lambda x: x @ x.T, backend="eager")
    assert cost(make, called(nn.Linear(3, 4), lambda a, x: squared(a(x))), torch.ones(2, 3)).macs == 12 + 4


def test_what_did_not_run_is_counted_as_nothing(make: Make) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(5, 4), nn.Linear(5, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    counted = cost(make, Two(), torch.ones(2, 5))
    assert counted.by_target["spare.weight"] == 0
    assert not counted.uncounted


class Scaled(nn.Module):
    """Weights of two dims that shift and scale, element by element."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.position, self.scale = nn.Parameter(torch.ones(3, 4)), nn.Parameter(torch.ones(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x * self.scale + self.position)


def test_what_shifts_and_scales_is_no_product(make: Make) -> None:
    counted = cost(make, Scaled(), torch.ones(2, 3, 4))
    assert counted.macs == 3 * 16
    assert not counted.uncounted


def test_a_row_that_scales_is_no_matrix(make: Make) -> None:
    counted = cost(make, called(nn.Linear(4, 1, bias=False), lambda a, x: x[:, :1] * a.weight), torch.ones(2, 4))
    assert counted.macs == 0
    assert not counted.uncounted


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_quantised_layers(make: Make) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), First(nn.LSTM(5, 4, batch_first=True)), nn.Linear(4, 2))
    packed = torch.ao.quantization.quantize_dynamic(model, {"0", "2.layer"}, dtype=torch.qint8)
    counted = cost(make, packed, torch.ones(2, 3, 6))
    assert counted.macs == 3 * (30 + 4 * 2)
    assert counted.uncounted == ("2.layer.weight",)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Please use quant_min")
def test_a_quantised_convolution(make: Make) -> None:
    """Each of 25 places of 4 channels is a product over one of two channels of 3x3."""
    quantization = torch.ao.quantization
    convolution = nn.Conv2d(2, 4, 3, padding=1, groups=2)
    model = nn.Sequential(quantization.QuantStub(), convolution, quantization.DeQuantStub(), nn.Flatten()).eval()
    model.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
    prepared = quantization.prepare(model)
    prepared(torch.ones(2, 2, 5, 5))
    packed = nn.Sequential(quantization.convert(prepared), nn.Linear(100, 3))
    counted = cost(make, packed, torch.ones(2, 2, 5, 5))
    assert counted.macs == 25 * 4 * 9 + 300
    assert counted.uncounted == ()
