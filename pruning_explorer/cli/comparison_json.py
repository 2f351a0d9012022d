"""A comparison for programs."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pruning_explorer.measure.report import plain_rows

if TYPE_CHECKING:
    from pruning_explorer.lab.comparison import Comparison


def write_json(comparison: "Comparison", unread: Mapping[str, str]) -> str:
    """Everything in a comparison as strict JSON: tables as lists of rows; NaN and infinite figures as null.

    Args:
        unread: what was no recipe, by name, with the reason.
    """
    tables = ("table", "layers", "classes", "agreement", "exemplars", "curves")
    content = {
        "subject": comparison.subject.name,
        "subject_id": comparison.subject.id,
        "recipes": [
            {"name": entry.name, "id": entry.recipe.id, "problem": problem, "recipe": entry.recipe.to_dict()}
            for entry, problem in zip(comparison.entries, comparison.problems, strict=True)
        ],
        "unread": dict(unread),
        **{name: plain_rows(getattr(comparison, name)) for name in tables},
    }
    return json.dumps(content, indent=2, allow_nan=False)
