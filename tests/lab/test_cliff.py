"""The cliff against single measurements, and the desk that hands the jobs out."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pruning_explorer import Recipe, Subject, build_report, compute_masks, load_subject
from pruning_explorer.lab.cliff import COLUMNS, CliffDesk, CliffJob, cliff_amounts, cliff_points

AMOUNTS = (0.0, 1.0, 0.5)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject("spirals-mlp")


def finish(job: CliffJob) -> CliffJob:
    end = time.monotonic() + 60
    while not job.done and time.monotonic() < end:
        time.sleep(0.01)
    assert job.done
    return job


def test_each_point_is_the_report_at_its_amount(subject: Subject) -> None:
    recipe = Recipe(scope="global")
    for point in cliff_points(subject, recipe, AMOUNTS):
        report = build_report(subject, compute_masks(subject, replace(recipe, amount=point["amount"])))
        assert report.quality is not None
        assert report.drift is not None
        assert point["quality"] == report.quality.iloc[0]["pruned"]
        assert point["agreement"] == report.drift["agrees"].mean()
        assert point["kl_nats"] == pytest.approx(report.drift["kl_nats"].mean())
        assert point["achieved"] == report.totals["sparsity"]["achieved"]


def test_ends_are_dense_and_empty(subject: Subject) -> None:
    dense, empty, _ = cliff_points(subject, Recipe(), AMOUNTS)
    assert (dense["achieved"], dense["kl_nats"], dense["agreement"]) == (0, 0, 1)
    assert empty["achieved"] == 1
    assert empty["quality"] < 0.5


def test_amounts_come_coarse_first_and_once() -> None:
    amounts = cliff_amounts()
    assert len(set(amounts)) == len(amounts)
    assert np.allclose(sorted(amounts[:11]), np.linspace(0, 1, 11))


def test_no_labels_no_quality() -> None:
    (point,) = cliff_points(load_subject("tutorial-mlp"), Recipe(), (0.2,))
    assert np.isnan([point["quality"], point["quality_low"], point["quality_high"]]).all()
    assert point["kl_nats"] > 0


def test_frame_is_sorted_and_has_every_column(subject: Subject) -> None:
    job = finish(CliffDesk().ask(subject, Recipe(amount=0.3), "me", lambda: AMOUNTS))
    assert list(job.frame().columns) == COLUMNS
    assert job.frame()["amount"].tolist() == [0, 0.5, 1]
    assert job.progress == 1


def test_one_job_for_all_amounts_of_a_recipe(subject: Subject) -> None:
    desk = CliffDesk()
    job = desk.ask(subject, Recipe(amount=0.3), "me", lambda: AMOUNTS)
    assert desk.ask(subject, Recipe(amount=0.9), "you", lambda: AMOUNTS) is job
    assert desk.ask(subject, Recipe("random", amount=0.9), "you", lambda: AMOUNTS) is not job


def test_what_nobody_waits_for_is_cancelled(subject: Subject) -> None:
    desk = CliffDesk()
    many = tuple(np.linspace(0, 1, 10_000).tolist())
    alone = desk.ask(subject, Recipe(), "me", lambda: many)
    shared = desk.ask(subject, Recipe(seed=1), "you", lambda: many)
    desk.ask(subject, Recipe(seed=1), "me", lambda: many)
    assert alone.stopped.is_set()
    last = desk.ask(subject, Recipe("random"), "me", lambda: AMOUNTS)
    assert not shared.stopped.is_set()
    desk.ask(subject, Recipe("random"), "you", lambda: AMOUNTS)
    assert shared.stopped.is_set()
    assert finish(last).problem is None


def test_a_failing_network_is_said_and_not_waited_for(subject: Subject) -> None:
    wrong = replace(subject, samples=(subject.samples[0][:, :1],) if subject.samples else None)
    job = finish(CliffDesk().ask(wrong, Recipe(), "me", lambda: AMOUNTS))
    assert job.problem is not None
    assert "samples" in job.problem
