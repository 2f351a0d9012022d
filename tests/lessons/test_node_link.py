"""Node-link pictures: of any small chain of Linear layers, and why there is none of all else."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.amounts import AMOUNTS, leaves_by_amount
from pruning_explorer.lessons.node_link import MOST_COLUMNS, MOST_EDGES, MOST_NODES, chain_of, node_link
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.sources.checkpoints.stored_layers import stored_network


class OneLayer(nn.Module):
    """A layer of 4 and what each test does with it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)


class Plain(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu_(2 * self.fc(inputs - 1) + 1).clamp(min=0)


class Operators(OneLayer):
    """As an exported program calls it."""

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.ops.aten.tanh.default(torch.ops.aten.linear.default(inputs, self.fc.weight, self.fc.bias))


class Residual(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.fc(inputs)


class Twice(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(torch.tanh(self.fc(inputs)))


class Split(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(inputs).chunk(2, dim=-1)[0]


class Unheard(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        self.fc(inputs)
        return inputs


class InPieces(nn.Module):
    """Reads four numbers as two pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(inputs.view(-1, 2)).view(len(inputs), -1)


class Failing(OneLayer):
    def forward(self, inputs: Tensor) -> Tensor:
        raise ValueError("no such luck")


def reason(model: nn.Module, samples: Tensor | None = None, *, runnable: bool = True) -> str:
    subject = Subject.from_module(model, samples, name="mine", runnable=runnable)
    with pytest.raises(LessonError) as told:
        node_link(subject, {}, 1)
    before, _, after = str(told.value).partition("; a picture needs Linear layers one after the other")
    assert after, "what to do next"
    return before.removeprefix("mine cannot be drawn as nodes and edges: ")


def test_the_weights_are_the_edges_and_they_leave_as_torch_removes_them() -> None:
    subject = load_subject("spirals-mlp")
    ranked = rank_targets(subject, Recipe())
    leaves = dict(zip((target.name for target in ranked.targets), leaves_by_amount(ranked), strict=True))
    picture = node_link(subject, leaves, len(AMOUNTS))
    assert [len(column) for column in picture.columns] == [2, 16, 16, 3]
    assert picture.columns[1][3] == "fc1 3"
    assert picture.columns[3] == ("arm 0", "arm 1", "arm 2")
    model = subject.copy_model()
    for edges in picture.layers:
        layer = model.get_submodule(edges.name)
        assert np.array_equal(edges.values, layer.weight.detach())
        prune.l1_unstructured(layer, "weight", amount=0.3)
        assert ((edges.leaves > 30) == layer.weight_mask.bool().numpy()).all()


def test_a_layer_that_is_not_pruned_never_leaves() -> None:
    subject = load_subject("spirals-mlp")
    ranked = rank_targets(subject, Recipe(targets=("fc2.weight",)))
    picture = node_link(subject, {"fc2.weight": leaves_by_amount(ranked)[0]}, len(AMOUNTS))
    assert [int(edges.leaves.min()) for edges in picture.layers] == [101, 1, 101]
    assert [int(edges.leaves.max()) for edges in picture.layers] == [101, 100, 101]


def test_what_stands_between_the_layers_does_not_matter_as_long_as_nodes_stay_apart() -> None:
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(4, 5),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(5, 3, bias=False),
        *(nn.PReLU(), nn.Identity(), nn.LeakyReLU(), nn.GELU(), nn.Hardswish(), nn.ELU(), nn.SiLU(), nn.Softplus()),
        nn.Linear(3, 2),
        nn.Sigmoid(),
    )
    picture = node_link(Subject.from_module(nn.ModuleDict({"net": model})["net"], torch.zeros(6, 2, 2)), {}, 1)
    assert [edges.name for edges in picture.layers] == ["1", "4", "13"]
    assert picture.columns[3] == ("out 0", "out 1")
    assert chain_of(Subject.from_module(Plain())) == ("fc.weight",)
    assert chain_of(Subject.from_module(Operators())) == ("fc.weight",)


def test_nothing_is_left_in_the_network() -> None:
    subject = Subject.from_module(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)))
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    chain_of(subject)
    assert not any(module._forward_pre_hooks for module in subject.model.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.model.state_dict().items())


@pytest.mark.parametrize(
    ("model", "samples", "told"),
    [
        (Residual(), None, "its values go more than one way"),
        (Split(), None, "its values go more than one way"),
        (Twice(), None, "fc.weight is used twice"),
        (Unheard(), None, "what it returns is not what its last layer gives"),
        (InPieces(), torch.zeros(2, 4), "fc.weight is used more than once on each sample"),
        (nn.Linear(4, 4), torch.zeros(2, 3, 4), "weight is used more than once on each sample"),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), None, "it calls torch.nn.functional.layer_norm, which is"),
        (nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), None, "it calls torch.nn.functional.batch_norm, which is"),
        (nn.Sequential(nn.Linear(4, 4), nn.Softmax(-1)), None, "it calls torch.nn.functional.softmax, which is"),
        (nn.Conv2d(1, 2, 3), torch.zeros(1, 1, 5, 5), "it calls torch.nn.functional.conv2d, which is neither a Linear"),
        (Failing(), None, "mine failed on its samples of float32 [1, 4] with ValueError: no such luck"),
        (nn.Linear(3, MOST_NODES + 1), None, "its widest column has 41 nodes"),
        (nn.Sequential(*(nn.Linear(2, 2) for _ in range(MOST_COLUMNS))), None, "it has 9 columns of nodes"),
        (nn.Sequential(nn.Linear(30, 40), nn.Linear(40, 1)), None, f"it has {MOST_EDGES + 40:,} weights"),
    ],
)
def test_what_cannot_be_drawn_says_why(model: nn.Module, samples: Tensor | None, told: str) -> None:
    assert reason(model, samples).startswith(told)


def test_the_largest_that_can_be_drawn_is() -> None:
    assert chain_of(Subject.from_module(nn.Linear(30, MOST_NODES))) == ("weight",)
    deep = nn.Sequential(*(nn.Linear(2, 2) for _ in range(MOST_COLUMNS - 1)))
    assert len(node_link(Subject.from_module(deep), {}, 1).columns) == MOST_COLUMNS


def test_of_weights_alone_nobody_knows_what_is_computed() -> None:
    stored = stored_network({"fc.weight": torch.ones(2, 3), "fc.bias": torch.ones(2)}, "file")
    assert reason(stored, runnable=False) == "only its weights are known, and not what is computed with them"
