"""Everything the page knows of one recipe on one subject, each part computed when it is first looked at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruning_explorer.measure.cost import cost_totals, layer_cost
from pruning_explorer.measure.drift import Drift, measure_drift
from pruning_explorer.measure.forward import Outcome, run_subject
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.quality import quality_table, right_samples
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

    @cached_property
    def layers(self) -> pd.DataFrame:
        return layer_sparsity(self.subject, self.masks)

    @cached_property
    def layers_with_cost(self) -> pd.DataFrame:
        """``layers`` with each one's multiply-adds, where there are samples to count them on."""
        if self.subject.samples is None:
            return self.layers
        return self.layers.merge(layer_cost(self.subject, self.masks), on="target")

    @cached_property
    def sparsity(self) -> dict[str, Any]:
        return sparsity_totals(self.subject, self.masks)

    @cached_property
    def cost(self) -> dict[str, Any] | None:
        """Multiply-adds; None where the subject has no samples to count them on."""
        return None if self.subject.samples is None else cost_totals(self.subject, self.masks)

    @cached_property
    def outcome(self) -> Outcome | None:
        """Outputs of dense and pruned network; None where the subject has no samples."""
        return None if self.subject.samples is None else run_subject(self.subject, self.masks)

    @cached_property
    def drift(self) -> Drift | None:
        return None if self.outcome is None else measure_drift(self.outcome.dense, self.outcome.pruned)

    @cached_property
    def samples(self) -> pd.DataFrame | None:
        """Drift and answers, a row per sample."""
        return None if self.drift is None else self.drift.frame()

    @cached_property
    def quality(self) -> pd.DataFrame | None:
        if self.outcome is None or self.subject.labels is None:
            return None
        return quality_table(self.subject, self.outcome.dense, self.outcome.pruned)

    @cached_property
    def right(self) -> NDArray[np.bool_] | None:
        """Which samples the pruned network gets right, bool ``[N]``; None where there are no samples or no labels."""
        return None if self.outcome is None else right_samples(self.subject, self.outcome.pruned)

    @cached_property
    def layer_drift(self) -> pd.DataFrame:
        return layer_drift(self.subject, self.masks)


STUDIES: ByteBoundedCache[Study] = ByteBoundedCache(limit=256 << 20)


def study(subject: Subject, recipe: Recipe) -> Study:
    """The study of a recipe on a subject, shared by all sessions.

    Raises:
        PruningExplorerError: the recipe does not fit the subject.
    """
    return STUDIES.get((subject.id, recipe.id), lambda: Study(subject, recipe, compute_masks(subject, recipe)))
