"""The same calls as the pages make, from a terminal: ``python -m pruning_explorer report digits-cnn --amount 0.8``."""

import argparse
import json
import math
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pruning_explorer.errors import PruningExplorerError, RecipeError

if TYPE_CHECKING:
    import pandas as pd

    from pruning_explorer.measure.report import Report
    from pruning_explorer.prune.recipe import Recipe
    from pruning_explorer.prune.settings import Setting
    from pruning_explorer.prune.subject import Subject

NAME = "python -m pruning_explorer"
WIDTH = 96


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Returns:
        The exit code: 0, or 2 where something asked for makes no sense; then one line on stderr says what.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = make_parser(arguments).parse_args(arguments)
        print(options.run(options))
        sys.stdout.flush()
    except PruningExplorerError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The commands and their flags.

    Args:
        arguments: about to be parsed. Where none is a command with a recipe, its flags are left out: they are
            made of the settings that a recipe declares, which imports torch, and `--help` shall not wait for it.
    """
    parser = _Parser(
        prog=NAME,
        description="Prune a network in a terminal: which weights go, what it still knows, and what it costs.",
        epilog=f"All flags of a command: {NAME} report --help",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="prune a subject and print what the Explore page shows")
    code = commands.add_parser("code", help="print a recipe as a plain torch.nn.utils.prune script")
    subjects = commands.add_parser("subjects", help="list the sample networks")
    report.set_defaults(run=run_report)
    code.set_defaults(run=run_code)
    subjects.set_defaults(run=run_subjects)
    if {"report", "code"} & set(arguments):
        for command in (report, code):
            add_recipe_flags(command)
        report.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting that a recipe declares, and those that name layers."""
    from pruning_explorer.prune.criteria import CRITERIA
    from pruning_explorer.prune.granularities import GRANULARITIES, canonical_granularity
    from pruning_explorer.prune.recipe import SCOPES, SETTINGS

    parser.add_argument("subject", metavar="SUBJECT", help=f"name of a sample; `{NAME} subjects` lists them")
    for setting in SETTINGS.values():
        _add_flag(parser, setting)
    layers = parser.add_argument_group("layers", "Each flag may be given several times; a layer's NAME: conv1.weight")
    layers.add_argument("--target", metavar="NAME", action="append", help="prune this one; without any, all")
    layers.add_argument(
        "--layer-amount",
        metavar="NAME=FRACTION",
        action="append",
        help="its own amount, outside a global ranking",
    )
    layers.add_argument("--freeze", metavar="NAME", action="append", help="keep this one dense")
    parser.add_argument("--recipe", metavar="FILE", type=Path, help="read a recipe as JSON; other flags go before it")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        [
            "criteria:",
            *(f"  {name:<20}{criterion.help}" for name, criterion in CRITERIA.items()),
            "\ngranularities:",
            *(f"  {canonical_granularity(name):<20}{spec.help}" for name, spec in GRANULARITIES.items()),
            *(f"  {'':<20}{s.name}: {s.help}" for spec in GRANULARITIES.values() for s in spec.settings),
            "\nscopes:",
            *(f"  {name:<20}{help_text}" for name, help_text in SCOPES.items()),
        ]
    )


def read_recipe(options: argparse.Namespace) -> "Recipe":
    """The recipe that a command line asks for: its file, if any, with its flags on top.

    Raises:
        RecipeError: a flag or the file cannot be read.
    """
    from pruning_explorer.prune.recipe import SETTINGS, Recipe, check_amount

    given: dict[str, Any] = {}
    for setting in SETTINGS.values():
        value = getattr(options, setting.name)
        if value is not None:
            given[setting.name] = value if isinstance(value, bool) else setting.parse(value)
    if options.layer_amount is not None:
        given["amounts"] = {}
        for text in options.layer_amount:
            name, equals, amount = text.rpartition("=")
            if not equals:
                raise RecipeError(f"--layer-amount {text!r} has no amount; write it as conv1.weight=0.3")
            given["amounts"][name] = check_amount(SETTINGS["amount"].parse(amount), name)
    if options.target is not None:
        given["targets"] = options.target
    if options.freeze is not None:
        given["frozen"] = options.freeze
    base = Recipe() if options.recipe is None else Recipe.from_json(_read_text(options.recipe))
    return Recipe.from_dict({**base.to_dict(), **given})


def run_report(options: argparse.Namespace) -> str:
    recipe = read_recipe(options)
    from pruning_explorer import build_report, compute_masks, load_subject

    subject = load_subject(options.subject)
    report = build_report(subject, compute_masks(subject, recipe))
    if options.json:
        content = {"recipe": recipe.to_dict(), **report.to_dict()}
        return json.dumps(content, indent=2, allow_nan=False)
    return write_report(subject, recipe, report)


def run_code(options: argparse.Namespace) -> str:
    recipe = read_recipe(options)
    from pruning_explorer import load_subject

    return recipe.to_code(load_subject(options.subject)).rstrip("\n")


def run_subjects(_: argparse.Namespace) -> str:
    from pruning_explorer import load_subject, sample_names

    return "\n".join(_entry(name, load_subject(name).about, indent=20) for name in sample_names())


def write_report(subject: "Subject", recipe: "Recipe", report: "Report") -> str:
    """A report as text: the key figures, then tables of layers, drift by layer and quality by group.

    Lines are at most 96 columns wide, as long as names are not.
    """
    parts = [
        f"{subject.name}: {recipe.criterion} x {recipe.granularity} x {recipe.scope}, recipe {recipe.id}",
        textwrap.fill(subject.about, WIDTH),
        "",
        *(_entry(name, text) for name, text in _key_figures(subject, report).items()),
        "",
        "By layer; MACs th.: theoretical multiply-adds per sample, if kernels skipped what is removed:",
        _table(report.layers, "target shape weights removed requested achieved dead_channels macs_theoretical"),
    ]
    if report.layer_drift is not None:
        parts += ["", "Outputs of each module, pruned beside dense, in order of execution:"]
        parts += [_table(report.layer_drift, "module layer_type cosine l2_normalised sqnr_db")]
    if report.quality is not None:
        parts += ["", f"{subject.quality_name.capitalize()} by group, with 95 % Wilson intervals:"]
        columns = "group samples dense dense_low dense_high pruned pruned_low pruned_high change"
        parts += [_table(report.quality, columns)]
    return "\n".join(parts)


def _key_figures(subject: "Subject", report: "Report") -> dict[str, str]:
    s, cost, drift, quality = (report.totals[part] for part in ("sparsity", "cost", "drift", "quality"))
    figures = {
        "Sparsity": f"{_percent(s['requested'])} requested, {_percent(s['achieved'])} achieved: {s['removed']:,} of"
        f" {s['weights']:,} weights in {s['targets']} targets; {_percent(s['achieved_of_weights'])} of all weights,"
        f" {_percent(s['achieved_of_all'])} of all parameters",
        "Parameters": f"{s['nonzero_parameters']:,} of {s['parameters']:,} nonzero;"
        f" {s['dead_channels']:,} channels wholly dead",
    }
    if quality is not None:
        dense, pruned = (
            f"{_percent(quality[x])} ({_percent(quality[f'{x}_low'])} to {_percent(quality[f'{x}_high'])}) {x}"
            for x in ("dense", "pruned")
        )
        figures["Quality"] = f"{subject.quality_name} {dense}, {pruned}; in brackets the 95 % Wilson interval"
    if drift is not None:
        broken = f", {drift['unanswered']:,} without a finite answer" if drift["unanswered"] else ""
        figures["Drift"] = (
            f"KL(dense || pruned) {drift['kl_nats']:.4g} nats; top-1 agreement {_percent(drift['agreement'])},"
            f" {drift['flipped']:,} of {drift['samples']:,} samples flipped{broken}; cosine {drift['cosine']:.4f};"
            f" normalised L2 {drift['l2_normalised']:.4f}; SQNR {drift['sqnr_db']:.1f} dB"
        )
    if cost is not None:
        figures["Multiply-adds"] = (
            f"{cost['macs_theoretical']:,.0f} theoretical of {cost['macs_dense']:,} dense, per sample;"
            " dense kernels do them all, whatever is masked"
        )
    return figures


FRACTIONS = {
    *("requested", "achieved", "dense", "dense_low", "dense_high"),
    *("pruned", "pruned_low", "pruned_high"),
}
HEADINGS = {
    "layer_type": "type",
    "dead_channels": "dead",
    "macs_theoretical": "MACs th.",
    "change": "points",
    "l2_normalised": "normalised L2",
    "sqnr_db": "SQNR dB",
}
DECIMALS = {"macs_theoretical": 0, "sqnr_db": 1}


def _table(frame: "pd.DataFrame", columns: str) -> str:
    rows = []
    names = columns.split()
    cells = [[HEADINGS.get(name, name.replace("_", " ")) for name in names]]
    cells += [[_cell(name, row[name]) for name in names] for row in frame.to_dict("records")]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [frame[name].dtype.kind in "iuf" for name in names]
    for row in cells:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True))
        rows.append("  ".join(padded).rstrip())
    return "\n".join(rows)


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value or "(whole network)"
    if value is None or math.isnan(value):
        return "-"
    if name in FRACTIONS:
        return _percent(value)
    if name == "change":
        return f"{100 * value:+.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{DECIMALS.get(name, 4)}f}"


def _entry(name: str, text: str, indent: int = 15) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{name:<{indent}}", subsequent_indent=" " * indent)


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None or math.isnan(fraction) else f"{fraction:.1%}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def _add_flag(parser: argparse.ArgumentParser, setting: "Setting") -> None:
    flag = f"--{setting.name.replace('_', '-')}"
    if isinstance(setting.default, bool):
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=setting.help)
        return
    from pruning_explorer.prune.settings import format_value

    numeric = isinstance(setting.default, int | float)
    bounds = f"{setting.low:g} to {setting.high}; " if numeric else ""
    parser.add_argument(
        flag,
        metavar=setting.unit.upper() or ("N" if numeric else "NAME"),
        help=f"{setting.help} [{bounds}default {format_value(setting.default)}]",
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise RecipeError(f"{path} cannot be read: {reason}; give a file that holds a recipe as JSON") from None
