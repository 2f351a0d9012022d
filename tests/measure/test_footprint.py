"""Footprints: bytes are torch's own; of times only that there are some."""

import io
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer.measure import footprint
from pruning_explorer.measure.footprint import (
    Footprint,
    bytes_in_memory,
    bytes_on_disk,
    speed_up,
    time_in_rounds,
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10)).eval()


def pruned(remove: bool) -> nn.Sequential:
    model = network()
    for layer in (model[0], model[2]):
        prune.l1_unstructured(layer, "weight", 0.9)
        if remove:
            prune.remove(layer, "weight")
    return model


WEIGHTS, BIASES = 64 * 100 + 100 * 10, 100 + 10


@pytest.mark.parametrize("model", [network(), pruned(False), pruned(True)])
def test_bytes_on_disk_are_those_of_the_file_that_torch_writes(model: nn.Module, tmp_path: Path) -> None:
    # The name of the file is written into it; in memory it is called so
    torch.save(model.state_dict(), tmp_path / "archive.pt")
    assert bytes_on_disk(model) == (tmp_path / "archive.pt").stat().st_size


def test_a_mask_takes_as_much_again_and_its_removal_gives_it_back() -> None:
    dense, masked, removed = bytes_on_disk(network()), bytes_on_disk(pruned(False)), bytes_on_disk(pruned(True))
    assert masked - dense > 4 * WEIGHTS
    assert removed == dense
    file = io.BytesIO()
    torch.save({"0.weight": torch.zeros(100, 64)}, file)
    assert dense > file.getbuffer().nbytes


def test_bytes_in_memory_count_weight_mask_and_their_product() -> None:
    assert bytes_in_memory(network()) == 4 * (WEIGHTS + BIASES)
    assert bytes_in_memory(pruned(False)) == 4 * (3 * WEIGHTS + BIASES)
    assert bytes_in_memory(pruned(True)) == 4 * (WEIGHTS + BIASES)


def test_shared_memory_counts_once_and_buffers_count() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4))
    model[1].weight = model[0].weight
    assert bytes_in_memory(model) == 4 * 16 + 4 * 4 * 4 + 8


class Watched(nn.Module):
    """Notes that it runs."""

    def __init__(self, name: str, seen: list[str]) -> None:
        super().__init__()
        self.name, self.seen = name, seen

    def forward(self, vectors: Tensor) -> Tensor:
        self.seen.append(self.name)
        return vectors


def test_in_each_round_each_runs_and_who_begins_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    # Then none needs to run many times over for the clock
    monkeypatch.setattr(footprint, "WORTH_TIMING", 0.0)
    seen: list[str] = []
    models = {name: Watched(name, seen) for name in "abc"}
    rounds, timed = [], []
    for times in time_in_rounds(models, (torch.ones(1),), rounds=4):
        rounds.append("".join(seen[-3:]))
        timed.append(times)
    assert rounds == ["abc", "bca", "cab", "abc"]
    assert [list(each) for each in timed] == [["a", "b", "c"]] * 4
    assert all(value > 0 for each in timed for value in each.values())


def test_quartiles_are_of_the_rounds() -> None:
    assert Footprint(1, 1, (5.0, 1.0, 2.0, 3.0, 4.0)).quartiles == (2.0, 3.0, 4.0)
    assert Footprint(1, 1, (1.0, 2.0)).quartiles == (1.25, 1.5, 1.75)
    assert Footprint(1, 1).quartiles is None


def test_speed_up_is_of_the_two_in_the_same_round() -> None:
    dense, other = Footprint(1, 1, (4.0, 8.0, 100.0, 6.0, 2.0)), Footprint(1, 1, (2.0, 2.0, 100.0, 2.0, 4.0))
    assert speed_up(dense, other) == (1.0, 2.0, 3.0)  # of 2, 4, 1, 3 and 0.5
    assert speed_up(Footprint(1, 1), Footprint(1, 1)) is None
