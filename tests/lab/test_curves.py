"""Curves against single measurements, and the queue that hands the jobs out."""

import math
import time
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, build_report, compute_masks, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.lab.curve_points import Task, measure_task
from pruning_explorer.lab.curves import (
    COLUMNS,
    CurveJob,
    CurveQueue,
    cliff_amounts,
    comparison_amounts,
    new_curve,
)
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.measure.paired import bootstrap_interval

AMOUNTS = (0.0, 1.0, 0.5)
RECIPES = (Recipe(scope="global"), Recipe("random"), Recipe(granularity="channel"))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject("spirals-mlp")


def measure(subject: Subject, *recipes: Recipe, amounts: tuple[float, ...] = AMOUNTS, seeds: int = 1) -> CurveJob:
    job = CurveJob(subject, [new_curve(recipe, amounts, seeds) for recipe in recipes])
    job.run()
    assert job.done
    return job


def finish(job: CurveJob) -> CurveJob:
    end = time.monotonic() + 60
    while not job.done and time.monotonic() < end:
        time.sleep(0.01)
    assert job.done
    return job


def queue(amounts: tuple[float, ...] = AMOUNTS) -> CurveQueue:
    return CurveQueue(lambda: amounts, seeds=1)


def test_each_point_is_the_report_at_its_amount(subject: Subject) -> None:
    frame = measure(subject, *RECIPES).frame()
    assert frame.groupby("recipe").size().tolist() == [3, 3, 3]
    for _, point in frame.iterrows():
        recipe = replace(RECIPES[int(point["recipe"])], amount=point["amount"])
        report = build_report(subject, compute_masks(subject, recipe))
        assert report.quality is not None
        assert report.drift is not None
        assert point["quality"] == report.quality.iloc[0]["pruned"]
        assert point["quality_low"] == report.quality.iloc[0]["pruned_low"]
        assert point["quality_high"] == report.quality.iloc[0]["pruned_high"]
        assert point["agreement"] == report.drift["agrees"].mean()
        assert point["kl_nats"] == pytest.approx(report.drift["kl_nats"].mean())
        assert point["sqnr_db"] == report.totals["drift"]["sqnr_db"]
        assert point["achieved"] == report.totals["sparsity"]["achieved"]
        assert point["sparsity"] == report.totals["sparsity"]["achieved_of_weights"]


def test_ends_are_dense_and_empty(subject: Subject) -> None:
    dense, _, empty = measure(subject, Recipe()).frame().to_dict("records")
    assert (dense["achieved"], dense["kl_nats"], dense["agreement"], dense["compression"]) == (0, 0, 1, 1)
    assert (empty["achieved"], empty["compression"]) == (1, math.inf)
    assert empty["quality"] < 0.5


def test_recalibration_counts_where_nothing_is_removed() -> None:
    dense, recalibrated = (
        measure(load_subject("digits-cnn"), Recipe(), Recipe(recalibrate=True), amounts=(0.0,))
        .frame()
        .to_dict("records")
    )
    assert (dense["kl_nats"], dense["sqnr_db"]) == (0, math.inf)
    assert recalibrated["kl_nats"] > 0


def test_compression_counts_all_weights_whatever_is_chosen(subject: Subject) -> None:
    # 32, 256 and 48 weights; half of the 48 leave 312 of 336
    (point,) = measure(subject, Recipe(targets=("fc3.weight",)), amounts=(0.5,)).frame().to_dict("records")
    assert point["achieved"] == 0.5
    assert point["sparsity"] == 24 / 336
    assert point["compression"] == pytest.approx(336 / 312)


def test_amounts_come_coarse_first_and_once() -> None:
    amounts = cliff_amounts()
    assert len(set(amounts)) == len(amounts) == 47
    assert np.allclose(sorted(amounts[:11]), np.linspace(0, 1, 11))
    compared = comparison_amounts()
    assert len(set(compared)) == len(compared) == 20
    assert [1 / (1 - amount) for amount in compared[:5]] == [2, 4, 8, 16, 32]


def test_what_draws_is_measured_under_several_seeds(subject: Subject) -> None:
    job = measure(subject, Recipe("random", seed=7), Recipe(), amounts=(0.5,), seeds=3)
    frame = job.frame()
    assert frame["recipe"].tolist() == [0, 0, 0, 1]
    assert frame["seed"].tolist() == [7, 8, 9, 0]
    assert frame["kl_nats"].nunique() == 4
    assert job.planned == job.measured == 4
    # Seeds end at 2^31 - 1 and begin again
    assert new_curve(Recipe("random", seed=2**31 - 1), AMOUNTS).seeds == (2**31 - 1, 0, 1, 2, 3)


def test_no_labels_no_quality() -> None:
    (point,) = measure(load_subject("tutorial-mlp"), Recipe(), amounts=(0.2,)).frame().to_dict("records")
    assert np.isnan([point["quality"], point["quality_low"], point["quality_high"]]).all()
    assert point["kl_nats"] > 0


def test_frame_is_sorted_and_has_every_column(subject: Subject) -> None:
    job = finish(queue().ask(subject, Recipe(amount=0.3), "me"))
    assert list(job.frame().columns) == COLUMNS
    assert job.frame()["amount"].tolist() == [0, 0.5, 1]
    assert job.progress == 1
    assert CurveJob(subject, [new_curve(Recipe(), AMOUNTS)]).frame().empty


def test_the_same_rows_from_other_processes(subject: Subject) -> None:
    here = measure(subject, *RECIPES).frame()
    job = CurveJob(subject, [new_curve(recipe, AMOUNTS, 1) for recipe in RECIPES], load_subject)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        job.run()
    pd.testing.assert_frame_equal(job.frame(), here)


def test_a_live_network_goes_to_no_other_process(subject: Subject) -> None:
    job = CurveJob(subject, [new_curve(Recipe(), AMOUNTS)])
    with joblib.parallel_config(backend="loky", n_jobs=2), pytest.raises(SubjectError, match=r"live network.*load="):
        job.run()


def test_a_recipe_that_fails_does_not_stop_the_others(subject: Subject) -> None:
    job = measure(subject, Recipe(targets=("fc9.weight",)), Recipe())
    assert job.problems[0] is not None
    assert "no parameter 'fc9.weight'" in job.problems[0]
    assert job.problems[1] is None
    assert job.frame()["recipe"].tolist() == [1, 1, 1]
    assert job.progress == 1


def test_one_job_for_all_amounts_of_a_recipe(subject: Subject) -> None:
    asked = queue()
    job = asked.ask(subject, Recipe(amount=0.3), "me")
    assert asked.ask(subject, Recipe(amount=0.9), "you") is job
    assert asked.ask(subject, Recipe("random", amount=0.9), "you") is not job


def test_a_curve_goes_on_where_another_job_left_it(subject: Subject) -> None:
    asked = queue()
    first = finish(asked.ask(subject, [Recipe(), Recipe("random")], "me"))
    second = finish(asked.ask(subject, [Recipe(seed=5, granularity="channel"), Recipe()], "me"))
    assert second.curves[1] is first.curves[0]
    assert second.curves[1].points is first.curves[0].points
    assert second.measured == 6


def test_the_same_recipe_twice_is_measured_once_and_shown_twice(subject: Subject) -> None:
    job = finish(queue().ask(subject, [Recipe(), Recipe()], "me"))
    assert len(job.curves[0].points) == 3
    assert job.frame()["recipe"].tolist() == [0, 0, 0, 1, 1, 1]


def test_what_nobody_waits_for_is_cancelled(subject: Subject) -> None:
    asked = queue(tuple(np.linspace(0, 1, 10_000).tolist()))
    alone = asked.ask(subject, Recipe(), "me")
    shared = asked.ask(subject, Recipe(seed=1), "you")
    asked.ask(subject, Recipe(seed=1), "me")
    assert alone.stopped.is_set()
    asked.ask(subject, Recipe("random"), "me")
    assert not shared.stopped.is_set()
    last = asked.ask(subject, Recipe("random"), "you")
    assert shared.stopped.is_set()
    again = asked.ask(subject, Recipe(), "you")
    assert again is not alone
    assert again.curves[0] is alone.curves[0]
    last.stopped.set()
    again.stopped.set()
    assert not again.done


def test_cancelled_it_rests_with_its_points_until_it_is_gone_on_with(subject: Subject) -> None:
    amounts = tuple(np.linspace(0, 1, 400).tolist())
    asked = queue(amounts)
    job = asked.ask(subject, Recipe(), "me")
    asked.cancel(job, "me")
    job.wait(60)
    standing = job.measured
    assert not job.done
    # Whatever the amount, it is the same curve, and still cancelled
    assert asked.ask(subject, Recipe(amount=0.9), "me") is job
    assert (job.measured, job.stopped.is_set()) == (standing, True)
    asked.go_on(job, "me")
    again = finish(asked.ask(subject, Recipe(), "me"))
    assert again.curves[0] is job.curves[0]
    assert again.frame()["amount"].tolist() == list(amounts)


def test_one_who_has_cancelled_sees_what_others_go_on_with(subject: Subject) -> None:
    asked = queue(tuple(np.linspace(0, 1, 10_000).tolist()))
    job = asked.ask(subject, Recipe(), "me")
    assert asked.ask(subject, Recipe(), "you") is job
    asked.cancel(job, "me")
    assert not job.stopped.is_set()
    asked.cancel(job, "you")
    assert job.stopped.is_set()
    third = asked.ask(subject, Recipe(), "third")
    assert third is not job
    assert asked.ask(subject, Recipe(), "me") is third
    assert third.wanted_by == {"third"}
    third.stopped.set()


def test_a_failing_network_is_said_and_not_waited_for(subject: Subject) -> None:
    wrong = replace(subject, samples=(subject.samples[0][:, :1],) if subject.samples else None)
    job = finish(queue().ask(wrong, Recipe(), "me"))
    assert job.problems[0] is not None
    assert "samples" in job.problems[0]


class Brittle(nn.Module):
    """Fails where nothing is left of its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if bool((self.fc.weight == 0).all()):
            raise ZeroDivisionError("nothing left")
        logits: Tensor = self.fc(x)
        return logits


def test_a_network_that_fails_only_when_pruned_is_said_too() -> None:
    job = finish(queue().ask(Subject.from_module(Brittle(), torch.ones(2, 4)), Recipe(), "me"))
    assert job.problems[0] is not None
    assert "ZeroDivisionError: nothing left" in job.problems[0]
    assert 0 in job.frame()["amount"].tolist()


def fails_on_what_is_pruned(logits: Tensor, labels: Tensor | None) -> Tensor:
    return torch.full((len(logits),), 1.0 if bool((logits != 0).any()) else 2.0)


def test_a_metric_that_fails_leaves_the_drift_of_its_point() -> None:
    model = nn.Linear(4, 3, bias=False)
    subject = Subject.from_module(model, torch.ones(2, 4), metric=fails_on_what_is_pruned)
    job = measure(subject, Recipe(), amounts=(0.0, 1.0))
    assert job.problems == (None,)
    dense, empty = job.frame().to_dict("records")
    assert (dense["quality"], dense["kl_nats"]) == (1, 0)
    assert math.isnan(empty["quality"])
    assert empty["kl_nats"] > 0


def share_of_the_first(logits: Tensor, labels: Tensor | None) -> Tensor:
    return logits.softmax(dim=-1)[:, 0]


def test_a_metrics_points_have_the_bootstraps_interval(subject: Subject) -> None:
    judged = Subject.from_module(subject.model, subject.samples, metric=share_of_the_first)
    (point,) = measure(judged, Recipe(), amounts=(0.5,)).frame().to_dict("records")
    values = (
        share_of_the_first(masked_outputs(judged, compute_masks(judged, Recipe(amount=0.5))), None).double().numpy()
    )
    assert point["quality"] == pytest.approx(values.mean())
    assert (point["quality_low"], point["quality_high"]) == bootstrap_interval(lambda mean: mean, values)


def test_points_before_a_failure_stand() -> None:
    subject = Subject.from_module(Brittle(), torch.ones(2, 4))
    answer = measure_task(Task(lambda _: subject, "", 0, Recipe(), ((0, 0.5), (0, 0.25), (0, 1.0), (0, 0.75))))
    assert [point["amount"] for point in answer.points] == [0.5, 0.25]
    assert "nothing left" in str(answer.problem)
