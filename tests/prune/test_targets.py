"""What of a network is offered for pruning, under which name, and why the rest is not."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import RecipeError, SubjectError, TargetError
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.prune.find_targets import find_targets
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.targets import RecordedLayer, StoredLayer, Target
from pruning_explorer.prune.titles import title_of

# layer -> its targets: name, layer type, role, output dim
OFFERED = {
    "linear": (nn.Linear(3, 2), [("weight", "Linear", "weight", 0), ("bias", "Linear", "bias", 0)]),
    "bilinear": (nn.Bilinear(2, 3, 4, bias=False), [("weight", "Bilinear", "weight", 0)]),
    "conv1d": (nn.Conv1d(2, 4, 3, bias=False), [("weight", "Conv1d", "weight", 0)]),
    "conv2d": (nn.Conv2d(2, 4, 3, groups=2), [("weight", "Conv2d", "weight", 0), ("bias", "Conv2d", "bias", 0)]),
    "conv3d": (nn.Conv3d(2, 4, 3, bias=False), [("weight", "Conv3d", "weight", 0)]),
    "transposed 1d": (
        nn.ConvTranspose1d(2, 4, 3),
        [("weight", "ConvTranspose1d", "weight", 1), ("bias", "ConvTranspose1d", "bias", 0)],
    ),
    "transposed 2d": (nn.ConvTranspose2d(2, 4, 3, bias=False), [("weight", "ConvTranspose2d", "weight", 1)]),
    "transposed 3d": (nn.ConvTranspose3d(2, 4, 3, bias=False), [("weight", "ConvTranspose3d", "weight", 1)]),
    "embedding": (nn.Embedding(5, 3), [("weight", "Embedding", "embedding", 0)]),
    "embedding bag": (nn.EmbeddingBag(5, 3), [("weight", "EmbeddingBag", "embedding", 0)]),
    "attention": (
        nn.MultiheadAttention(4, 2),
        [
            ("in_proj_weight", "MultiheadAttention", "weight", 0),
            ("in_proj_bias", "MultiheadAttention", "bias", 0),
            ("out_proj.weight", "Linear", "weight", 0),
            ("out_proj.bias", "Linear", "bias", 0),
        ],
    ),
    "attention with other key and value sizes": (
        nn.MultiheadAttention(4, 2, bias=False, kdim=3, vdim=5),
        [(f"{letter}_proj_weight", "MultiheadAttention", "weight", 0) for letter in "qkv"]
        + [("out_proj.weight", "Linear", "weight", 0)],
    ),
    "rnn": (nn.RNN(3, 2, bias=False), [(f"weight_{kind}_l0", "RNN", "weight", 0) for kind in ("ih", "hh")]),
    "gru": (
        nn.GRU(3, 2),
        [(f"{what}_{kind}_l0", "GRU", what, 0) for what in ("weight", "bias") for kind in ("ih", "hh")],
    ),
    "bidirectional lstm": (
        nn.LSTM(3, 2, bias=False, bidirectional=True, proj_size=1),
        [
            (f"weight_{kind}_l0{direction}", "LSTM", "weight", 0)
            for direction in ("", "_reverse")
            for kind in ("ih", "hh", "hr")
        ],
    ),
    "gru cell": (nn.GRUCell(3, 2, bias=False), [(f"weight_{kind}", "GRUCell", "weight", 0) for kind in ("ih", "hh")]),
    "batch norm": (nn.BatchNorm2d(3), [(leaf, "BatchNorm2d", "norm", 0) for leaf in ("weight", "bias")]),
    "layer norm": (nn.LayerNorm(3), [(leaf, "LayerNorm", "norm", 0) for leaf in ("weight", "bias")]),
    "group norm": (nn.GroupNorm(1, 3), [(leaf, "GroupNorm", "norm", 0) for leaf in ("weight", "bias")]),
    "instance norm": (
        nn.InstanceNorm1d(3, affine=True),
        [(leaf, "InstanceNorm1d", "norm", 0) for leaf in ("weight", "bias")],
    ),
    "rms norm": (nn.RMSNorm(3), [("weight", "RMSNorm", "norm", 0)]),
}


@pytest.mark.parametrize(("layer", "expected"), OFFERED.values(), ids=OFFERED.keys())
def test_every_layer_type(layer: nn.Module, expected: list[tuple[str, str, str, int]]) -> None:
    network = nn.ModuleDict({"layer": layer})
    targets, refused = find_targets(network)
    assert refused == {}
    assert [(t.name, t.layer_type, t.role, t.out_dim) for t in targets] == [
        (f"layer.{n}", *rest) for n, *rest in expected
    ]
    for position, target in enumerate(targets):
        parameter = network.get_parameter(target.name)
        assert (target.shape, target.dtype) == (tuple(parameter.shape), parameter.dtype)
        assert target.numel == parameter.numel()
        assert target.module == target.name.rpartition(".")[0]
        assert target.position == position
        assert target.aliases == ()


@pytest.mark.parametrize(("layer", "expected"), OFFERED.values(), ids=OFFERED.keys())
def test_every_layer_type_can_be_pruned_by_the_library_too(layer: nn.Module, expected: list[tuple[str, ...]]) -> None:
    """Each target is where ``prune.*`` looks for it: a module and a parameter's name."""
    subject = Subject.from_module(layer)
    masks = compute_masks(subject, Recipe(amount=0.5, embeddings=True, biases=True, norms=True))
    assert len(masks) == len(expected)
    for target in masks.targets:
        assert int((~masks[target.name]).sum()) == round(target.numel / 2)
        prune.custom_from_mask(
            subject.model.get_submodule(target.module), target.name.split(".")[-1], masks[target.name]
        )


def test_biases_and_norms_only_when_asked() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.LayerNorm(4))
    subject = Subject.from_module(network)
    norms = ["1.weight", "1.bias", "2.weight", "2.bias"]
    for biases, asked in ((False, ["0.weight"]), (True, ["0.weight", "0.bias"])):
        assert list(compute_masks(subject, Recipe(biases=biases))) == asked
        assert list(compute_masks(subject, Recipe(biases=biases, norms=True))) == asked + norms
    assert list(compute_masks(subject, Recipe(targets=("2.bias", "0.bias")))) == ["0.bias", "2.bias"]


def test_embeddings_only_when_asked_or_named() -> None:
    subject = Subject.from_module(nn.ModuleDict({"words": nn.Embedding(5, 3), "head": nn.Linear(3, 5)}))
    assert list(compute_masks(subject, Recipe())) == ["head.weight"]
    assert list(compute_masks(subject, Recipe(embeddings=True))) == ["words.weight", "head.weight"]
    assert list(compute_masks(subject, Recipe(targets=("words.weight",)))) == ["words.weight"]
    named = compute_masks(subject, Recipe(amount=0.4, amounts={"words.weight": 0.2, "head.bias": 0.6}))
    assert {name: int((~named[name]).sum()) for name in named} == {"words.weight": 3, "head.weight": 6, "head.bias": 3}
    assert list(compute_masks(subject, Recipe(amounts={"words.weight": 0.2}, frozen=("words.weight",)))) == [
        "head.weight"
    ]
    # An amount waits for a method that can be used on its layer
    assert list(compute_masks(subject, Recipe(granularity="n_m", amounts={"head.bias": 0.5}))) == ["head.weight"]


@pytest.mark.parametrize("order", [("embed", "head"), ("head", "embed")])
def test_an_output_layer_that_is_tied_to_the_embedding_is_the_embedding(order: tuple[str, str]) -> None:
    layers = {"embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)}
    network = nn.ModuleDict({name: layers[name] for name in order})
    layers["head"].weight = layers["embed"].weight
    subject = Subject.from_module(network)
    assert [(t.name, t.aliases, t.role) for t in subject.targets] == [
        (f"{order[0]}.weight", (f"{order[1]}.weight",), "embedding")
    ]
    with pytest.raises(
        RecipeError, match=r"no weights but embeddings, which are off.*“Embeddings too” .embeddings=True"
    ):
        compute_masks(subject, Recipe())
    assert list(compute_masks(subject, Recipe(targets=("head.weight",)))) == [f"{order[0]}.weight"]


def test_a_network_of_what_is_off_by_default_says_which_switch() -> None:
    norm = Subject.from_module(nn.LayerNorm(4), name="norm")
    with pytest.raises(
        RecipeError, match="norm has no weights but norms, which are off by default; switch on “Norm lay"
    ):
        compute_masks(norm, Recipe())
    assert len(compute_masks(norm, Recipe(norms=True))) == 2
    # With every switch on it is the method that finds nothing
    with pytest.raises(RecipeError, match="no layer is chosen"):
        compute_masks(norm, Recipe(norms=True, granularity="channel"))


def test_tied_weights_are_one_target_with_all_names() -> None:
    network = nn.ModuleDict({"embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5), "again": nn.Embedding(5, 3)})
    network["head"].weight = network["again"].weight = network["embed"].weight
    subject = Subject.from_module(network)
    assert [(t.name, t.aliases) for t in subject.targets] == [
        ("embed.weight", ("head.weight", "again.weight")),
        ("head.bias", ()),
    ]
    assert subject.target("again.weight") is subject.target("embed.weight")


def test_one_module_used_twice_is_one_target() -> None:
    layer = nn.Linear(2, 2, bias=False)
    (target,), _ = find_targets(nn.Sequential(layer, nn.ReLU(), layer))
    assert (target.name, target.aliases) == ("0.weight", ("2.weight",))


def holding(layer: nn.Module, *shape: int, bias: int = 0, name: str = "weight") -> nn.Module:
    """A layer of which only the tensors are known."""
    layer.register_parameter(name, nn.Parameter(torch.ones(shape)))
    if bias:
        layer.register_parameter("bias", nn.Parameter(torch.ones(bias)))
    return layer


# layer -> what is known of its weight: type, role, output dim, output channels
KNOWN_BY_NAME = {
    "stored": (holding(StoredLayer("Conv2d"), 6, 4, 3, 3), ("Conv2d", "weight", 0, 6)),
    "stored, inputs first": (holding(StoredLayer("Conv1D"), 4, 6), ("Conv1D", "weight", 1, 6)),
    "stored, of no known type": (holding(StoredLayer("Mixer"), 6, 4), ("Mixer", "weight", 0, 6)),
    "stored embedding": (holding(StoredLayer("Embedding"), 9, 4), ("Embedding", "embedding", 0, 9)),
    "stored positions": (holding(StoredLayer("Encoder"), 9, 4, name="pos_embed"), ("Encoder", "embedding", 0, 9)),
    "stored scale": (holding(StoredLayer("Linear"), 4), ("Linear", "norm", 0, 0)),
    "stored and transposed": (
        holding(StoredLayer("ConvTranspose1d"), 4, 3, 2, bias=6),
        ("ConvTranspose1d", "weight", 1, 6),
    ),
    "the same without a bias": (holding(StoredLayer("ConvTranspose1d"), 4, 3, 2), ("ConvTranspose1d", "weight", 1, 3)),
    "recorded": (
        holding(RecordedLayer("torch.nn.modules.conv.ConvTranspose2d"), 4, 3, 2, 2, bias=3),
        ("ConvTranspose2d", "weight", 1, 3),
    ),
    "recorded, inputs first": (
        holding(RecordedLayer("transformers.pytorch_utils.Conv1D"), 4, 6),
        ("Conv1D", "weight", 1, 6),
    ),
    "recorded, of a class of one's own": (holding(RecordedLayer("my.own.Mixer"), 6, 4), ("Mixer", "weight", 0, 6)),
    "recorded without a class": (holding(RecordedLayer(""), 6, 4), ("layer", "weight", 0, 6)),
}


@pytest.mark.parametrize(("layer", "expected"), KNOWN_BY_NAME.values(), ids=KNOWN_BY_NAME.keys())
def test_a_layer_whose_code_is_not_there_is_known_by_its_name(
    layer: nn.Module, expected: tuple[str, str, int, int]
) -> None:
    # Inside something that is called like a table of positions, which says nothing of the layer itself
    target = find_targets(nn.ModuleDict({"pos_embed": layer}))[0][0]
    assert (target.layer_type, target.role, target.out_dim, target.channels) == expected


def test_layers_of_an_exported_program_keep_their_types() -> None:
    network = nn.Sequential(nn.ConvTranspose1d(4, 6, 2), nn.Flatten(), nn.Linear(12, 2)).eval()
    program = torch.export.unflatten(torch.export.export(network, (torch.ones(1, 4, 1),)))

    def known(targets: tuple[Target, ...]) -> list[tuple[str, str, int]]:
        return [(each.name, each.layer_type, each.out_dim) for each in targets]

    assert known(find_targets(program)[0]) == known(find_targets(network)[0])


def test_what_a_checkpoint_holds_beside_parameters_is_listed() -> None:
    outer, inner = holding(StoredLayer("Linear"), 3, 2), StoredLayer("BatchNorm1d")
    outer.register_buffer("table", torch.zeros(3, dtype=torch.int64))
    outer.register_buffer("kernel_u", torch.zeros(3))
    outer.register_buffer("kernel_v", torch.zeros(2))
    outer.register_buffer("kernel_orig", torch.zeros(3, 2))
    inner.register_buffer("running_mean", torch.zeros(3))
    outer.add_module("inner", inner)
    refused = find_targets(outer)[1]
    assert refused.keys() == {"table", "kernel_u", "kernel_v", "kernel_orig"}
    assert refused["table"] == "a buffer of int64 and no parameter: nothing that was learnt"
    assert refused["kernel_u"] == refused["kernel_v"] == refused["kernel_orig"]
    assert "remove_spectral_norm first" in refused["kernel_u"]


def quantised() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.int8), requires_grad=False)
    return layer


def of_dtype(dtype: torch.dtype) -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.weight = nn.Parameter(torch.zeros(4, 4).to(dtype), requires_grad=False)
    return layer


def of_quantised() -> nn.Module:
    layer = nn.Linear(4, 4)
    with warnings.catch_warnings(action="ignore"):  # torch will let go of these dtypes; files still hold them
        values = torch.quantize_per_tensor(torch.arange(16.0).view(4, 4), 0.1, 0, torch.qint8)
    layer.weight = nn.Parameter(values, requires_grad=False)
    return layer


class Scaled(nn.Module):
    """A custom module with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.inner = nn.Linear(4, 4, bias=False)


# Wrapped in "layer" -> a parameter that is not offered, and what the reason says
REFUSED = {
    "parametrized": (
        parametrizations.weight_norm(nn.Linear(4, 4)),
        "parametrizations.weight.original0",
        "parametrized",
    ),
    "spectral": (parametrizations.spectral_norm(nn.Linear(4, 4)), "parametrizations.weight.original", "parametrized"),
    "already pruned": (prune.l1_unstructured(nn.Linear(4, 4), "weight", 0.5), "weight", "prune.remove first"),
    "integer": (quantised(), "weight", "int8 weights have no magnitude"),
    "packed four-bit": (of_dtype(torch.uint8), "weight", "uint8 weights have no magnitude"),
    "quantised tensor": (of_quantised(), "weight", "qint8 weights have no magnitude"),
    "old spectral norm": (nn.utils.spectral_norm(nn.Linear(4, 4)), "weight_orig", "remove_spectral_norm first"),
    "complex": (of_dtype(torch.complex64), "weight", "complex64 weights have no magnitude"),
    "float8": (of_dtype(torch.float8_e4m3fn), "weight", "float8_e4m3fn cannot be computed with"),
    "meta": (nn.Linear(4, 4, device="meta"), "weight", "meta device"),
    "lazy": (nn.LazyLinear(4), "weight", "run the network once first"),
}


def test_a_parameter_of_no_layer_is_pruned_only_where_it_is_named() -> None:
    subject = Subject.from_module(nn.ModuleDict({"layer": Scaled()}))
    assert subject.refused["layer.scale"].startswith("a parameter of Scaled itself")
    assert set(compute_masks(subject, Recipe(biases=True, norms=True, embeddings=True))) == {"layer.inner.weight"}
    assert compute_masks(subject, Recipe(targets=("layer.scale",))).kept("layer.scale") == 2
    assert set(compute_masks(subject, Recipe(amounts={"layer.scale": 0.25}))) == {"layer.scale", "layer.inner.weight"}
    alone = Subject.from_module(nn.ParameterDict({"mix": nn.Parameter(torch.ones(3, 3))}))
    with pytest.raises(RecipeError, match=r"what belongs to none is pruned where it is named: targets=\('mix',\)"):
        compute_masks(alone, Recipe())


@pytest.mark.parametrize(("layer", "name", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(layer: nn.Module, name: str, reason: str) -> None:
    subject = Subject.from_module(nn.ModuleDict({"layer": layer, "other": nn.Linear(2, 2)}))
    name = f"layer.{name}"
    assert reason in subject.refused[name]
    assert "other.weight" in [target.name for target in subject.targets]
    with pytest.raises(TargetError, match=f"^{name} cannot be pruned: .*{reason}"):
        subject.weight(name)
    with pytest.raises(TargetError, match=reason):
        compute_masks(subject, Recipe(targets=(name,)))
    assert name not in compute_masks(subject, Recipe(biases=True))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*zero-element")
def test_refused_old_weight_norm_and_empty() -> None:
    states = nn.utils.weight_norm(nn.LSTM(2, 2, bias=False), "weight_hh_l0")
    network = nn.ModuleDict({"old": nn.utils.weight_norm(nn.Linear(4, 4)), "states": states, "none": nn.Linear(0, 4)})
    subject = Subject.from_module(network)
    assert {name: why.split(" ")[0] for name, why in subject.refused.items()} == {
        "old.weight_g": "weight_norm",
        "old.weight_v": "weight_norm",
        "states.weight_hh_l0_g": "weight_norm",
        "states.weight_hh_l0_v": "weight_norm",
        "none.weight": "empty:",
    }
    assert [target.name for target in subject.targets] == ["old.bias", "states.weight_ih_l0", "none.bias"]


@pytest.mark.filterwarnings("ignore:.*(quantization|quantize)")
def test_layers_that_torch_has_quantised_are_listed() -> None:
    """Their weights are no parameters any more; a layer counts once, whatever it is made of."""
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.LSTM(4, 3), nn.Conv1d(2, 2, 1))
    packed = torch.ao.quantization.quantize_dynamic(network, {nn.Linear, nn.LSTM})
    subject = Subject.from_module(packed)
    assert [target.name for target in subject.targets] == ["3.weight", "3.bias"]
    assert {name: why.partition(":")[0] for name, why in subject.refused.items()} == {
        "0.weight": "quantised by torch (Linear)",
        "2.weight": "quantised by torch (LSTM)",
    }
    other = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.LSTM(4, 3), network[3])
    again = torch.ao.quantization.quantize_dynamic(other, {nn.Linear, nn.LSTM})
    assert Subject.from_module(again).id != subject.id, "other packed weights are another network"
    assert Subject.from_module(packed).id == subject.id
    with pytest.raises(SubjectError, match=r"nothing in my-model can be pruned \(0.weight: quantised by torch"):
        Subject.from_module(nn.Sequential(packed[0]))
    with pytest.raises(SubjectError, match=r"nothing in my-model can be pruned \(weight: quantised by torch"):
        Subject.from_module(packed[0])


def test_every_parameter_is_offered_or_refused() -> None:
    network = nn.ModuleDict({name.replace(".", "_"): layer for name, (layer, _, _) in REFUSED.items()})
    network["fine"] = nn.Linear(2, 2)
    subject = Subject.from_module(network)
    offered = [target.name for target in subject.targets]
    # Under prune's hooks a weight is refused by the name that people know
    every = {
        name.replace("already pruned.weight_orig", "already pruned.weight") for name, _ in network.named_parameters()
    }
    assert sorted([*offered, *subject.refused]) == sorted(every)
    assert all(subject.refused.values())


def test_a_network_without_any_target() -> None:
    with pytest.raises(SubjectError, match=r"nothing in my-model can be pruned \(it has no parameters\)"):
        Subject.from_module(nn.ReLU())
    with pytest.raises(SubjectError, match=r"nothing in big can be pruned \(weight: on the meta device"):
        Subject.from_module(nn.Linear(2, 2, device="meta"), name="big")


def test_dim_0_is_not_called_outputs_where_it_is_inputs() -> None:
    """Masks are torch's for dim 0; whoever reads what dim means is told of the layers that store inputs first."""
    subject = Subject.from_module(nn.Sequential(nn.Linear(4, 6), nn.ConvTranspose2d(4, 6, 3)))
    assert [target.out_dim for target in subject.targets if target.role == "weight"] == [0, 1]
    masks = compute_masks(subject, Recipe(granularity="channel:dim=0", amount=0.5, targets=("1.weight",)))
    assert int((~masks["1.weight"]).flatten(1).all(1).sum()) == 2, "two of the four inputs"
    (dim,) = (each for each in GRANULARITIES["channel"].settings if each.name == "dim")
    for text in (dim.help, glossary().word("channel").text, glossary().word("dim").text):
        assert "transposed convolutions" in text
        assert "GPT-2's Conv1D" in text
    assert not any("put" in label for label in dim.labels.values())
    assert title_of(Recipe(granularity="channel:dim=1")) == "Magnitude, channels of dim 1"
