"""Tied weights in files: saved once, their other name in the metadata or nowhere, and pruned under both."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, compute_masks, load_subject, write_script
from tests.sources.test_same_network import pruned, run
from tests.sources.tiny_networks import tiny_network


class Tied(nn.Module):
    """A head that is tied to its embedding; of the two names the embedding's sorts first."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(9, 4)
        self.mix = nn.Linear(4, 4)
        self.head = nn.Linear(4, 9, bias=False)
        self.head.weight = self.emb.weight

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.mix(self.emb(tokens)))
        return logits


RECIPES = {
    "l1": Recipe(scope="global", amount=0.6, embeddings=True),
    "2:4": Recipe(granularity="n_m", amount=0.5, embeddings=True),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
@pytest.mark.parametrize("made", [Tied, lambda: tiny_network("gpt2")], ids=["by hand", "GPT-2"])
def test_the_script_of_a_file_of_save_model_prunes_the_network_itself(
    made: Any, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = made()
    save_model(model, str(tmp_path / "net.safetensors"))
    subject = load_subject(str(tmp_path / "net.safetensors"))
    (table,) = (each for each in subject.targets if each.aliases)
    assert table.role == "embedding"
    masks = compute_masks(subject, recipe)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    found = pruned(run(write_script(subject, recipe), model=made()))
    for name in (table.name, *table.aliases):
        assert torch.equal(found[name], masks[table.name])
    assert all(torch.equal(found[name], mask) for name, mask in masks.items())


def test_a_file_that_lacks_a_weight_is_told_from_one_whose_weight_is_tied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libraries save it: ``format: pt`` and one name of two, without a word about the other."""
    from safetensors.torch import save_file

    model = Tied()
    state = {name: each.clone() for name, each in model.state_dict().items() if name != "head.weight"}
    save_file(state, tmp_path / "whole.safetensors", {"format": "pt"})
    del state["mix.weight"]
    save_file(state, tmp_path / "less.safetensors", {"format": "pt"})
    recipe = Recipe(amount=0.5, embeddings=True)
    monkeypatch.chdir(tmp_path)
    found = pruned(run(write_script(load_subject("whole.safetensors"), recipe), model=Tied()))
    assert torch.equal(found["head.weight"], found["emb.weight"])
    with pytest.raises(AssertionError, match=r"mix\.weight"):
        run(write_script(load_subject("less.safetensors"), recipe), model=Tied())


@pytest.mark.parametrize("side", ["head", "emb"])
def test_a_tied_network_of_which_one_side_is_pruned_is_folded(side: str, tmp_path: Path) -> None:
    """The other side stays dense; the file holds the values once and one mask."""
    model = Tied()
    prune.l1_unstructured(getattr(model, side), "weight", 0.5)
    other = "emb" if side == "head" else "head"
    path = tmp_path / "net.safetensors"
    save_model(model, str(path))
    subject = load_subject(str(path))
    weights = {name: subject.weight(name) for name in ("emb.weight", "head.weight")}
    assert torch.equal(weights[f"{side}.weight"], getattr(model, side).weight)
    assert torch.equal(weights[f"{other}.weight"], getattr(model, other).weight)
    assert "masks of one parameter remove 50.0%" in subject.about


def test_a_tied_network_of_which_both_sides_are_pruned_alike_stays_tied(tmp_path: Path) -> None:
    model = Tied()
    prune.l1_unstructured(model.emb, "weight", 0.5)
    prune.custom_from_mask(model.head, "weight", model.emb.weight_mask)
    path = tmp_path / "net.safetensors"
    save_model(model, str(path))
    subject = load_subject(str(path))
    (table,) = (each for each in subject.targets if each.role == "embedding")
    assert {table.name, *table.aliases} == {"emb.weight", "head.weight"}
    assert torch.equal(subject.weight("head.weight"), model.emb.weight)
