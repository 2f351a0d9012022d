"""What is done once, before the first page is asked for."""

import os
import sys

from pruning_explorer.app_options import Options
from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.workers import tune_process
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.report import report_of
from pruning_explorer.prune.cache import set_cache_limit
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.sources.samples import load_sample
from pruning_explorer.ui.explore.cliff import warm_cliff
from pruning_explorer.ui.learn.catalogs import add_folder
from pruning_explorer.ui.subjects import DEFAULT_SUBJECT, open_for_all

NO_OPTIONS = Options()


def warm_up(options: Options = NO_OPTIONS) -> None:
    """Open the operator's networks, and run what the samples' first page shows once, so that no visitor waits for it.

    A network that cannot be opened ends the program, with the reason on stderr.
    """
    tune_process()
    set_cache_limit(options.cache_mib << 20)
    for folder in options.lessons:
        add_folder(folder)
    for asked in options.subjects:
        try:
            subject = open_for_all(asked)
        except PruningExplorerError as error:
            print(f"pruning-explorer: {asked.words}: {error}", file=sys.stderr, flush=True)
            os._exit(2)  # the server's own ways out would print a traceback, or go on without
        print(f"pruning-explorer: {subject.name} is loaded: {subject.description}", flush=True)
    first = report_of(load_sample(DEFAULT_SUBJECT), Recipe())
    first.measure()
    layer_drift(first.subject, first.masks)
    warm_cliff(first.subject, first.recipe)
