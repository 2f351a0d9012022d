"""The same network by its code, by the folder that its library wrote, and by one state_dict: the same masks."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks, export, load_subject, write_script
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.targets import Target
from pruning_explorer.sources.checkpoints.loading import NAMES_AS_IN_MEMORY
from pruning_explorer.sources.samples import SAMPLES
from tests.sources.tiny_networks import TINY, tiny_network

ALL = Recipe(scope="global", amount=0.6, embeddings=True)
WITHOUT_EMBEDDINGS = Recipe(scope="global", amount=0.8)
TWO_OF_FOUR = Recipe(granularity="n_m", amount=0.5)
ROWS = Recipe(scope="row", amount=0.5)


@pytest.fixture(autouse=True)
def quiet() -> None:
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def offered(subject: Subject) -> dict[frozenset[str], tuple[Any, ...]]:
    """What is offered by default or as an embedding; a tied one by any of its names."""
    return {
        frozenset((each.name, *each.aliases)): (each.role, each.shape, each.out_dim, each.experts)
        for each in subject.targets
        if each.is_weight
    }


def same(masks: Masks, others: Masks) -> bool:
    by_any_name = {name: others[each.name] for each in others.targets for name in (each.name, *each.aliases)}
    return len(masks) == len(others) and all(torch.equal(mask, by_any_name[name]) for name, mask in masks.items())


def run(script: str, **given: Any) -> nn.Module:
    bound: dict[str, Any] = dict(given)
    exec(compile(script, "script", "exec"), bound)
    network: nn.Module = bound["model"]
    return network


def pruned(network: nn.Module) -> dict[str, Tensor]:
    """Parameter by name, of tied ones by each -> mask."""
    found = {}
    for path, module in network.named_modules(remove_duplicate=False):
        for name, mask in module.named_buffers(recurse=False):
            if name.endswith("_mask") and hasattr(module, name.replace("_mask", "_orig")):
                found[f"{path}.{name.removesuffix('_mask')}"] = mask.bool()
    return found


@pytest.mark.parametrize("family", TINY)
def test_by_code_by_folder_and_by_state_dict(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = tiny_network(family)
    model.save_pretrained(tmp_path / "net")
    torch.save(model.state_dict(), tmp_path / "net.pt")
    code, plain, folder = (Subject.from_module(model), *(load_subject(str(tmp_path / n)) for n in ("net.pt", "net")))

    assert offered(plain) == offered(code)
    for recipe in (ALL, WITHOUT_EMBEDDINGS, TWO_OF_FOUR, ROWS):
        assert same(compute_masks(plain, recipe), compute_masks(code, recipe))
    monkeypatch.chdir(tmp_path)
    assert_pruned(run(write_script(plain, ALL), model=tiny_network(family)), compute_masks(plain, ALL))

    monkeypatch.chdir(tmp_path / "net")
    if family in NAMES_AS_IN_MEMORY:
        assert_of_file(folder, code)
    else:
        kinds = [{(each.role, each.numel) for each in s.targets if each.role == "embedding"} for s in (code, folder)]
        assert kinds[0] == kinds[1]
        weights = [sum(each.numel for each in s.targets if each.role == "weight") for s in (code, folder)]
        assert weights[0] == weights[1]
    for recipe in (ALL, TWO_OF_FOUR):
        masks, network = compute_masks(folder, recipe), run(write_script(folder, recipe))
        assert type(network) is type(model)
        if family in NAMES_AS_IN_MEMORY:
            assert_pruned(network, masks)
        else:
            assert_carried(network, model, masks)


@pytest.mark.parametrize("family", ["mixtral", "vit", "gpt2"])
def test_pruned_weights_in_the_place_of_a_network_s_file_are_loaded_by_its_library(family: str, tmp_path: Path) -> None:
    model: Any = tiny_network(family)
    for folder in ("net", "pruned"):
        model.save_pretrained(tmp_path / folder)
    subject = load_subject(str(tmp_path / "net"))
    place = tmp_path / "pruned" / "model.safetensors"
    said = export(subject, ALL, place, overwrite=True).loading
    assert ("as model.safetensors beside config.json" in said) == (family not in NAMES_AS_IN_MEMORY)
    network = type(model).from_pretrained(tmp_path / "pruned")
    gone = sum(int(each.eq(0).sum()) for each in network.parameters() if each.dim() > 1)
    assert gone == sum(mask.numel() - int(mask.sum()) for mask in compute_masks(subject, ALL).values())
    if family not in NAMES_AS_IN_MEMORY:
        assert "brings these masks to the network" in export(subject, ALL, tmp_path / "m.safetensors", "masks").loading


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_networks_are_the_same_from_their_state_dict(name: str, tmp_path: Path) -> None:
    code = load_subject(name)
    torch.save(code.copy_model().state_dict(), tmp_path / "net.pt")
    file = load_subject(str(tmp_path / "net.pt"))
    assert offered(file) == offered(code)
    for recipe in (ALL, WITHOUT_EMBEDDINGS, ROWS):
        assert same(compute_masks(file, recipe), compute_masks(code, recipe))


class EveryLayer(nn.Module):
    """Layers of torch whose parameters have names, dims or partners of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.randn(1, 1, 8))
        self.register_buffer("anchors", torch.rand(5, 4))
        self.conv = nn.Conv3d(4, 8, 3, groups=2)
        self.up = nn.ConvTranspose2d(8, 6, 2)
        self.group = nn.GroupNorm(2, 8)
        self.instance = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
        self.attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=4, add_bias_kv=True)
        self.lstm = nn.LSTM(8, 6, num_layers=2, proj_size=4, bidirectional=True)
        self.cell = nn.GRUCell(8, 6)
        self.bilinear = nn.Bilinear(4, 6, 5)
        self.bag_embedding = nn.EmbeddingBag(9, 8)
        self.dense = nn.ModuleList([nn.Linear(8, 8, bias=False), nn.Linear(8, 3)])


def test_layers_of_torch_are_the_same_from_their_state_dict(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = EveryLayer()
    code = Subject.from_module(model)
    torch.save(model.state_dict(), tmp_path / "net.pt")
    file = load_subject(str(tmp_path / "net.pt"))
    assert offered(file) == offered(code)
    for recipe in (ALL, WITHOUT_EMBEDDINGS, ROWS):
        assert same(compute_masks(file, recipe), compute_masks(code, recipe))
    roles = [{each.name: each.role for each in subject.targets if each.role != "other"} for subject in (code, file)]
    assert roles[0] == roles[1]
    for subject in (code, file):
        assert "name it, and it is pruned" in subject.refused["class_token"]
    assert "most likely anchors" in file.refused["anchors"]


def assert_of_file(folder: Subject, code: Subject) -> None:
    """The file has one name of a tied weight, and of what is computed none."""
    of_file, of_code = offered(folder), offered(code)
    known = {names: what for names, what in of_code.items() if names & {each for one in of_file for each in one}}
    assert sorted(map(str, of_file.values())) == sorted(map(str, known.values()))
    assert all(any(names <= each for each in of_code) for names in of_file)
    assert all(what[0] == "embedding" for names, what in of_code.items() if names not in known)
    assert same(compute_masks(folder, TWO_OF_FOUR), compute_masks(code, TWO_OF_FOUR))
    assert same(compute_masks(folder, WITHOUT_EMBEDDINGS), compute_masks(code, WITHOUT_EMBEDDINGS))


def assert_pruned(network: nn.Module, masks: Masks) -> None:
    """Each mask is on its parameter, and on whatever the network ties to it."""
    found = pruned(network)
    assert masks.keys() <= found.keys()
    assert all(torch.equal(found[name], mask) for name, mask in masks.items())
    originals = dict(network.named_parameters(remove_duplicate=False))
    for name, mask in found.items():
        assert any(originals[f"{name}_orig"] is originals[f"{each}_orig"] for each in masks), name
        assert not network.get_parameter(f"{name}_orig")[mask].eq(0).any()
    tied = {id(each) for name in masks for each in [originals[f"{name}_orig"]]}
    assert not [name for name, each in originals.items() if id(each) in tied and not name.endswith("_orig")]


def assert_carried(network: nn.Module, dense: nn.Module, masks: Masks) -> None:
    """As many weights are gone, and they are those of the same values."""
    found, original = pruned(network), dict(dense.named_parameters(remove_duplicate=False))
    distinct = {id(network.get_parameter(f"{name}_orig")): name for name in found}
    gone = torch.cat([original[name].detach()[~found[name]] for name in distinct.values()])
    assert gone.numel() == sum(mask.numel() - int(mask.sum()) for mask in masks.values())
    file = load_subject(".")
    wanted = torch.cat([file.weight(name)[~mask].flatten() for name, mask in masks.items()])
    assert torch.equal(gone.sort().values, wanted.sort().values)


def test_all_layouts_of_experts_in_transformers_are_known() -> None:
    """Each class of experts there is read as text; one of each layout is made, and its dims are those of its sizes."""
    import importlib

    import transformers

    layouts: dict[tuple[str, ...], tuple[str, str]] = {}
    for path in sorted((Path(transformers.__file__).parent / "models").glob("*/modeling_*.py")):
        for name, body in re.findall(
            r"^class (\w*Expert\w*)\(nn\.Module\):\n(.*?)(?=^class |^def |^@|\Z)", path.read_text(), re.M | re.S
        ):
            parameters = tuple(
                " ".join(each.split()) for each in re.findall(r"self\.\w+ = nn\.Parameter\(.*?\)\n", body, re.S)
            )
            if parameters:
                layouts[parameters] = (f"transformers.models.{path.parent.name}.{path.stem}", name)
    assert len(layouts) >= 9
    for module, name in layouts.values():
        kind = getattr(importlib.import_module(module), name)
        experts = (
            kind(3, 10, 20)
            if name.startswith("JetMoe")
            else kind(_AnyConfig() if not name.startswith("Dbrx") else _dbrx())
        )
        code = Subject.from_module(nn.ModuleDict({"experts": nn.ModuleDict({"mlp": experts})}))
        for target in code.targets:
            assert_dims(target, name)


class _AnyConfig:
    """Gives sizes by what they are called: 10 hidden, 6 in between, 3 experts."""

    moe_num_experts = n_shared_experts = num_local_experts = n_routed_experts = num_experts = 3
    hidden_act = "silu"

    def get(self, name: str, otherwise: Any = None) -> Any:
        return otherwise

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if "act" in name:
            return "silu"
        if "latent" in name:
            return None
        return 6 if "intermediate" in name or "ffn" in name else 3 if "expert" in name else 10


def assert_dims(target: Target, kind: str) -> None:
    leaf = target.name.rpartition(".")[2]
    if target.role == "bias":
        return
    assert target.role == "weight", (kind, target)
    inputs = 10 if "up" in leaf or "gate" in leaf or leaf in ("w1", "v1", "weight") else 6
    if len(target.shape) == 2:
        assert target.shape[target.in_dim] in (inputs, 3 * inputs), (kind, target)
    else:
        assert target.shape[target.in_dim] == inputs, (kind, target)
        assert target.experts in (3, 6), (kind, target)


def _dbrx() -> Any:
    import transformers

    made = transformers.DbrxConfig(ffn_config={"ffn_hidden_size": 6, "moe_num_experts": 3, "hidden_size": 10})
    made.ffn_config.hidden_size = 10
    return made.ffn_config
