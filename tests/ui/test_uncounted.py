"""What ran and is not counted is said to be uncounted, wherever multiply-adds are told."""

import json
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, build_report, compare, compute_masks
from pruning_explorer.cli.report import write_report
from pruning_explorer.figures.comparison_table import comparison_table
from pruning_explorer.ui import subjects
from tests.ui.page import Page


class ByElement(nn.Linear):
    """A matrix product written element by element."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] * self.weight).sum(-1)


def network() -> Subject:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), ByElement(4, 3, bias=False))
    return Subject.from_module(model, torch.randn(12, 6), torch.arange(12) % 3, name="by-element")


def test_a_report_says_so_as_text_and_as_json() -> None:
    subject, recipe = network(), Recipe(amount=0.5)
    report = build_report(subject, compute_masks(subject, recipe))
    text = " ".join(write_report(subject, recipe, report).split())
    assert "12 theoretical of 24 dense" in text
    assert "uncounted, and in neither number: those of 1.weight" in text
    assert "1.weight 3x4 12 6 50.0 % 50.0 % 0 uncounted" in text
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["totals"]["cost"] == {"macs_dense": 24, "macs_theoretical": 12, "uncounted": ["1.weight"]}
    assert [row["macs_dense"] for row in told["layers"]] == [24, None]


def test_a_comparison_says_so() -> None:
    found = compare(network(), {"half": Recipe(amount=0.5), "all": Recipe(amount=1.0)}, amounts=(0.5,))
    written = comparison_table(found.table)
    assert "Multiply-adds, theoretical, 1 uncounted layer aside" in written


def test_the_page_says_so(open_page: Callable[..., Page]) -> None:
    subjects._OPERATORS["by-element"] = network()
    try:
        page = open_page(subject="by-element", amount="0.5")
        assert page.errors == []
        figure = page.metrics["Multiply-adds"]
        assert (figure.value, figure.below) == ("12", "−50.0 % of the counted")
        assert "those of 1.weight" in figure.help
        page.open("Numbers")
        assert page.errors == []
        numbers = page.tab("Numbers").dataframe[0].value.set_index("target")
        assert numbers.loc["1.weight", "macs_dense"] == numbers.loc["1.weight", "macs_theoretical"] == "uncounted"
        assert numbers.loc["0.weight", "macs_dense"] == "24"
    finally:
        subjects._OPERATORS.pop("by-element", None)
