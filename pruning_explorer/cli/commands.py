"""Commands on one recipe, and the list of subjects."""

import argparse
import json
import textwrap

from pruning_explorer.cli.inventory import write_inventory
from pruning_explorer.cli.recipe_flags import judged_on, read_recipe, read_within
from pruning_explorer.cli.report import write_report
from pruning_explorer.cli.text import WIDTH, entry


def run_report(options: argparse.Namespace) -> str:
    """The report on a subject under a recipe, as text or as JSON."""
    recipe = read_recipe(options)
    allowed = read_within(options)
    from pruning_explorer import build_report, compute_masks, load_subject
    from pruning_explorer.decision import decision_line

    subject = load_subject(options.subject, **judged_on(options))
    found = None
    if allowed is not None:
        from pruning_explorer import most_within

        found = most_within(subject, recipe, allowed)
        recipe = found.recipe or recipe
    report = build_report(subject, compute_masks(subject, recipe))
    if options.json:
        within = {} if found is None else {"within": found.to_dict()}
        content = {"recipe": recipe.to_dict(), **within, **report.to_dict()}
        return json.dumps(content, indent=2, allow_nan=False)
    text = write_report(subject, recipe, report)
    if found is None:
        return text
    line = decision_line(found, report.quality_name, subject.sample_count)
    return f"{textwrap.fill(line, WIDTH)}\n\n{text}"


def run_code(options: argparse.Namespace) -> str:
    """A recipe as a script."""
    recipe = read_recipe(options)
    from pruning_explorer import load_subject, write_script

    return write_script(load_subject(options.subject, **judged_on(options)), recipe).rstrip("\n")


def run_subjects(options: argparse.Namespace) -> str:
    """The sample networks, and what they are; or what one network is made of."""
    from pruning_explorer import load_subject, sample_names

    if options.subject is not None:
        return write_inventory(load_subject(options.subject, **judged_on(options)))
    return "\n".join(entry(name, load_subject(name).description, indent=20) for name in sample_names())
