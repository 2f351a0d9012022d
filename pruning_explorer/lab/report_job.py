"""Reports as background jobs: a page shows those that are ready, and jobs that nobody waits for are not started."""

from collections.abc import Sequence
from functools import partial

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.job_queue import Job, JobQueue, Key
from pruning_explorer.measure.report import Report, report_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


def try_report(subject: Subject, recipe: Recipe) -> Report | str:
    """The report on a recipe, measured; or why there is none, in words for a person."""
    try:
        report = report_of(subject, recipe)
        report.measure()
    except PruningExplorerError as error:
        return str(error)
    return report


class ReportJob(Job):
    """Measures the report on one recipe."""

    def __init__(self, subject: Subject, recipe: Recipe) -> None:
        super().__init__()
        self._subject, self._recipe = subject, recipe
        self._measured = False
        self._problem: str | None = None

    @property
    def done(self) -> bool:
        return self._measured or self._problem is not None

    @property
    def result(self) -> Report | str | None:
        """The report, or why there is none; None while it is measured.

        The reports' own cache keeps it, bounded in bytes; should it be gone, it is measured again.
        """
        return try_report(self._subject, self._recipe) if self._measured else self._problem

    def run(self) -> None:
        """Measure it."""
        found = try_report(self._subject, self._recipe)
        if isinstance(found, str):
            self._problem = found
        else:
            self._measured = True

    def fail(self, error: Exception) -> None:
        self._problem = f"measuring failed ({type(error).__name__}: {error})"


class ReportQueue(JobQueue[ReportJob]):
    """Hands out jobs, the same one to all who ask for the same recipe on the same network."""

    def __init__(self, keep: int = 256) -> None:
        # One that takes a minute must not hold up those that take a moment
        super().__init__("reports", keep=keep, workers=2)

    def ask(self, subject: Subject, recipes: Sequence[Recipe], asker: str) -> list[ReportJob]:
        """A job for each recipe; what else the asker waited for is cancelled, if nobody else waits for it."""
        wanted: list[Key] = [(subject.id, recipe.id) for recipe in recipes]
        makes = (partial(ReportJob, subject, recipe) for recipe in recipes)
        jobs = self.take_all(dict(zip(wanted, makes, strict=True)), asker)
        return [jobs[key] for key in wanted]
