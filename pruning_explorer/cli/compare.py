"""Recipes side by side: what the Compare page does, in a terminal."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pruning_explorer.cli.own_scores import read_own_scores
from pruning_explorer.cli.recipe_flags import add_choices, add_subject, judged_on, read_text, recipe_of
from pruning_explorer.cli.stderr import complain, mention
from pruning_explorer.errors import PruningExplorerError, RecipeError

if TYPE_CHECKING:
    from pruning_explorer.lab.comparison import Comparison
    from pruning_explorer.prune.recipe import Recipe

FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class Asked:
    """One recipe of a command line.

    Attributes:
        recipe: None where it is none.
        problem: why, then.
    """

    name: str
    recipe: "Recipe | None"
    problem: str | None = None


def add_compare_flags(parser: argparse.ArgumentParser) -> None:
    """The subject, the recipes, and where the comparison goes."""
    add_subject(parser)
    parser.add_argument(
        "--recipe",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help=f"a recipe as JSON, {FEWEST} to {MOST} of them; it is named after its file",
    )
    parser.add_argument(
        "--amounts",
        metavar="FRACTION,...",
        help="of the curves; without it twenty, those that compress 2, 4, 8, 16 and 32 times among them",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="write the comparison as one page with live charts, to open offline"
    )
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="write the table, and beside it the curves as FILE-curves.csv"
    )
    add_choices(parser)


def run_compare(options: argparse.Namespace) -> str:
    """Measure the recipes side by side; a recipe with a problem is named on stderr, and the others go on.

    Raises:
        PruningExplorerError: a flag or a file makes no sense, or no recipe could be measured.
    """
    if not FEWEST <= len(options.recipe) <= MOST:
        raise RecipeError(
            f"compare takes {FEWEST} to {MOST} recipes, one --recipe FILE for each; there {_are(len(options.recipe))}"
        )
    for path in (options.html, options.csv):
        _check_place(path)
    amounts = read_amounts(options.amounts)
    asked = read_recipes(options.recipe, read_own_scores(options.scores))
    from pruning_explorer import Entry, compare
    from pruning_explorer.cli.comparison_json import write_json
    from pruning_explorer.cli.comparison_text import write_comparison
    from pruning_explorer.lab.workers import tune_process
    from pruning_explorer.sources.words import Loader

    load = Loader(options.subject, **judged_on(options))
    subject = load(options.subject)
    entries = [Entry(each.name, each.recipe) for each in asked if each.recipe is not None]
    if not entries:
        raise RecipeError("no recipe is left to compare")
    tune_process()
    comparison = compare(subject, entries, amounts, load=load)
    for entry, problem in zip(entries, comparison.problems, strict=True):
        if problem is not None:
            complain(f"{entry.name}: {problem}")
    if not any(comparison.reports):
        raise RecipeError(f"no recipe could be measured on {subject.name}")
    _write_files(comparison, options.html, options.csv)
    unread = {each.name: each.problem for each in asked if each.problem is not None}
    return (write_json if options.json else write_comparison)(comparison, unread)


def read_amounts(text: str | None) -> list[float] | None:
    """``"0.5,0.75"`` as fractions; None for None.

    Raises:
        RecipeError: there is none, or one is no fraction in [0, 1].
    """
    from pruning_explorer.prune.recipe_settings import SETTINGS, check_amount

    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise RecipeError("--amounts names no amount; write it as 0.5,0.75,0.875, or leave it out")
    return [check_amount(SETTINGS["amount"].parse(part)) for part in parts]


def read_recipes(paths: Sequence[Path], files: Sequence[str]) -> list[Asked]:
    """The recipes in files; one that is no recipe is named on stderr.

    Args:
        files: ids of scores of one's own, for recipes that name none.

    Raises:
        RecipeError: a file cannot be read.
    """
    asked = []
    for name, text in zip(unique_names(paths), [read_text(path) for path in paths], strict=True):
        try:
            asked.append(Asked(name, recipe_of(text, files)))
        except PruningExplorerError as error:
            complain(f"{name}: {error}")
            asked.append(Asked(name, None, str(error)))
    return asked


def unique_names(paths: Sequence[Path]) -> list[str]:
    """Files' names without their endings; a name that was there before gets a number.

    >>> unique_names([Path("a/wanda.json"), Path("b/wanda.json")])
    ['wanda', 'wanda (2)']
    """
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 1
        while name in names:
            number += 1
            name = f"{path.stem} ({number})"
        names.append(name)
    return names


def curves_beside(path: Path) -> Path:
    """Where the curves go.

    >>> curves_beside(Path("out/digits.csv")).as_posix()
    'out/digits-curves.csv'
    """
    return path.with_name(f"{path.stem}-curves{path.suffix}")


def _write_files(comparison: "Comparison", html: Path | None, csv: Path | None) -> None:
    if csv is not None:
        from pruning_explorer.exports.csv_table import write_csv
        from pruning_explorer.figures.comparison_table import table_frame
        from pruning_explorer.figures.recipe_names import with_labels

        _write(csv, write_csv(table_frame(comparison.table)))
        if len(comparison.curves):
            _write(curves_beside(csv), write_csv(with_labels(comparison.curves, comparison.names)))
    if html is not None:
        from pruning_explorer.comparison_file import comparison_html

        _write(html, comparison_html(comparison))


def _check_place(path: Path | None) -> None:
    # Before anything is measured, which takes a while
    if path is not None and (not path.parent.is_dir() or path.is_dir()):
        reason = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise RecipeError(f"{path} cannot be written: {reason}; name a file in a folder that exists")


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise RecipeError(f"{path} cannot be written: {error.strerror}; name another file") from None
    mention(f"{path} was written")


def _are(count: int) -> str:
    return {0: "are none", 1: "is one"}.get(count, f"are {count}")
