"""A checkpoint goes out as it came in: its names, its ties, and what it says of itself."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, compute_masks, export
from pruning_explorer.sources.words import open_file
from tests.sources.files_of_torch import Language, Residual, same_tensors

HALF = Recipe(amount=0.5, embeddings=True)


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def test_names_metadata_and_ties_of_safetensors_stay(tmp_path: Path) -> None:
    dense = Language()
    wrapped = nn.ModuleDict({"module": dense})
    save_model(wrapped, str(tmp_path / "in.safetensors"), {"format": "pt", "modelspec.title": "\u2028", "n": "1"})
    stored = load_file(tmp_path / "in.safetensors")
    tie = {key: text for key, text in metadata_of(tmp_path / "in.safetensors").items() if text in stored}
    assert len(tie) == 1
    subject = open_file(tmp_path / "in.safetensors")
    assert same_tensors(subject.model.state_dict(), wrapped.state_dict())
    export(subject, HALF, tmp_path / "out.safetensors")
    found = load_file(tmp_path / "out.safetensors")
    assert found.keys() == stored.keys()
    said = metadata_of(tmp_path / "out.safetensors")
    assert {key: text for key, text in said.items() if not key.startswith("pruning_explorer.")} == (
        {"format": "pt", "modelspec.title": "\u2028", "n": "1"} | tie
    )
    again = nn.ModuleDict({"module": Language()})
    load_model(again, tmp_path / "out.safetensors")
    for name, mask in compute_masks(subject, HALF).items():
        assert torch.equal(again.get_parameter(name), torch.where(mask, wrapped.get_parameter(name), 0))
    once_more = open_file(tmp_path / "out.safetensors")
    assert once_more.model.state_dict().keys() == wrapped.state_dict().keys()
    export(once_more, HALF, tmp_path / "twice.safetensors")
    assert metadata_of(tmp_path / "twice.safetensors")["pruning_explorer.recipe"] == HALF.to_json()


@pytest.mark.parametrize(
    "metadata",
    [
        {"author": "a.weight", "b": "a.weight"},  # a word of one part is none of a tensor in a module
        {"format": "a.weight"},
        {"a.weight.x": "a.weight", "a": "a.weight", "c": "b"},  # a tensor that holds tensors, or is a module
        {"x.y": "a.weight", "x": "a.weight", "x.y.z": "a.weight"},
        {"x..y": "a.weight", ".x": "a.weight", "x.": "a.weight", "forward.weight": "a.weight", "x.\n": "a.weight"},
        {"a.bias": "nothing.there"},
    ],
)
def test_metadata_that_only_looks_like_a_tie_opens_as_before(metadata: dict[str, str], tmp_path: Path) -> None:
    tensors = {"a.weight": torch.randn(4, 3), "a.bias": torch.randn(4), "c.d.weight": torch.randn(2, 2)}
    save_file(tensors, tmp_path / "in.safetensors", metadata)
    subject = open_file(tmp_path / "in.safetensors")
    ties = {"x.y": "a.weight"} if "x.y" in metadata else {}
    assert subject.model.state_dict().keys() == tensors.keys() | ties.keys()
    export(subject, HALF, tmp_path / "out.safetensors")
    found = metadata_of(tmp_path / "out.safetensors")
    assert {key: found[key] for key in metadata if key != "format"} == {
        key: text for key, text in metadata.items() if key != "format"
    }


def test_a_checkpoint_in_parts_goes_out_whole(tmp_path: Path) -> None:
    state = Language().state_dict()
    tied = state.pop("lm_head.weight")
    parts = {"one.safetensors": {}, "two.safetensors": {}}  # type: dict[str, dict[str, torch.Tensor]]
    for place, (name, tensor) in enumerate(state.items()):
        parts[list(parts)[place % 2]][name] = tensor
    for file, tensors in parts.items():
        tie = {"lm_head.weight": "token_embedding.weight"} if "token_embedding.weight" in tensors else {}
        save_file(tensors, tmp_path / file, {"format": "pt"} | tie)
    index = {"weight_map": {name: file for file, tensors in parts.items() for name in tensors}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    subject = open_file(tmp_path / "model.safetensors.index.json")
    assert subject.target("lm_head.weight").name == "token_embedding.weight"
    for ending in (".safetensors", ".pt"):
        saved = export(subject, Recipe(amount=0.0), tmp_path / f"out{ending}")
        model = Language()
        exec(saved.loading.replace("'out", f"'{tmp_path}/out"), {"model": model})
        assert same_tensors(model.state_dict(), {**state, "lm_head.weight": tied})


def test_a_state_dict_keeps_the_versions_of_its_modules(tmp_path: Path) -> None:
    """``load_state_dict`` asks for them: without, BatchNorm takes a state_dict for one from before it counted."""
    state = Residual().state_dict()
    torch.save({"model": state, "epoch": 1}, tmp_path / "in.pt")
    saved = export(open_file(tmp_path / "in.pt"), HALF, tmp_path / "out.pt")
    found = torch.load(saved.path)
    known = {path: each for path, each in found._metadata.items() if each["version"] is not None}
    assert known == {path: dict(each) for path, each in state._metadata.items() if path in known}
    assert {"bn1", "conv1", "fc", ""} <= known.keys()
    Residual().load_state_dict(found)
    save_file({name: tensor.clone() for name, tensor in state.items()}, tmp_path / "plain.safetensors")
    plain = export(open_file(tmp_path / "plain.safetensors"), HALF, tmp_path / "plain.pt")
    assert not hasattr(torch.load(plain.path), "_metadata")
    Residual().load_state_dict(torch.load(plain.path))


@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_a_pair_opens_folded_and_says_so(ending: str, tmp_path: Path) -> None:
    model = Residual()
    torch.save(model.state_dict(), tmp_path / "in.pt")
    subject = open_file(tmp_path / "in.pt")
    pairs = open_file(export(subject, HALF, tmp_path / f"pairs{ending}", "prune").path)
    weights = open_file(export(subject, HALF, tmp_path / f"weights{ending}").path)
    assert same_tensors(pairs.model.state_dict(), weights.model.state_dict())
    pruned = sum(target.numel for target in subject.targets if target.role == "weight")
    assert (
        f"It came pruned (torch.nn.utils.prune): masks of 4 parameters remove 50.0% of their {pruned:,} weights."
        in pairs.about
    )


def test_what_torch_pruned_and_tied_before_is_whole_again(tmp_path: Path) -> None:
    """One of two tied layers pruned: ``save_model`` keeps its weights under the other one's name only."""
    model = Language()
    prune.l1_unstructured(model.lm_head, "weight", 0.4)
    wanted = model.lm_head.weight.detach().clone()
    save_model(model, str(tmp_path / "in.safetensors"))
    subject = open_file(tmp_path / "in.safetensors")
    assert torch.equal(subject.weight("lm_head.weight"), wanted)
    assert torch.equal(subject.weight("token_embedding.weight"), model.token_embedding.weight)
