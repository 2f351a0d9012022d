"""Drift layer by layer as a background job: shown while it is measured, cancelled between two modules."""

import pandas as pd

from pruning_explorer.lab.curve_points import describe_error
from pruning_explorer.lab.job_queue import Job, JobQueue
from pruning_explorer.measure.forward import leaf_modules
from pruning_explorer.measure.layer_drift import Step, drift_frame, layer_drift
from pruning_explorer.measure.report import Report


class _Stopped(BaseException):
    """Goes through whatever a network catches."""


class LayerDriftJob(Job):
    """Drift of each module of one report. Stopped, it begins anew the next time.

    Attributes:
        planned: how many modules there are that may run.
        problem: why it ended early; None while all is well.
    """

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.planned = len(leaf_modules(report.subject.model))
        self.problem: str | None = None
        self._subject, self._masks = report.subject, report.masks
        self._dense: set[str] = set()
        self._pruned: set[str] = set()
        self._rows: dict[str, tuple[str, str, float, float, float]] = {}
        self._frame: pd.DataFrame | None = None

    @property
    def done(self) -> bool:
        return self._frame is not None or self.problem is not None

    @property
    def progress(self) -> float:
        """Fraction of the modules that have run, in [0, 1]; of both networks, where the dense one has to run, too."""
        if self.done or not self.planned:
            return 1.0
        dense = len(self._dense)
        return min(1.0, (dense + len(self._pruned)) / (self.planned * (2 if dense else 1)))

    @property
    def measured(self) -> int:
        """How many modules are compared."""
        return len(self._rows)

    def frame(self) -> pd.DataFrame:
        """The modules so far, as :func:`~pruning_explorer.measure.layer_drift.layer_drift` gives them."""
        return drift_frame(tuple(self._rows.values())) if self._frame is None else self._frame

    def run(self) -> None:
        """Compare all modules."""
        if self.done:
            return
        try:
            self._frame = layer_drift(self._subject, self._masks, self._see)
        except _Stopped:
            return

    def fail(self, error: Exception) -> None:
        self.problem = describe_error(error)

    def _see(self, step: Step) -> None:
        if self.stopped.is_set():
            raise _Stopped
        if step.dense:
            self._dense.add(step.module)
            return
        self._pruned.add(step.module)
        self._rows.pop(step.module, None)
        if step.row is not None:
            self._rows[step.module] = step.row


class LayerDriftQueue(JobQueue[LayerDriftJob]):
    """Hands out jobs, the same one to all who look at the same recipe on the same network."""

    def __init__(self, keep: int = 64) -> None:
        # One that takes a minute must not hold up those that take a moment
        super().__init__("layer-drift", keep=keep, workers=2)

    def ask(self, report: Report, asker: str) -> LayerDriftJob:
        """The drift of a report's layers; what else the asker waited for is cancelled, if nobody else waits for it."""
        return self.take((report.subject.id, report.recipe.id), asker, lambda: LayerDriftJob(report))
