"""What the list of layers draws from: small pictures that are those of the masks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.prune.engine import masks_at, rank_targets
from pruning_explorer.ui.browser.message import unpack_arrays
from pruning_explorer.ui.explore.positions import removed_at_positions
from pruning_explorer.ui.layer_list import build_counts, build_thumbnails
from pruning_explorer.ui.live_mask.layout import picture_layout, to_picture

POSITIONS = np.arange(1001) / 1000
STEP = 50
"""Positions of the slider between two stops."""


def picture_of(header: dict, arrays: dict, layer: int, position: int) -> np.ndarray:
    """Removed fraction of each block, where the slider stands at one of the stops."""
    picture = header["pictures"][layer]
    size = picture["rows"] * picture["cols"]
    if picture["in"] == "exits":
        part = arrays["exits"][picture["from"] :][:size] <= position
    else:
        part = arrays["gone"][picture["from"] + position // STEP * size :][:size] / 255
    return np.asarray(part, dtype=float).reshape(picture["rows"], picture["cols"])


@pytest.mark.parametrize("name", ["digits-cnn", "digits-vit", "tutorial-mlp"])
@pytest.mark.parametrize(
    "recipe", [Recipe(), Recipe(scope="global", cap=0.7), Recipe(granularity="channel"), Recipe(biases=True)], ids=str
)
def test_each_block_is_the_mean_of_the_mask_there(name: str, recipe: Recipe) -> None:
    subject = load_subject(name)
    ranked = rank_targets(subject, recipe)
    header, arrays = unpack_arrays(build_thumbnails(ranked, ranked.removed_at(POSITIONS)))
    positions = [0, 50, 500, 950, 1000]
    for position, masks in zip(positions, masks_at(subject, recipe, [p / 1000 for p in positions]), strict=True):
        for i, target in enumerate(ranked.targets):
            layout = picture_layout(target.shape)
            gone = ~to_picture(masks[target.name].reshape(-1).numpy(), layout)
            whole = np.full(layout.rows * layout.cols, np.nan)
            whole[: gone.size] = gone
            shown = picture_of(header, arrays, i, position)
            rows = np.arange(layout.rows) * shown.shape[0] // layout.rows
            cols = np.arange(layout.cols) * shown.shape[1] // layout.cols
            sums, counts = np.zeros(shown.shape), np.zeros(shown.shape)
            cells = whole.reshape(layout.rows, layout.cols)
            there = ~np.isnan(cells)
            np.add.at(sums, (rows[:, None], cols[None, :]), np.nan_to_num(cells))
            np.add.at(counts, (rows[:, None], cols[None, :]), there)
            expected = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
            assert np.abs(shown - expected).max() <= 0.5 / 255 + 1e-9, (target.name, position)


def test_a_large_layer_is_looked_at_in_regular_places_of_each_block() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(1536, 1024, bias=False))
    model[0].weight.data[:512] *= 0.1  # the upper half goes first
    ranked = rank_targets(Subject.from_module(model, None, name="large"), Recipe())
    message = build_thumbnails(ranked, ranked.removed_at(POSITIONS))
    header, arrays = unpack_arrays(message)
    assert header["pictures"][0]["sampled"]
    shown = picture_of(header, arrays, 0, 500)
    assert shown.shape == (20, 20)
    assert shown[:9].min() > 0.85
    assert shown[11:].max() < 0.15
    assert shown.mean() == pytest.approx(0.5, abs=0.01)


def test_counts_name_every_layer_and_carry_what_it_costs() -> None:
    subject = load_subject("digits-cnn")
    recipe = Recipe(scope="global")
    ranked = rank_targets(subject, recipe)
    header, arrays = unpack_arrays(build_counts(subject, ranked, ranked.removed_at(POSITIONS), "of"))
    assert header["names"] == [target.name for target in ranked.targets]
    assert len(set(header["labels"])) == len(header["names"])
    assert header["of"] == "of"
    assert header["exact"]
    kept = arrays["kept"].reshape(len(header["names"]), 1001)
    assert kept[:, 0].tolist() == header["weights"]
    assert kept[:, 1000].sum() == 0
    (masks,) = masks_at(subject, recipe, [0.637])
    assert kept[:, 637].tolist() == [masks.kept(name) for name in header["names"]]


def test_samples_need_few_bytes() -> None:
    for name in ("digits-cnn", "digits-vit", "digits-gru", "adder-transformer"):
        subject = load_subject(name)
        ranked = rank_targets(subject, Recipe(embeddings=True))
        removed = ranked.removed_at(POSITIONS)
        assert len(build_counts(subject, ranked, removed, "")) + len(build_thumbnails(ranked, removed)) < 300_000


@pytest.mark.parametrize(
    ("recipe", "same"),
    [(Recipe(scope="global"), True), (Recipe(criterion="wanda", schedule="linear:steps=3"), False)],
    ids=str,
)
def test_the_cuts_at_all_positions_are_made_once_for_all_amounts_that_share_them(recipe: Recipe, same: bool) -> None:
    subject = load_subject("digits-mlp")
    little, much = (rank_targets(subject, replace(recipe, amount=amount)) for amount in (0.2, 0.8))
    cuts = removed_at_positions(subject, little)
    assert (cuts == little.removed_at(POSITIONS)).all()
    assert (removed_at_positions(subject, much) is cuts) == same
    assert (removed_at_positions(subject, much) == much.removed_at(POSITIONS)).all()
