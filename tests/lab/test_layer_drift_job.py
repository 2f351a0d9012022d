"""Drift layer by layer behind the page."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.lab.layer_drift_job import LayerDriftJob, LayerDriftQueue
from pruning_explorer.measure.layer_drift import DENSE_LAYERS, layer_drift
from pruning_explorer.measure.report import Report, report_of
from pruning_explorer.prune.behaviour import behaviour_of

STEPS = 6


class Gate(nn.Module):
    """Lets nobody through until it is open, once it is armed; says when somebody stands before it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.after = nn.Sequential(*(nn.Linear(3, 3) for _ in range(STEPS - 1)))

    def forward(self, x: Tensor) -> Tensor:
        first = self.fc(x)
        ARRIVED.set()
        OPEN.wait(20)
        logits: Tensor = self.after(first)
        return logits


ARRIVED, OPEN = threading.Event(), threading.Event()


@pytest.fixture
def gated() -> Iterator[Subject]:
    OPEN.set()
    subject = Subject.from_module(Gate(), torch.ones(2, 3), name="gate")
    behaviour_of(subject)  # for which it runs on its inputs, once for all
    yield subject
    OPEN.set()


@contextmanager
def before_the_gate(queue: LayerDriftQueue, made: Report, *askers: str) -> Iterator[LayerDriftJob]:
    """A job that has run one module of six and waits."""
    OPEN.clear()
    ARRIVED.clear()
    jobs = [queue.ask(made, asker) for asker in askers]
    assert ARRIVED.wait(20)
    assert all(job is jobs[0] for job in jobs)
    yield jobs[0]
    OPEN.set()


def test_it_is_the_table_of_the_measure() -> None:
    made = report_of(load_subject("digits-cnn"), Recipe(amount=0.7))
    job = LayerDriftQueue().ask(made, "me")
    assert job.wait(60)
    pd.testing.assert_frame_equal(job.frame(), layer_drift(made.subject, made.masks))
    assert (job.progress, job.problem, job.measured) == (1, None, len(job.frame()))


def test_it_is_seen_as_it_comes(gated: Subject) -> None:
    made = report_of(gated, Recipe(amount=0.5))
    with before_the_gate(LayerDriftQueue(), made, "me") as job:
        # Of twice six modules one has run, in the dense network
        assert (job.progress, job.measured, job.done) == (1 / 12, 0, False)
        assert not job.wait(0)
    assert job.wait(20)
    assert job.frame()["module"].tolist() == ["fc", *(f"after.{i}" for i in range(5))]
    # The dense outputs stand now
    with before_the_gate(LayerDriftQueue(), report_of(gated, Recipe(amount=0.6)), "me") as job:
        assert (job.progress, job.measured, job.done) == (1 / 6, 1, False)
        assert job.frame()["module"].tolist() == ["fc"]
    assert job.wait(20)


def test_cancelled_it_ends_between_modules_and_stays_so_until_it_is_gone_on_with(gated: Subject) -> None:
    queue, made = LayerDriftQueue(), report_of(gated, Recipe(amount=0.5))
    layer_drift(gated, made.masks)
    with before_the_gate(queue, made, "me") as job:
        queue.cancel(job, "me")
    job.wait(20)
    assert (job.done, job.problem, job.frame()["module"].tolist()) == (False, None, ["fc"])
    assert queue.ask(made, "me") is job
    assert job.stopped.is_set()
    queue.go_on(job, "me")
    again = queue.ask(made, "me")
    assert again is not job
    assert again.wait(20)
    assert len(again.frame()) == STEPS


def test_a_dense_run_that_is_cancelled_is_not_kept(gated: Subject) -> None:
    queue, made = LayerDriftQueue(), report_of(gated, Recipe(amount=0.5))
    DENSE_LAYERS.clear()
    with before_the_gate(queue, made, "me") as job:
        queue.cancel(job, "me")
    job.wait(20)
    assert (job.done, len(DENSE_LAYERS)) == (False, 0)
    queue.go_on(job, "me")
    assert queue.ask(made, "me").wait(20)


def test_one_cancels_for_oneself_only(gated: Subject) -> None:
    queue, made = LayerDriftQueue(), report_of(gated, Recipe(amount=0.5))
    with before_the_gate(queue, made, "me", "you") as job:
        queue.cancel(job, "me")
        assert not job.stopped.is_set()
    assert job.wait(20)


def test_another_recipe_cancels_it_unless_somebody_else_waits(gated: Subject) -> None:
    queue, made = LayerDriftQueue(), report_of(gated, Recipe(amount=0.5))
    with before_the_gate(queue, made, "me", "you") as job:
        queue.ask(report_of(gated, Recipe(amount=0.6)), "me")
        assert not job.stopped.is_set()
        queue.ask(report_of(gated, Recipe(amount=0.7)), "you")
        assert job.stopped.is_set()
    job.wait(20)
    assert not job.done


class Brittle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        if bool((self.first.weight == 0).all()):
            raise ZeroDivisionError("nothing left")
        logits: Tensor = self.second(hidden)
        return logits


def test_what_fails_is_said_and_what_came_before_stands() -> None:
    made = report_of(Subject.from_module(Brittle(), torch.ones(2, 3)), Recipe(amount=1.0))
    job = LayerDriftQueue().ask(made, "me")
    assert job.wait(20)
    assert "ZeroDivisionError: nothing left" in str(job.problem)
    assert job.frame()["module"].tolist() == ["first"]
