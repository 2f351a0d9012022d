"""Comparisons by hand: a network that copies its inputs, so that masks say which samples stay right."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Masks, Recipe, Subject, compare, load_subject
from pruning_explorer.errors import RecipeError
from pruning_explorer.lab.comparison import class_changes, layer_table, pareto_front
from pruning_explorer.lab.comparison_table import GUESSING, UNEQUAL, comparison_table
from pruning_explorer.measure.paired import bootstrap_interval
from pruning_explorer.measure.quality import guessing_level
from pruning_explorer.measure.report import Report, report_of

WIDTH = 12


def copying(labels: Tensor | None, samples: Tensor | None) -> Subject:
    model = nn.Linear(WIDTH, WIDTH, bias=False)
    model.weight = nn.Parameter(torch.eye(WIDTH))
    return Subject.from_module(model, samples, labels, name="copying", quality_name="exact match")


@pytest.fixture
def subject() -> Subject:
    """Sample i has 2 at class i; 1 at class 0 is what remains where class i is cut off."""
    samples = 2 * torch.eye(WIDTH)
    samples[1:, 0] = 1
    return copying(torch.arange(WIDTH), samples)


def keeping(subject: Subject, classes: set[int]) -> Report:
    """A report of masks made by hand, under which only these classes are heard."""
    mask = torch.zeros(WIDTH, WIDTH)
    mask[list(classes)] = 1
    return Report(subject, Masks.from_dict(subject, {"weight": mask}))


def rows(table: pd.DataFrame, measure: str) -> dict[int, Mapping[str, object]]:
    chosen = table[table["measure"] == measure]
    return {int(row["recipe"]): row for row in chosen.to_dict("records")}


def verdicts(table: pd.DataFrame, measure: str) -> list[object]:
    return [row["verdict"] for row in rows(table, measure).values()]


def test_measures_in_order_and_figures_by_hand(subject: Subject) -> None:
    table = comparison_table([keeping(subject, set(range(WIDTH))), keeping(subject, set(range(9)))], ["all", "nine"])
    assert list(dict.fromkeys(table["measure"])) == [
        "requested",
        "achieved",
        "of_weights",
        "parameters",
        "quality",
        "agreement",
        "kl_nats",
        "sqnr_db",
        "macs",
    ]
    quality = rows(table, "quality")
    assert [row["value"] for row in quality.values()] == [1, 9 / 12]
    assert [row["dense"] for row in quality.values()] == [1, 1]
    assert {row["title"] for row in quality.values()} == {"Exact match"}
    assert {row["name"] for row in rows(table, "macs").values()} == {"all", "nine"}
    # The identity has 12 weights that are not zero, and 144 in all
    assert [row["value"] for row in rows(table, "parameters").values()] == [12, 9]
    assert [row["dense"] for row in rows(table, "parameters").values()] == [12, 12]
    assert [row["value"] for row in rows(table, "macs").values()] == [144, 108]
    assert [row["value"] for row in rows(table, "achieved").values()] == [0, 0.25]
    # ||d||^2 is 4 + 11 x 5 = 59, the noise 3 x 4
    assert rows(table, "sqnr_db")[1]["value"] == pytest.approx(10 * math.log10(59 / 12))
    assert rows(table, "sqnr_db")[0]["value"] == math.inf


def test_ties_by_mcnemar(subject: Subject) -> None:
    # Against all twelve: 5 lost has p = 2/32 and ties, 6 lost has 2/64 and does not
    reports = [keeping(subject, set(range(kept))) for kept in (7, 6, 12)]
    table = comparison_table(reports, ["five lost", "six lost", "none lost"])
    assert verdicts(table, "quality") == ["tie", "", UNEQUAL]
    assert verdicts(table, "agreement") == ["tie", "", UNEQUAL]
    low, high = rows(table, "quality")[0]["low"], rows(table, "quality")[0]["high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 7 / 12 < high


def test_ties_by_bootstrap(subject: Subject) -> None:
    # One loses classes 1 to 4, one 5 to 8: the same drift on other samples. The third loses ten.
    everything = set(range(WIDTH))
    reports = [keeping(subject, everything - set(range(1, 5))), keeping(subject, everything - set(range(5, 9)))]
    table = comparison_table([*reports, keeping(subject, {0, 1})], ["a", "b", "c"])
    assert verdicts(table, "kl_nats") == [UNEQUAL, "tie", ""]
    assert verdicts(table, "sqnr_db") == [UNEQUAL, "tie", ""]
    for row in rows(table, "kl_nats").values():
        assert row["low"] <= row["value"] <= row["high"]  # type: ignore[operator]


def right_class_probability(logits: Tensor, labels: Tensor | None) -> Tensor:
    return logits.softmax(dim=-1)[torch.arange(len(logits)), torch.arange(len(logits))]


def test_what_a_metric_gives_is_named_and_ties_by_bootstrap(subject: Subject) -> None:
    judged = Subject.from_module(subject.model, subject.samples, metric=right_class_probability)
    everything = set(range(WIDTH))
    reports = [keeping(judged, everything - lost) for lost in (set(range(1, 5)), set(range(5, 9)), set(range(2, 12)))]
    table = comparison_table(reports, ["a", "b", "c"])
    quality = rows(table, "quality")
    assert {row["title"] for row in quality.values()} == {"Mean right class probability"}
    # The first two lose the same on other samples, which is a tie, as the one that stands first has it
    assert quality[0]["value"] == pytest.approx(quality[1]["value"])
    assert verdicts(table, "quality") == [UNEQUAL, "tie", ""]
    for made, row in zip(reports, quality.values(), strict=True):
        values = made.sample_quality
        assert values is not None
        assert row["value"] == pytest.approx(values.mean())
        assert (row["low"], row["high"]) == bootstrap_interval(lambda mean: mean, values)


def test_a_metric_that_fails_is_a_problem_and_all_else_stands(subject: Subject) -> None:
    broken = Subject.from_module(subject.model, subject.samples, metric=lambda logits, labels: logits)
    found = compare(broken, {"half": Recipe(), "all": Recipe(amount=1.0)}, amounts=(0.5,))
    for problem in found.problems:
        assert problem is not None
        assert "the metric “own metric” gave float32 [12, 12]" in problem
    assert set(found.table["measure"]) >= {"achieved", "agreement", "kl_nats"}
    assert "quality" not in set(found.table["measure"])
    assert found.curves["kl_nats"].notna().all()


def test_counts_tie_only_when_equal_and_what_was_asked_has_no_best(subject: Subject) -> None:
    reports = [keeping(subject, {0, 1}), keeping(subject, {2, 3}), keeping(subject, {4, 5, 6})]
    table = comparison_table(reports, ["a", "b", "c"])
    assert verdicts(table, "parameters") == [UNEQUAL, "tie", ""]
    assert verdicts(table, "macs") == [UNEQUAL, "tie", ""]
    assert verdicts(table, "achieved") == ["", "", ""]
    assert set(comparison_table([keeping(subject, set(range(9)))], ["a"])["verdict"]) == {""}
    assert verdicts(comparison_table(reports[:2], ["a", "b"]), "macs") == ["tie", "tie"]  # and nobody is best


def test_a_failed_recipe_has_no_rows_and_the_others_keep_their_places(subject: Subject) -> None:
    reports = [None, keeping(subject, {0}), None, keeping(subject, {0, 1})]
    assert set(comparison_table(reports, ["a", "b", "c", "d"])["recipe"]) == {1, 3}
    assert set(layer_table(reports)["recipe"]) == {1, 3}
    assert set(class_changes(reports)["recipe"]) == {1, 3}
    assert comparison_table([None], ["a"]).empty
    assert layer_table([None]).empty


def test_without_labels_samples_or_a_second_output() -> None:
    unlabelled = copying(None, torch.eye(WIDTH))
    nothing = copying(None, None)
    single = Subject.from_module(nn.Linear(3, 1), torch.eye(3))
    exact = ["requested", "achieved", "of_weights", "parameters"]
    for subject, expected in (
        (unlabelled, [*exact, "agreement", "kl_nats", "sqnr_db", "macs"]),
        (nothing, exact),
        (single, [*exact, "sqnr_db", "macs"]),
    ):
        found = compare(subject, {"a": Recipe(), "b": Recipe("random")}, amounts=(0.5,))
        assert found.problems == (None, None)
        assert list(dict.fromkeys(found.table["measure"])) == expected
        assert found.classes.empty
        assert found.curves.empty == (subject is nothing)


def test_a_network_that_gives_no_numbers_is_never_the_best() -> None:
    class Divides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.fc(x)
            return logits / logits.sum()

    subject = Subject.from_module(Divides(), torch.ones(3, 2), torch.zeros(3, dtype=torch.long))
    table = compare(subject, {"nothing left": Recipe(amount=1.0), "dense": Recipe(amount=0.0)}, amounts=()).table
    assert verdicts(table, "kl_nats") == ["", ""]
    assert math.isnan(rows(table, "kl_nats")[0]["value"])  # type: ignore[arg-type]


def test_what_is_no_better_than_guessing_is_neither_best_nor_a_tie() -> None:
    subject = load_subject("digits-mlp")
    recipes = {"all": Recipe(amount=1.0), "nearly": Recipe(amount=0.99), "half": Recipe(), "random": Recipe("random")}
    found = compare(subject, recipes, amounts=(0.5,))
    judged = {row["name"]: row for row in rows(found.table, "quality").values()}
    guess = guessing_level(subject)
    assert guess is not None
    assert judged["all"]["low"] <= guess < judged["half"]["low"]  # type: ignore[operator]
    assert [judged[name]["verdict"] for name in ("all", "half")] == [GUESSING, UNEQUAL]
    # And where nobody knows more than that, nobody is the best
    found = compare(subject, {"all": Recipe(amount=1.0), "once more": Recipe(amount=0.999)}, amounts=(0.5,))
    assert {row["verdict"] for row in rows(found.table, "quality").values()} == {GUESSING}


def test_layers_and_classes_of_real_recipes() -> None:
    subject = load_subject("digits-mlp")
    recipes = {"layer": Recipe(amount=0.8), "global": Recipe(amount=0.8, scope="global")}
    found = compare(subject, recipes, amounts=(0.8,))
    assert found.problems == (None, None)
    assert found.layers.groupby("recipe")["target"].apply(list).iloc[0] == ["fc1.weight", "fc2.weight", "fc3.weight"]
    assert found.layers.query("recipe == 0")["achieved"].tolist() == pytest.approx([0.8] * 3, abs=1e-4)
    assert found.layers.query("recipe == 1")["achieved"].max() > 0.81
    assert found.classes.query("recipe == 1")["group"].tolist() == ["all", *"0123456789"]
    quality = rows(found.table, "quality")
    for position, (row, curve) in enumerate(zip(quality.values(), found.curves["quality"], strict=True)):
        classes = found.classes[found.classes["recipe"] == position]
        assert row["value"] == curve == classes["pruned"].iloc[0]
    assert quality[1]["verdict"] == "best"
    assert quality[0]["verdict"] == ""  # 20 points apart on 360 samples is no chance
    assert len(found.exemplars) > 0
    assert found.agreement.iloc[0]["jaccard"] > found.agreement.iloc[0]["chance"]


def test_a_recipe_that_does_not_fit_says_so_and_the_others_go_on() -> None:
    found = compare(
        load_subject("spirals-mlp"), {"bad": Recipe(targets=("conv1.weight",)), "good": Recipe()}, amounts=(0.5,)
    )
    assert found.problems[0] is not None
    assert "conv1.weight" in found.problems[0]
    assert found.problems[1] is None
    assert set(found.table["recipe"]) == set(found.curves["recipe"]) == {1}
    assert found.agreement.empty


def test_what_cannot_be_compared_is_said() -> None:
    subject = load_subject("tutorial-mlp")
    with pytest.raises(RecipeError, match="nothing to compare"):
        compare(subject, {})
    with pytest.raises(RecipeError, match=r"amount 1\.5 is outside"):
        compare(subject, {"a": Recipe()}, amounts=(1.5,))


def test_pareto_front_by_hand() -> None:
    curves = pd.DataFrame(
        [
            # recipe, seed, amount, sparsity, quality
            (0, 0, 0.0, 0.0, 0.9),  # beaten by recipe 1 at 0.5
            (0, 0, 0.5, 0.5, 0.9),  # as good as that one, as sparse: both are on it
            (1, 0, 0.5, 0.5, 0.9),
            (0, 0, 0.9, 0.9, 0.4),  # beaten by recipe 1 at 0.9
            (1, 0, 0.9, 0.9, 0.5),
            (2, 0, 0.95, 0.95, 0.2),  # the median of three seeds is 0.3
            (2, 1, 0.95, 0.95, 0.3),
            (2, 2, 0.95, 0.95, 0.9),
            (2, 0, 0.7, 0.7, math.nan),
        ],
        columns=["recipe", "seed", "amount", "sparsity", "quality"],
    ).assign(agreement=0.0, compression=2.0)
    front = pareto_front(curves)
    assert front[["recipe", "amount"]].to_numpy().tolist() == [[0, 0.5], [1, 0.5], [1, 0.9], [2, 0.95]]
    assert front["value"].tolist() == [0.9, 0.9, 0.5, 0.3]
    unlabelled = pareto_front(curves.assign(agreement=curves["quality"], quality=np.nan))
    pd.testing.assert_frame_equal(unlabelled, front)
    assert pareto_front(curves[:0]).empty


def test_studies_are_shared() -> None:
    subject = load_subject("tutorial-mlp")
    found = compare(subject, {"a": Recipe()}, amounts=())
    assert found.reports[0] is report_of(subject, Recipe())
