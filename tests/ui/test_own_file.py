"""Scores and masks of one's own come in by the sidebar; what does not fit is told in place."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import save

from pruning_explorer import compute_masks, load_subject
from tests.ui.page import Page

OpenPage = Callable[..., Page]


def npz(**tensors: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **tensors)
    return file.getvalue()


def scores_of(name: str) -> dict[str, torch.Tensor]:
    """Where a weight lies decides: the first go first."""
    weights = [target for target in load_subject(name).targets if target.role == "weight"]
    return {each.name: torch.arange(each.numel, dtype=torch.float32).view(each.shape) for each in weights}


def test_scores_of_ones_own_decide(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.25")
    page.open_criteria()
    page.upload_scores("mine.safetensors", save(scores_of("tutorial-mlp")))
    assert (page.errors, page.app.session_state["criterion_open"]) == ([], False)
    assert str(page.recipe.criterion).startswith("scores:file=")
    assert page.criterion.endswith("From mine.safetensors.")
    assert page.amount == 25.0
    masks = compute_masks(page.subject, page.recipe)
    assert masks["fc1.weight"].flatten().int().tolist() == [0] * 5 + [1] * 15
    page.choose_criterion("random")
    page.open_criteria()
    own = next(each.key for each in page.app.sidebar.button if each.label == "Own scores, mine.safetensors")
    page.click(own)
    assert str(page.recipe.criterion).startswith("scores:file=")


def test_a_mask_of_ones_own_sets_the_amount_to_all_that_it_removes(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.25")
    keep = np.ones((4, 5), bool)
    keep[0, 1] = keep[2, 3] = False
    page.open_criteria()
    page.pick("score_file_holds", "mask")
    page.upload_scores("keep.npz", npz(**{"fc1.weight": keep}))
    assert page.errors == []
    assert page.amount == 100.0
    assert page.layers == ["fc1.weight"], "the file has no other"
    assert "The amount is at 100 %: all goes that the mask removes, and never more." in page.criterion
    assert compute_masks(page.subject, page.recipe)["fc1.weight"].tolist() == keep.tolist()
    assert page.metrics["Sparsity"].value == "10.0 %"
    page.set_amount(5.0)
    assert page.metrics["Sparsity"].value == "5.0 %"
    assert "At 100 % all goes that the mask removes" in page.criterion


@pytest.mark.parametrize(
    ("holds", "name", "content", "says"),
    [
        ("scores", "a.npz", npz(**{"fc1.weight": np.ones((5, 4))}), "shape (5, 4), the weight (4, 5)"),
        ("scores", "a.npz", npz(**{"conv9.weight": np.ones(3)}), "tutorial-mlp has no such parameter"),
        ("scores", "a.npz", npz(**{"fc1.weight": np.full((4, 5), np.nan)}), "hold NaN or infinite values"),
        ("scores", "a.npz", npz(**{"fc1.weight": np.full((4, 5), -1.0)}), "hold negative values"),
        ("mask", "a.npz", npz(**{"fc1.weight": np.full((4, 5), 0.5)}), "values other than 0 and 1"),
        ("scores", "a.npz", b"PK\x03\x04 and no more", "cannot be read as .npz"),
        ("mask", "a.safetensors", b"\xff" * 40, "cannot be read as .safetensors"),
        ("scores", "![x](http://127.0.0.1/x).npz", b"", "![x](http://127.0.0.1/x).npz cannot be read"),
        ("scores", "a.npz", npz(), "holds no tensor"),
    ],
    ids=["shape", "name", "NaN", "negative", "no mask", "broken npz", "broken safetensors", "evil name", "empty"],
)
def test_what_does_not_fit_says_why_and_changes_nothing(
    open_page: OpenPage, holds: str, name: str, content: bytes, says: str
) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.25", layer_amount="fc2.weight=0.1")
    before, layers = page.address, page.layers
    page.open_criteria()
    page.pick("score_file_holds", holds)
    page.upload_scores(name, content)
    (error,) = page.errors
    assert error.startswith("This file was not used, and nothing has changed: ")
    assert says in error
    assert "![" not in page.app.error[0].value
    assert (page.address, page.layers, page.amount) == (before, layers, 25.0)
    assert page.app.session_state["criterion_open"], "the list stays open, with the message in it"
    page.click("criterion_lamp")
    page.open_criteria()
    assert page.errors == []


def test_a_file_of_another_network_is_told_where_the_network_changes(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp")
    page.open_criteria()
    page.upload_scores("mine.safetensors", save(scores_of("tutorial-mlp")))
    page.pick("subject", "digits-cnn")
    (error,) = page.errors
    assert "“Own scores” cannot judge digits-cnn: the file has scores for fc1.weight" in error
    page.pick("subject", "tutorial-mlp")
    assert page.errors == []
    assert str(page.recipe.criterion).startswith("scores:file=")


def test_an_address_whose_file_is_not_loaded_says_so(open_page: OpenPage) -> None:
    page = open_page(subject="tutorial-mlp", criterion="scores:file=0123456789ab")
    said = " ".join(page.errors + page.warnings)
    assert "the scores '0123456789ab' are not loaded here; load the file again" in said
