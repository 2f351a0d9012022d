"""A recipe from flags and from a file."""

import argparse
import contextlib
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning_explorer.cli.own_scores import name_file, read_own_scores
from pruning_explorer.cli.stderr import NAME
from pruning_explorer.errors import RecipeError

SUBJECT_HELP = (
    f"name of a sample (`{NAME} subjects` lists them); a checkpoint (.safetensors, its .index.json, .pt), and "
    "FILE#NETWORK for one of several in it; an exported "
    "program (.pt2); package.module:function; or timm:NAME, torchvision:NAME, hf:NAME"
)

if TYPE_CHECKING:
    from pruning_explorer.prune.recipe import Recipe
    from pruning_explorer.prune.settings import Setting


def add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting that a recipe declares, and those that name layers."""
    from pruning_explorer.prune.recipe_settings import SETTINGS

    add_subject(parser)
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
    add_choices(parser)


def add_subject(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """What every command on a network asks for: its words, and what it is judged on."""
    parser.add_argument("subject", metavar="SUBJECT", nargs=None if required else "?", help=SUBJECT_HELP)
    parser.add_argument(
        "--samples",
        metavar="FILE",
        type=Path,
        help="inputs to judge it on in place of its own: .npz, .csv, .txt, a folder of images or a .zip of one; "
        "FILE#PART for one of several parts in it, such as data.zip#train; else the held-out one",
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        type=Path,
        help="inputs that criteria may look at, in the same forms as --samples; those that are judged are left out",
    )
    parser.add_argument(
        "--calibration-share",
        metavar="FRACTION",
        type=float,
        help="keep this share of the samples apart for criteria to look at, and judge the others; 0.2 is 20 %%",
    )
    parser.add_argument(
        "--calibration-seed", metavar="SEED", type=int, default=0, help="which samples are kept apart [default 0]"
    )


def judged_on(options: argparse.Namespace) -> dict[str, Any]:
    """What a command line says of samples and calibration, as ``load_subject`` takes it."""
    names = ("samples", "calibration", "calibration_share", "calibration_seed")
    return {name: getattr(options, name) for name in names}


def add_choices(parser: argparse.ArgumentParser) -> None:
    """The flag for scores of one's own, and at the end of the help all that can be chosen."""
    from pruning_explorer.cli.choices import list_choices

    parser.add_argument(
        "--scores",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="read scores or masks by parameter name (.safetensors, .npz) and say how a recipe names them; the "
        "criteria scores and mask take them without a name, and a mask without an amount removes all that it removes",
    )
    parser.formatter_class = _Formatter
    parser.epilog = list_choices()


def read_recipe(options: argparse.Namespace) -> "Recipe":
    """The recipe that a command line asks for: its file, if any, with its flags on top.

    Raises:
        PruningExplorerError: a flag or a file cannot be read.
    """
    from pruning_explorer.prune.recipe import Recipe
    from pruning_explorer.prune.recipe_settings import SETTINGS, check_amount

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
    files = read_own_scores(options.scores)
    if "criterion" in given:
        given["criterion"] = name_file(given["criterion"], files)
        if given["criterion"].startswith("mask:") and options.recipe is None:
            given.setdefault("amount", 1.0)
    base = Recipe() if options.recipe is None else recipe_of(read_text(options.recipe), files)
    return Recipe.from_dict({**base.to_dict(), **given})


def read_within(options: argparse.Namespace) -> float | None:
    """How many points the amount that is looked for may cost; None where the amount is given.

    Raises:
        RecipeError: it is no number, or an amount is given as well.
    """
    if options.within is None:
        return None
    if options.amount is not None:
        raise RecipeError("--within looks for the amount; leave --amount out")
    try:
        return float(options.within)
    except ValueError:
        raise RecipeError(f"--within must be a number of points, not {options.within!r}; 1 is usual") from None


def recipe_of(text: str, files: Sequence[str]) -> "Recipe":
    """A recipe from JSON; ``files`` are as for :func:`name_file`.

    Raises:
        RecipeError: it is no JSON, or no recipe.
    """
    from pruning_explorer.prune.recipe import Recipe

    with contextlib.suppress(ValueError, RecursionError):  # what is no JSON the recipe refuses itself
        content = json.loads(text)
        if isinstance(content, dict) and isinstance(content.get("criterion"), str):
            return Recipe.from_dict({**content, "criterion": name_file(content["criterion"], files)})
    return Recipe.from_json(text)


def read_text(path: Path) -> str:
    """The text of a recipe's file.

    Raises:
        RecipeError: it cannot be read, or is no text.
    """
    from pruning_explorer.prune.recipe import LARGEST

    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LARGEST + 1)  # what is longer the recipe refuses itself
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise RecipeError(f"{path} cannot be read: {reason}; give a file that holds a recipe as JSON") from None


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)  # names are to be copied


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
