"""The file of an operator's network changes under the app: its pages say so, and all else goes on."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pruning_explorer.app_options import Asked
from pruning_explorer.ui import subjects
from tests.ui.compare.comparison import Comparison
from tests.ui.models.models_page import ModelsPage
from tests.ui.page import Page


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    torch.manual_seed(0)
    path = tmp_path / "operators.safetensors"
    save_file({"first.weight": torch.randn(64, 64), "second.weight": torch.randn(64, 64)}, path)
    subject = subjects.open_for_all(Asked(str(path)))
    yield path
    del subjects._OPERATORS[subject.name]


def test_explore_says_it_keeps_what_was_set_and_the_other_networks_go_on(
    file: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(subject=file.name, amount="0.4")
    assert page.errors == []
    os.truncate(file, 1000)
    page.run()
    (said,) = page.errors
    assert f"{file.name} cannot be read any more: since it was opened, its file on the server has been cut" in said
    page.set_amount(60.0)
    assert len(page.errors) == 1
    page.pick("subject", "digits-cnn")
    assert page.errors == []
    assert page.amount == 60.0
    models = ModelsPage(model_looked_at=file.name)
    assert file.name in models.loaded.index


def test_compare_says_it(file: Path) -> None:
    page = Comparison({"subject": file.name})
    page.settle()
    assert page.errors == []
    os.truncate(file, 1000)
    page.run()
    assert any("cannot be read any more" in each for each in [*page.errors, *page.warnings])
