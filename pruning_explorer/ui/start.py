"""What is done once, before the first page is asked for."""

import torch

from pruning_explorer.lab.study import study
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.sources.samples import load_subject
from pruning_explorer.ui.address import DEFAULT_SUBJECT
from pruning_explorer.ui.explore.cliff import warm_cliff


def warm_up() -> None:
    """Load what the first page shows and run its network once, so that the first visitor does not wait for it."""
    # A page and the curve behind it run at once: two teams of threads on the same cores only wait for one another
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    first = study(load_subject(DEFAULT_SUBJECT), Recipe())
    for part in ("layers", "sparsity", "cost", "drift", "quality"):
        getattr(first, part)
    layer_drift(first.subject, first.masks)
    warm_cliff(first.subject, first.recipe)
