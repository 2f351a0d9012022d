"""Everything the page knows of one recipe on one subject, each part computed when it is first looked at."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pruning_explorer.errors import SubjectError
from pruning_explorer.lab.computed_once import computed_once
from pruning_explorer.measure.cost import cost_totals, dense_cost, layer_cost
from pruning_explorer.measure.drift import Drift, measure_drift
from pruning_explorer.measure.forward import Outcome, run_subject
from pruning_explorer.measure.quality import SampleQuality, dense_quality, interval_name, sample_quality, table_of
from pruning_explorer.measure.sparsity import layer_sparsity, sparsity_totals
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True, eq=False)
class Study:
    """A recipe's masks and what they do to a subject."""

    subject: Subject
    recipe: Recipe
    masks: Masks

    @property
    def nbytes(self) -> int:
        samples = self.subject.sample_count * 4096  # outputs and tables of a sample, generously
        return sum(target.numel for target in self.masks.targets) + samples

    @computed_once
    def layers(self) -> pd.DataFrame:
        return layer_sparsity(self.subject, self.masks)

    @computed_once
    def layers_with_cost(self) -> pd.DataFrame:
        """``layers`` with each one's multiply-adds, where there are samples to count them on."""
        if self.subject.samples is None:
            return self.layers
        return self.layers.merge(layer_cost(self.subject, self.masks), on="target")

    @computed_once
    def sparsity(self) -> dict[str, Any]:
        return sparsity_totals(self.subject, self.masks)

    @computed_once
    def cost(self) -> dict[str, Any] | None:
        """Multiply-adds; None where the subject has no samples to count them on."""
        return None if self.subject.samples is None else cost_totals(self.subject, self.masks)

    @computed_once
    def outcome(self) -> Outcome | None:
        """Outputs of dense and pruned network; None where the subject has no samples."""
        return None if self.subject.samples is None else run_subject(self.subject, self.masks)

    def run(self) -> None:
        """Run the network, dense and pruned, and count its multiply-adds: what takes long of what is looked at first.

        Raises:
            SubjectError: it fails on its samples, or gives no logits.
        """
        if self.outcome is not None:
            dense_cost(self.subject)

    @computed_once
    def drift(self) -> Drift | None:
        return None if self.outcome is None else measure_drift(self.outcome.dense, self.outcome.pruned)

    @computed_once
    def samples(self) -> pd.DataFrame | None:
        """Drift and answers, a row per sample."""
        return None if self.drift is None else self.drift.frame()

    @computed_once
    def quality(self) -> pd.DataFrame | None:
        """As :func:`~pruning_explorer.measure.quality.quality_table`.

        None where there are no samples, nothing judges them, or judging them fails.
        """
        dense, pruned, _ = self._judged
        return None if dense is None or pruned is None else table_of(self.subject, dense, pruned)

    @property
    def sample_quality(self) -> SampleQuality | None:
        """What each sample is worth under the masks, ``[N]``; None where ``quality`` is."""
        return self._judged[1]

    @property
    def quality_problem(self) -> str | None:
        """Why judging the samples fails: the metric does, or labels do not fit; None where all is well."""
        return self._judged[2]

    @property
    def interval_name(self) -> str:
        """How the intervals of ``quality`` are found: ``"Wilson"`` or ``"bootstrap"``."""
        return interval_name(*self._judged[:2])

    @computed_once
    def _judged(self) -> tuple[SampleQuality | None, SampleQuality | None, str | None]:
        if self.outcome is None or self.drift is None:
            return None, None, None
        try:
            pruned = sample_quality(self.subject, self.outcome.pruned, self.drift.pruned_top1)
            return dense_quality(self.subject), pruned, None
        except SubjectError as error:
            return None, None, str(error)


STUDIES: ByteBoundedCache[Study] = ByteBoundedCache(256 << 20, "masks")


def study(subject: Subject, recipe: Recipe) -> Study:
    """The study of a recipe on a subject, shared by all sessions.

    Raises:
        PruningExplorerError: the recipe does not fit the subject, or the subject's file is no longer as it was.
    """
    subject.check_files()
    return STUDIES.get((subject.id, recipe.id), lambda: Study(subject, recipe, compute_masks(subject, recipe)))
