"""Memory of a mapped file is given back, and nothing else ever is."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from pruning_explorer.prune.mapped import give_back

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells which memory is a file's"
)

SIZE = 1 << 20


def mapped(folder: Path) -> tuple[Tensor, Tensor]:
    """4 MiB of numbers in a file, and the same in memory."""
    numbers = torch.arange(SIZE, dtype=torch.float32)
    save_file({"a": numbers, "b": -numbers}, folder / "x.safetensors")
    with safe_open(folder / "x.safetensors", "pt") as file:
        return file.get_tensor("a"), numbers


def resident() -> int:
    """Bytes of files that this process has in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssFile")).split()[1])


def test_a_file_is_read_again_when_it_is_looked_at(tmp_path: Path) -> None:
    tensor, numbers = mapped(tmp_path)
    assert torch.equal(tensor, numbers)
    before = resident()
    assert give_back(tensor)
    assert before - resident() > 0.9 * tensor.nbytes
    assert torch.equal(tensor, numbers)
    assert give_back(tensor.view(512, -1)[3:])


def test_what_was_written_to_stays(tmp_path: Path) -> None:
    """A page that was changed lies nowhere else."""
    tensor, numbers = mapped(tmp_path)
    tensor[SIZE // 2] = -7
    assert not give_back(tensor)
    assert tensor[SIZE // 2] == -7
    assert torch.equal(tensor[:1000], numbers[:1000])


def test_plain_memory_stays(tmp_path: Path) -> None:
    numbers = torch.arange(SIZE, dtype=torch.float32)
    assert not give_back(numbers)
    assert not give_back(numbers[:0])
    assert not give_back(torch.empty(3, device="meta"))
    assert torch.equal(numbers, torch.arange(SIZE, dtype=torch.float32))


def test_a_file_whose_name_has_a_line_break_confuses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "two\nAnonymous: 0 kB"
    folder.mkdir()
    tensor, numbers = mapped(folder)
    tensor[0] = -7
    assert not give_back(tensor)
    (tmp_path / "plain").mkdir()
    other, _ = mapped(tmp_path / "plain")
    assert torch.equal(other, numbers)
    assert give_back(other)
    assert tensor[0] == -7
