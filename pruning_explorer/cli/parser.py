"""The commands and their flags."""

import argparse
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from pruning_explorer.cli.commands import run_code, run_report, run_subjects
from pruning_explorer.cli.compare import add_compare_flags, run_compare
from pruning_explorer.cli.export import add_export_flags, run_export
from pruning_explorer.cli.recipe_flags import add_recipe_flags, add_subject
from pruning_explorer.cli.stderr import NAME

OPEN = "open"
OPEN_HELP = "open the app in a browser, which is also what happens without a command; --subject brings your own network"
COMMANDS: Final[dict[str, tuple[Callable[[argparse.Namespace], str], str]]] = {
    "report": (run_report, "prune a subject and print what the Explore page shows"),
    "compare": (run_compare, "set recipes side by side, as the Compare page does"),
    "code": (run_code, "print a recipe as a plain torch.nn.utils.prune script"),
    "export": (run_export, "save the pruned network, or its masks, as a file"),
    "subjects": (run_subjects, "list the sample networks, or the layers of one network"),
}
WITH_RECIPES = {"report", "code", "compare", "export"}


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
    # Its flags are the app's and the server's own: they go on unread
    commands.add_parser(OPEN, help=OPEN_HELP, add_help=False)
    parsers = []
    for name, (run, help) in COMMANDS.items():
        parsers.append(commands.add_parser(name, help=help, allow_abbrev=False))
        parsers[-1].set_defaults(run=run)
    report, compare, code, export, subjects = parsers
    add_subject(subjects, required=False)
    if WITH_RECIPES & set(arguments):
        add_recipe_flags(report)
        report.add_argument("--json", action="store_true", help="print the report as JSON")
        report.add_argument(
            "--within",
            metavar="POINTS",
            help="find the largest amount that costs at most so many points of quality (percent of the samples; where "
            "nothing judges them, percent of answers that flip), and report on that",
        )
        add_recipe_flags(code)
        add_compare_flags(compare)
        add_export_flags(export)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")
