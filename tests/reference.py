"""The tables of docs/REFERENCE.md that are made of what is declared: ``python -m tests.reference`` writes them anew.

Each stands in the document between ``<!-- table: NAME -->`` and ``<!-- end -->``; all else in it is written by hand.
"""

import argparse
import inspect
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pruning_explorer
from pruning_explorer.app_options import options_parser
from pruning_explorer.cli.parser import make_parser
from pruning_explorer.lab.comparison_table import MEASURES
from pruning_explorer.lessons.scenes import SCENES
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS
from pruning_explorer.prune.schedule import SCHEDULES
from pruning_explorer.prune.settings import Choice, Setting, format_value

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "REFERENCE.md"
TABLE = re.compile(r"(<!-- table: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BAR = r"\|"
"""A bar within a cell."""

ROLE = re.compile(r":\w+:`~?")
"""How docstrings begin a reference to a name."""

NEEDS = {
    "weights": "the weights",
    "example": "one input",
    "inputs": "calibration inputs",
    "labels": "calibration inputs with labels",
}

Rows = Iterable[Sequence[str]]


def table(heads: Sequence[str], rows: Rows) -> str:
    """A table in Markdown, one line for each row."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', BAR) for cell in line)} |\n" for line in lines)


def allowed(setting: Setting) -> str:
    """The values that a setting takes: ``"0 to 1"``, ``"true, false"``, ``"word"``."""
    if isinstance(setting.default, bool):
        return "true, false"
    if isinstance(setting.default, str):
        return "word"
    if math.isinf(setting.low) and math.isinf(setting.high):
        return "any number, inf and -inf too"
    whole = "whole, " if isinstance(setting.default, int) else ""
    return f"{whole}{format_value(setting.low)} to {format_value(setting.high)}"


def default(setting: Setting) -> str:
    written = format_value(setting.default)
    return f"`{written}`" if written else "none"


def setting_rows(prefix: str, settings: Iterable[Setting]) -> Rows:
    return [(f"`{prefix}{each.name}`", each.help, allowed(each), default(each)) for each in settings]


def recipe() -> str:
    return table(("field", "meaning", "values", "default"), setting_rows("", SETTINGS.values()))


def criteria() -> str:
    built_in = [CRITERIA[name] for name in CRITERIA.built_in]
    rows = [(f"`{c.name}`", c.title, f"{c.help} {c.advice}".strip(), NEEDS[c.needs], c.paper) for c in built_in]
    return table(("name", "title", "meaning", "looks at", "source"), rows)


def granularities() -> str:
    rows = [(f"`{name}`", GRANULARITIES[name].title, GRANULARITIES[name].help) for name in GRANULARITIES.built_in]
    return table(("name", "title", "meaning"), rows)


def choices(registered: Iterable[Choice]) -> str:
    return table(("name", "title", "meaning"), [(f"`{each.name}`", each.title, each.help) for each in registered])


def measures() -> str:
    rows = [(f"`{each.key}`", each.title, each.unit, each.better or "neither") for each in MEASURES]
    return table(("measure", "title", "unit", "better is"), rows)


def own_settings() -> str:
    """Settings of criteria, granularities and schedules, as they are written behind the colon."""
    known = {
        **{name: CRITERIA[name].settings for name in CRITERIA.built_in},
        **{name: GRANULARITIES[name].settings for name in GRANULARITIES.built_in},
        **{name: each.settings for name, each in SCHEDULES.items()},
    }
    rows = [row for name, settings in known.items() for row in setting_rows(f"{name}:", settings)]
    return table(("setting", "meaning", "values", "default"), rows)


def flags_of(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """Every flag and argument of a command as it is written, with its help."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        help_text = (action.help or "") % {"default": action.default, "prog": parser.prog}
        found.append((", ".join(action.option_strings) or str(action.metavar), help_text))
    return found


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, with all its flags."""
    parser = make_parser(["report"])
    (subparsers,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(subparsers.choices)


def terminal() -> str:
    users: dict[tuple[str, str], list[str]] = {}
    for command, parser in commands().items():
        for flag in flags_of(parser):
            users.setdefault(flag, []).append(command)
    rows = [(f"`{flag}`", ", ".join(names), help_text) for (flag, help_text), names in users.items()]
    return table(("flag", "commands", "meaning"), rows)


def app() -> str:
    return table(("flag", "meaning"), [(f"`{flag}`", text) for flag, text in flags_of(options_parser())])


def command_list() -> str:
    parser = make_parser([])
    (subparsers,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    rows = [(f"`{each.dest}`", str(each.help)) for each in subparsers._choices_actions]
    return table(("command", "what it does"), rows)


def scenes() -> str:
    parts = []
    for scene in SCENES.values():
        slider = [scene.slider] if scene.slider else []
        knobs = [(knob.setting, ", ".join(map(str, knob.choices)) or allowed(knob.setting)) for knob in scene.knobs]
        set_by = [(f"`{each.name}`", each.help, allowed(each), default(each)) for each in slider]
        set_by += [(f"`{each.name}`", each.help, values, default(each)) for each, values in knobs]
        facts = [(f"`{{{name}}}`", text) for name, text in scene.facts.items()]
        parts += [f"### `{scene.name}`\n", f"{scene.help} Made for `{scene.network}`.\n"]
        if set_by:
            parts.append(table(("slider, knobs", "meaning", "values", "default"), set_by))
        parts.append(table(("fact", "what it says"), facts))
    return "\n".join(parts)


def python() -> str:
    rows = []
    for name in pruning_explorer.__all__:
        doc = inspect.getdoc(getattr(pruning_explorer, name)) or ""
        first = ROLE.sub("`", " ".join(doc.partition("\n\n")[0].split()))
        rows.append((f"`{name}`", first.replace("``", "`")))
    return table(("name", "what it is"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "recipe": recipe,
    "criteria": criteria,
    "granularities": granularities,
    "scopes": lambda: choices(SCOPES.values()),
    "allocations": lambda: choices(ALLOCATIONS.values()),
    "schedules": lambda: choices(SCHEDULES.values()),
    "settings": own_settings,
    "commands": command_list,
    "terminal": terminal,
    "app": app,
    "scenes": scenes,
    "measures": measures,
    "python": python,
}


def written_anew(text: str) -> str:
    """The document with every table as it would be made now."""
    return TABLE.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    REFERENCE.write_text(written_anew(REFERENCE.read_text(encoding="utf-8")), encoding="utf-8")
