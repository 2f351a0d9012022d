"""Save a pruned network: what the pages' Save does, in a terminal."""

import argparse
from pathlib import Path

from pruning_explorer.cli.recipe_flags import add_recipe_flags, judged_on, read_recipe
from pruning_explorer.cli.report import recipe_line
from pruning_explorer.cli.stderr import mention

CACHE = 64 << 20
"""Most bytes of rankings kept at once; little, since an export asks for each layer once."""


def add_export_flags(parser: argparse.ArgumentParser) -> None:
    """The subject, the recipe, what to save and where."""
    from pruning_explorer.exports.contents import WHATS

    add_recipe_flags(parser)
    parser.add_argument(
        "--as",
        dest="what",
        choices=list(WHATS),
        default="weights",
        help="; ".join(f"{name}: {text}" for name, text in WHATS.items()) + " [default weights]",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="where to; it ends in .safetensors, or .pt for torch"
    )
    parser.add_argument("--overwrite", action="store_true", help="write FILE even if it is there already")


def run_export(options: argparse.Namespace) -> str:
    """Write the file; how large it is is said first, and how to load it at last.

    Raises:
        PruningExplorerError: a flag makes no sense, or the file cannot be written.
    """
    recipe = read_recipe(options)
    from pruning_explorer import load_subject
    from pruning_explorer.exports.saving import AlreadyThereError, Export, check_place
    from pruning_explorer.figures.numbers import memory
    from pruning_explorer.prune.cache import set_cache_limit

    path: Path = options.out
    try:
        check_place(path, options.overwrite)
    except AlreadyThereError:
        raise AlreadyThereError(path, "write --overwrite") from None
    subject = load_subject(options.subject, **judged_on(options))
    set_cache_limit(CACHE)
    wanted = Export(subject, recipe, options.what, path.suffix)
    mention(f"{path} will take {memory(wanted.nbytes)}")
    saved = wanted.save(path, overwrite=options.overwrite)
    return "\n".join(
        [
            f"{path}: {saved.nbytes:,} bytes, {saved.tensors} tensors ({saved.what}) of {subject.name},"
            f" {recipe_line(recipe)}.",
            f"{saved.library} opened it again: every bit is as computed. In plain torch:",
            "",
            saved.loading,
        ]
    )
