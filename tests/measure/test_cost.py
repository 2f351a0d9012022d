from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.cost import cost_totals, dense_cost, layer_cost
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

Make = Callable[..., Subject]


class First(nn.Module):
    """The first of what a layer returns; the layer sees its input as often as it wants it."""

    def __init__(self, layer: nn.Module, times: int = 1) -> None:
        super().__init__()
        self.layer, self.times = layer, times

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(*[x] * self.times)[0]


def of_layer(subject: Subject) -> dict[str, int]:
    return {name.removeprefix("layer."): macs for name, macs in dense_cost(subject).by_target.items() if macs}


def test_linear(make: Make) -> None:
    subject = make(lambda: nn.Linear(5, 4), torch.ones(7, 5))
    assert dense_cost(subject).macs == 20
    assert dense_cost(subject).by_target == {"weight": 20, "bias": 0}


def test_linear_at_each_position(make: Make) -> None:
    assert dense_cost(make(lambda: nn.Linear(5, 4), torch.ones(7, 3, 5))).macs == 3 * 20


@pytest.mark.parametrize(("stride", "groups", "side"), [(1, 1, 6), (2, 1, 3), (1, 2, 6), (2, 4, 3)])
def test_convolution_with_stride_and_groups(make: Make, stride: int, groups: int, side: int) -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3, stride=stride, padding=1, groups=groups)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x).mean(dim=(2, 3))

    # Each of side^2 places of 8 channels is a product over 4 / groups channels of 3x3
    subject = make(Pooled, torch.ones(2, 4, 6, 6))
    assert dense_cost(subject).macs == side * side * 8 * (4 // groups) * 9
    assert dense_cost(subject).by_target["conv.weight"] == dense_cost(subject).macs


def test_transposed_convolution(make: Make) -> None:
    subject = make(lambda: nn.ConvTranspose1d(3, 2, 4), torch.ones(2, 3, 5))
    # Each of 5 inputs of 3 channels goes to 2 channels at 4 places
    assert dense_cost(subject).macs == 5 * 3 * 2 * 4


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_has_products_of_its_own_besides_its_weights(make: Make, need_weights: bool) -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x, x, x, need_weights=need_weights)[0]

    subject = make(Attention, torch.ones(3, 5, 8))
    assert of_layer(subject) == {"in_proj_weight": 5 * 24 * 8, "out_proj.weight": 5 * 8 * 8}
    # Queries by keys and weights by values: 5 x 5 x 8 each
    assert dense_cost(subject).macs == 5 * 24 * 8 + 5 * 8 * 8 + 2 * 5 * 5 * 8


def test_cross_attention_knows_which_rows_of_the_projection_see_what(make: Make) -> None:
    class Cross(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x[:, :1], x, x, need_weights=False)[0]

    subject = make(Cross, torch.ones(3, 5, 8))
    assert of_layer(subject) == {"in_proj_weight": 8 * 8 + 5 * 16 * 8, "out_proj.weight": 8 * 8}


def test_transformer_layer_off_its_fast_path(make: Make) -> None:
    subject = make(lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.ones(3, 5, 8))
    weights = 5 * (24 * 8 + 8 * 8 + 16 * 8 + 8 * 16)
    assert sum(dense_cost(subject).by_target.values()) == weights
    assert dense_cost(subject).macs == weights + 2 * 5 * 5 * 8


@pytest.mark.parametrize(("layer", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers(make: Make, layer: type[nn.RNNBase], gates: int) -> None:
    subject = make(lambda: First(layer(3, 4, 2, batch_first=True, bidirectional=True)), torch.ones(2, 5, 3))
    first, second = 5 * gates * 4 * 3, 5 * gates * 4 * 8
    states = 5 * gates * 4 * 4
    assert of_layer(subject) == {
        "weight_ih_l0": first,
        "weight_hh_l0": states,
        "weight_ih_l0_reverse": first,
        "weight_hh_l0_reverse": states,
        "weight_ih_l1": second,
        "weight_hh_l1": states,
        "weight_ih_l1_reverse": second,
        "weight_hh_l1_reverse": states,
    }
    assert dense_cost(subject).macs == 2 * (first + second) + 4 * states


def test_a_sample_may_be_several_sequences(make: Make) -> None:
    class Together(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.LSTM(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.flatten(0, 1).transpose(0, 1))[0][-1]

    # Of each of 2 samples 3 sequences of 5 steps
    subject = make(Together, torch.ones(2, 3, 5, 3))
    assert of_layer(subject) == {"weight_ih_l0": 3 * 5 * 16 * 3, "weight_hh_l0": 3 * 5 * 16 * 4}


def test_lstm_with_a_projection(make: Make) -> None:
    subject = make(lambda: First(nn.LSTM(3, 4, proj_size=2, batch_first=True)), torch.ones(2, 5, 3))
    assert of_layer(subject) == {"weight_ih_l0": 5 * 16 * 3, "weight_hh_l0": 5 * 16 * 2, "weight_hr_l0": 5 * 2 * 4}


def test_embeddings_multiply_nothing_and_tied_heads_do(make: Make) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.norm = nn.Embedding(7, 4), nn.LayerNorm(4)
            self.head = nn.Linear(4, 7, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, tokens: Tensor) -> Tensor:
            return self.head(self.norm(self.embedding(tokens)))

    tied = make(Tied, torch.zeros(2, 3, dtype=torch.long))
    assert dense_cost(tied).by_target == {"embedding.weight": 3 * 28, "norm.weight": 0, "norm.bias": 0}
    untied = make(lambda: nn.Embedding(7, 4), torch.zeros(2, 3, dtype=torch.long))
    assert dense_cost(untied).macs == 0


def test_masks_take_away_what_their_weights_multiply(make: Make) -> None:
    subject = make(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), torch.ones(7, 5))
    first = torch.ones(4, 5, dtype=torch.bool)
    first[0] = False
    masks = Masks.from_dict(subject, {"0.weight": first, "2.bias": torch.zeros(3)})
    frame = layer_cost(subject, masks)
    assert list(frame.columns) == ["target", "macs_dense", "macs_theoretical"]
    assert frame.to_numpy().tolist() == [["0.weight", 20, 15], ["2.bias", 0, 0]]
    assert cost_totals(subject, masks) == {"macs_dense": 32, "macs_theoretical": 27, "uncounted": []}


def test_removing_everything_leaves_attention_products(everything: Subject) -> None:
    totals = cost_totals(everything, compute_masks(everything, Recipe(amount=1.0)))
    assert totals["macs_theoretical"] == 2 * 8 * 8 * 8
    nothing = cost_totals(everything, compute_masks(everything, Recipe(amount=0.0)))
    assert nothing["macs_theoretical"] == nothing["macs_dense"]


def test_the_total_is_half_of_what_torch_counts(make: Make) -> None:
    subject = make(
        lambda: nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.Flatten(), nn.Linear(12, 2)),
        torch.ones(2, 3, 5),
    )
    with FlopCounterMode(display=False) as counter:
        subject.model(torch.ones(1, 3, 5))
    assert dense_cost(subject).macs * 2 == counter.get_total_flops()


def test_counting_hooks_nothing_that_other_threads_run(make: Make) -> None:
    seen = []

    class Curious(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            hooks = nn.modules.module
            seen.append(len(hooks._global_forward_pre_hooks) + len(hooks._global_forward_hooks))
            return super().forward(x)

    assert dense_cost(make(lambda: Curious(2, 2), torch.ones(1, 2))).macs == 4
    assert set(seen) == {0}


def test_counting_leaves_no_gradient_behind(everything: Subject) -> None:
    dense_cost(everything)
    assert not any(each.requires_grad or each.grad is not None for each in everything.model.parameters())


def test_no_samples_is_an_error(make: Make) -> None:
    subject = make(lambda: nn.Linear(2, 2))
    with pytest.raises(SubjectError, match="has no samples"):
        layer_cost(subject, compute_masks(subject, Recipe()))
