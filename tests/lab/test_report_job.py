"""Reports of several recipes, made behind the page."""

import pytest

from pruning_explorer import Recipe, Report, load_subject
from pruning_explorer.errors import RecipeError
from pruning_explorer.lab import report_job
from pruning_explorer.lab.report_job import ReportQueue
from pruning_explorer.measure.report import REPORTS, report_of

LIMIT = 60
HALF, MOST = Recipe(amount=0.5), Recipe(amount=0.9)


def test_a_recipe_that_does_not_fit_leaves_the_others_alone() -> None:
    subject = load_subject("tutorial-mlp")
    jobs = ReportQueue().ask(subject, [HALF, Recipe(targets=("conv1.weight",)), MOST], "me")
    assert all(job.wait(LIMIT) for job in jobs)
    half, misfit, most = (job.result for job in jobs)
    assert (half, most) == (report_of(subject, HALF), report_of(subject, MOST))
    assert isinstance(misfit, str)
    assert "conv1.weight" in misfit


def test_two_of_one_recipe_are_one_job_and_so_are_those_of_two_sessions() -> None:
    queue, subject = ReportQueue(), load_subject("tutorial-mlp")
    first, second, third = queue.ask(subject, [HALF, MOST, HALF], "me")
    assert first is third is not second
    assert queue.ask(subject, [MOST], "you") == [second]
    assert second.wait(LIMIT)


def test_a_report_that_the_cache_has_lost_is_made_again() -> None:
    subject = load_subject("tutorial-mlp")
    (job,) = ReportQueue().ask(subject, [HALF], "me")
    assert job.wait(LIMIT)
    before = job.result
    REPORTS.clear()
    after = job.result
    assert isinstance(before, Report)
    assert isinstance(after, Report)
    assert after is not before
    assert after.sparsity == before.sparsity


def test_whatever_goes_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, said in ((RecipeError("in words"), "in words"), (KeyError("x"), "measuring failed (KeyError: 'x')")):

        def fail(*_: object, error: Exception = error) -> Report:
            raise error

        monkeypatch.setattr(report_job, "report_of", fail)
        (job,) = ReportQueue().ask(load_subject("tutorial-mlp"), [HALF], "me")
        assert job.wait(LIMIT)
        assert job.result == said
