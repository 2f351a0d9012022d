"""A server whose disk is full says so on the page, and takes the same file once there is room."""

import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from tests.ui.models.models_page import ModelsPage

NETWORK = ("net.safetensors", save({"layer.weight": torch.ones(128, 1024)}))


@contextmanager
def small_disk() -> Iterator[None]:
    """No file may become larger than 64 KiB, which the system refuses as it refuses to write to a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_upload_is_refused_in_words_and_taken_once_there_is_room() -> None:
    page = ModelsPage()
    with small_disk():
        page.drop(NETWORK)
    (said,) = page.errors
    assert "net.safetensors: the server's disk is full" in said
    assert "net" not in page.loaded.index
    page.drop(NETWORK)
    assert page.errors == []
    assert page.loaded.loc["net", "parameters"] == 128 * 1024


def test_masks_that_find_no_room_to_be_folded_in_are_told_too(tmp_path: Path) -> None:
    path = tmp_path / "pruned.safetensors"
    path.write_bytes(save({"layer.weight_orig": torch.ones(128, 1024), "layer.weight_mask": torch.ones(128, 1024)}))
    with small_disk(), pytest.raises(SubjectError, match=r"no room on the disk for the 0\.5 MiB of pruned"):
        open_checkpoint(path)
    assert "It came pruned" in open_checkpoint(path).about


def test_samples_need_no_room() -> None:
    rows = io.BytesIO()
    np.savez(rows, inputs=np.zeros((600, 64), np.float32))
    page = ModelsPage()
    page.look_into("digits-mlp")
    with small_disk():
        page.drop_samples("mine.npz", rows.getvalue())
    assert page.errors == []
    assert page.loaded.loc["digits-mlp on mine", "runs"] == "600 samples"
