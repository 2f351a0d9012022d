"""What is done once, before the first page is asked for."""

from pruning_explorer.lab.study import study
from pruning_explorer.lab.workers import tune_process
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.ui.explore.cliff import warm_cliff
from pruning_explorer.ui.subjects import find_subject, first_subject


def warm_up() -> None:
    """Load what the first page shows and run its network once, so that the first visitor does not wait for it."""
    tune_process()
    first = study(find_subject(first_subject()), Recipe())
    for part in ("layers", "sparsity", "cost", "drift", "quality"):
        getattr(first, part)
    layer_drift(first.subject, first.masks)
    warm_cliff(first.subject, first.recipe)
