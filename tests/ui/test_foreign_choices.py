"""What another package offers has its place on the pages, though the glossary has no word for it."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pruning_explorer import Recipe
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from tests.foreign_package import FOREIGN, install
from tests.ui.compare.comparison import Comparison
from tests.ui.hands import controlled
from tests.ui.page import Page


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module(FOREIGN)
    monkeypatch.setitem(CRITERIA, package.FROM_THE_END.name, package.FROM_THE_END)
    monkeypatch.setitem(GRANULARITIES, package.EVERY_NTH.name, package.EVERY_NTH)


@pytest.mark.usefixtures("foreign")
def test_explore_draws_its_settings_and_what_it_does(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="digits-mlp")
    page.choose_criterion("from-the-end")
    assert page.criterion == "What stands first goes first."
    page.pick("granularity", "every-nth")
    page.enter("every-nth_step", 8)
    page.switch("every-nth_loud", True)
    assert str(page.recipe.criterion) == "from-the-end"
    assert str(page.recipe.granularity) == "every-nth:step=8,loud=true"
    assert page.errors == []
    assert page.metrics["Sparsity"].value == "50.0 %"
    again = open_page(**page.address)
    assert controlled(again.app.number_input, "every-nth_step").value == 8
    assert controlled(again.app.toggle, "every-nth_loud").value is True


@pytest.mark.usefixtures("foreign")
def test_compare_sets_it_beside_others() -> None:
    theirs = "name=mine&criterion=from-the-end&granularity=every-nth:step=4"
    page = Comparison({"subject": "tutorial-mlp", "recipe": [theirs, "amount=0.5"]})
    page.settle()
    assert page.recipes == [Recipe("from-the-end", "every-nth:step=4"), Recipe()]
