"""A comparison for programs."""

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

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
        **{name: _plain(getattr(comparison, name).to_dict("records")) for name in tables},
    }
    return json.dumps(content, indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
