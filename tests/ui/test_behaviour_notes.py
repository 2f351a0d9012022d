"""Pages say beside the drift when a network answers differently each time, or writes to its own weights."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Subject
from pruning_explorer.cli import main
from pruning_explorer.ui import subjects
from tests.ui.compare.comparison import Comparison
from tests.ui.page import Page


class Restless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.first.bias.data.add_(1)
        hidden: Tensor = self.first(x)
        return self.last(nn.functional.dropout(hidden, 0.5, training=True))  # type: ignore[no-any-return]


def restless() -> tuple[nn.Module, Tensor]:
    """What a person names on the command line."""
    return Restless(), torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def name() -> Iterator[str]:
    subjects._OPERATORS["restless"] = Subject.from_module(*restless(), name="restless")
    yield "restless"
    del subjects._OPERATORS["restless"]


def test_explore_and_compare_say_it(name: str, open_page: Callable[..., Page]) -> None:
    page = open_page(subject=name, amount="0.4")
    chance, written = page.warnings[:2]
    assert "two dense runs on the same inputs differ by" in chance
    assert "writes to its own weights (first.bias)" in written
    page.pick("subject", "digits-cnn")
    assert page.warnings == []
    comparison = Comparison({"subject": name})
    comparison.settle()
    captions = " ".join(each.value for each in comparison.app.caption)
    assert "two dense runs on the same inputs differ by" in captions


def test_a_terminal_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "tests.ui.test_behaviour_notes:restless", "--amount", "0.4"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "two dense runs on the same inputs differ by" in printed
    assert "writes to its own weights (first.bias)" in printed
