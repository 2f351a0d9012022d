"""What there is to choose among, for the end of a command's help."""

import textwrap
from collections.abc import Iterable

from pruning_explorer.cli.text import WIDTH
from pruning_explorer.prune.settings import Setting

NAME_WIDTH = 26
NEEDS = {
    "weights": "",
    "example": "Needs one input.",
    "inputs": "Needs calibration inputs.",
    "labels": "Needs calibration inputs with labels.",
}


def list_choices() -> str:
    """Criteria with their papers and what they need, granularities, scopes, allocations and schedules."""
    from pruning_explorer.prune.allocation import ALLOCATIONS
    from pruning_explorer.prune.criteria import CRITERIA
    from pruning_explorer.prune.granularities import GRANULARITIES
    from pruning_explorer.prune.recipe_settings import SCOPES
    from pruning_explorer.prune.schedule import SCHEDULES

    lines = ["criteria:"]
    for name, criterion in CRITERIA.items():
        told = [criterion.help, NEEDS[criterion.needs], criterion.advice, f"{criterion.paper}." * bool(criterion.paper)]
        lines += _choice(_pattern(name, criterion.settings), " ".join(filter(None, told)), criterion.settings)
    lines += ["", "granularities:"]
    for granularity in GRANULARITIES.values():
        lines += _choice(str(granularity), granularity.help, granularity.settings)
    lines += ["", "scopes:"]
    for choice in SCOPES.values():
        lines += _choice(choice.name, choice.help)
    lines += ["", "allocations:"]
    for choice in ALLOCATIONS.values():
        lines += _choice(choice.name, choice.help)
    lines += ["", "schedules:"]
    for schedule in SCHEDULES.values():
        lines += _choice(str(schedule), schedule.help, schedule.settings)
    return "\n".join(lines)


def _pattern(name: str, settings: Iterable[Setting]) -> str:
    written = ",".join(f"{setting.name}={setting.name.upper()}" for setting in settings)
    return f"{name}:{written}" if written else name


def _choice(name: str, text: str, settings: Iterable[Setting] = ()) -> list[str]:
    lines = [f"  {name:<{NAME_WIDTH}}{text}", *(f"  {'':<{NAME_WIDTH}}{each.name}: {each.help}" for each in settings)]
    hanging = " " * (NAME_WIDTH + 2)
    return [
        part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent=hanging, break_on_hyphens=False)
    ]
