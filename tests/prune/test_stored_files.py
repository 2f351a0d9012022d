"""A network's file that is no longer as it was when it was opened: said before anything of it is read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruning_explorer import Recipe, build_report, compute_masks, export, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.report import report_of


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_over(path: Path) -> None:
    """As many bytes in the same place, at another time."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\0\0\0\0")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def put_another(path: Path) -> None:
    """Another file by the same name, of the same length and time."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], None]] = {
    "has been cut short, from": cut_short,
    "has been written to": write_over,
    "has been replaced by another": put_another,
    "is no longer there": Path.unlink,
}


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"first.weight": torch.randn(64, 64), "second.weight": torch.randn(64, 64)}


def safetensors(folder: Path) -> tuple[Path, Path]:
    save_file(weights(), folder / "net.safetensors")
    return folder / "net.safetensors", folder / "net.safetensors"


def torch_file(folder: Path) -> tuple[Path, Path]:
    torch.save(weights(), folder / "net.pt")
    return folder / "net.pt", folder / "net.pt"


def in_parts(folder: Path) -> tuple[Path, Path]:
    for part, name in (("a", "first.weight"), ("b", "second.weight")):
        save_file({name: weights()[name]}, folder / f"{part}.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"first.weight": "a.safetensors", "second.weight": "b.safetensors"}}')
    return index, folder / "b.safetensors"


def exported(folder: Path) -> tuple[Path, Path]:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)).eval()
    torch.export.save(torch.export.export(model, (torch.zeros(2, 8),)), folder / "net.pt2")
    return folder / "net.pt2", folder / "net.pt2"


@pytest.mark.parametrize("said", CHANGES)
@pytest.mark.parametrize("make", [safetensors, torch_file, in_parts, exported])
def test_nothing_is_read_of_a_file_that_has_changed(
    make: Callable[[Path], tuple[Path, Path]], said: str, tmp_path: Path
) -> None:
    path, part = make(tmp_path)
    subject = load_subject(str(path))
    first = subject.targets[0].name
    weight, recipe = subject.weight(first).clone(), Recipe(amount=0.5)
    assert len(compute_masks(subject, recipe)) == 2
    assert torch.equal(subject.weight(first), weight)
    before = report_of(subject, recipe)
    assert before.sparsity
    CHANGES[said](part)
    for read in (
        lambda: subject.weight(first),
        lambda: compute_masks(subject, Recipe(criterion="magnitude", granularity="channel", amount=0.5)),
        lambda: report_of(subject, recipe),
        subject.copy_model,
        lambda: export(subject, recipe, tmp_path / "out.safetensors"),
    ):
        with pytest.raises(SubjectError, match=f"{subject.name} cannot be read any more: .* {said}"):
            read()
    if subject.runnable:
        with pytest.raises(SubjectError, match="cannot be read any more"):
            build_report(subject, before.masks)
    assert not (tmp_path / "out.safetensors").exists()


def test_a_file_that_was_read_whole_may_do_what_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save(weights(), path, _use_new_zipfile_serialization=False)
    subject = load_subject(str(path))
    path.unlink()
    assert len(compute_masks(subject, Recipe(amount=0.5))) == 2
