"""Pruning Explorer: see which weights go, what the network still knows, and what it costs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning_explorer.exports.saving import Saved, export
    from pruning_explorer.exports.torch_script import write_script
    from pruning_explorer.lab.comparison import Comparison, Entry, compare
    from pruning_explorer.lab.most_within import MostWithin, most_within
    from pruning_explorer.measure.report import Report, build_report
    from pruning_explorer.prune.engine import compute_masks
    from pruning_explorer.prune.masks import Masks
    from pruning_explorer.prune.recipe import Recipe
    from pruning_explorer.prune.subject import SampleView, Subject
    from pruning_explorer.sources.samples import sample_names
    from pruning_explorer.sources.words import load_subject

__all__ = [
    "Comparison",
    "Entry",
    "Masks",
    "MostWithin",
    "Recipe",
    "Report",
    "SampleView",
    "Saved",
    "Subject",
    "build_report",
    "compare",
    "compute_masks",
    "export",
    "load_subject",
    "most_within",
    "sample_names",
    "write_script",
]

_ROOMS = {
    "Comparison": "lab.comparison",
    "Entry": "lab.comparison",
    "Masks": "prune.masks",
    "MostWithin": "lab.most_within",
    "Recipe": "prune.recipe",
    "Report": "measure.report",
    "SampleView": "prune.subject",
    "Saved": "exports.saving",
    "Subject": "prune.subject",
    "build_report": "measure.report",
    "compare": "lab.comparison",
    "compute_masks": "prune.engine",
    "export": "exports.saving",
    "load_subject": "sources.words",
    "most_within": "lab.most_within",
    "sample_names": "sources.samples",
    "write_script": "exports.torch_script",
}


def __getattr__(name: str) -> Any:
    # torch takes a second to import: `python -m pruning_explorer --help` must not wait for it
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
