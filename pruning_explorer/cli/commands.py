"""Commands on one recipe, and the list of subjects."""

import argparse
import json

from pruning_explorer.cli.recipe_flags import read_recipe
from pruning_explorer.cli.report import write_report
from pruning_explorer.cli.text import entry


def run_report(options: argparse.Namespace) -> str:
    """The report on a subject under a recipe, as text or as JSON."""
    recipe = read_recipe(options)
    from pruning_explorer import build_report, compute_masks, load_subject

    subject = load_subject(options.subject)
    report = build_report(subject, compute_masks(subject, recipe))
    if options.json:
        content = {"recipe": recipe.to_dict(), **report.to_dict()}
        return json.dumps(content, indent=2, allow_nan=False)
    return write_report(subject, recipe, report)


def run_code(options: argparse.Namespace) -> str:
    """A recipe as a script."""
    recipe = read_recipe(options)
    from pruning_explorer import load_subject

    return recipe.to_code(load_subject(options.subject)).rstrip("\n")


def run_subjects(_: argparse.Namespace) -> str:
    """The sample networks, and what they are."""
    from pruning_explorer import load_subject, sample_names

    return "\n".join(entry(name, load_subject(name).about, indent=20) for name in sample_names())
