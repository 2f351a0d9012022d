"""A factory as the documentation has it, and in the surroundings that people's own code has."""

import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, build_report, compute_masks, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.factory import call_factory

NET = "from torch import nn\n\ndef make():\n    return nn.Linear(3, 2)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, of which nothing stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("mine", "loud"):
        sys.modules.pop(name, None)


def documented() -> str:
    """The code in the docstring, as it stands there."""
    text = inspect.getdoc(call_factory)
    assert text is not None
    found = re.search(r"Put this into ``mine\.py``.*?::\n\n((?: {4}.*\n|\n)+)", text)
    assert found is not None
    return textwrap.dedent(found[1]).strip() + "\n"


def test_the_documented_example_runs_as_it_stands(folder: Path) -> None:
    code = documented()
    (folder / "mine.py").write_text(code)
    assert len([line for line in code.splitlines() if line]) <= 12
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    images = torch.rand(20, 1, 8, 8)
    labels = model(images).argmax(dim=-1)
    labels[:5] = (labels[:5] + 1) % 10
    torch.save(model.state_dict(), "digit_reader.pt")
    torch.save((images, labels), "digits.pt")

    subject = load_subject("mine:digit_reader")
    assert subject.quality_name == "right"
    report = build_report(subject, compute_masks(subject, Recipe(amount=0.5)))
    # 15 of the 20 labels are what the network says
    assert report.totals["quality"]["dense"] == 0.75
    assert torch.equal(subject.weight("1.weight"), model[1].weight)


def test_what_a_factory_prints_is_kept_out_of_the_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "loud.py").write_text(
        "print('imported')\n" + NET.replace("    return", "    print('called')\n    return")
    )
    call_factory("loud:make")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "imported\ncalled\n"


def test_a_file_that_has_the_name_of_another_module_is_told_so(folder: Path) -> None:
    (folder / "string.py").write_text(NET)
    with pytest.raises(SubjectError, match=r"string is another module already \(.*string\.py\), and not .*string\.py;"):
        call_factory("string:make")


def test_the_working_directory_is_looked_in_wherever_the_program_lies(tmp_path: Path) -> None:
    """As the installed ``streamlit`` starts it: its own folder comes first on the path, and not the one it is in."""
    (tmp_path / "mine.py").write_text(NET)
    code = (
        "import sys; sys.path = [entry for entry in sys.path if entry]\n"
        "from pruning_explorer.sources.factory import call_factory\n"
        "print([target.name for target in call_factory('mine:make').targets])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['weight', 'bias']\n", done.stderr
