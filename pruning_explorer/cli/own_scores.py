"""Scores or masks of one's own, for the criteria that take a file."""

from collections.abc import Sequence
from pathlib import Path

from pruning_explorer.cli.stderr import mention
from pruning_explorer.errors import RecipeError, ScoreError


def read_own_scores(paths: Sequence[Path]) -> list[str]:
    """Read files of scores or masks, and say how a recipe names each.

    Returns:
        What the recipe writes after ``scores:file=``, for each file.

    Raises:
        PruningExplorerError: a file cannot be read, or holds no scores.
    """
    if not paths:
        return []
    from pruning_explorer.prune import own_scores
    from pruning_explorer.sources.score_files import read_scores

    ids = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ScoreError(f"{path} cannot be read: {error.strerror}; give a .safetensors or .npz file") from None
        ids.append(own_scores.add(read_scores(path.name, content)))
        mention(f"{path}: a recipe names it scores:file={ids[-1]} or mask:file={ids[-1]}")
    return ids


def name_file(criterion: str, files: Sequence[str]) -> str:
    """``"scores"`` without a file means the one that was read.

    Args:
        files: ids of those that were read.

    Raises:
        RecipeError: there are several.
    """
    from pruning_explorer.prune.criteria import CRITERIA

    try:
        known = CRITERIA.read(criterion)
    except RecipeError:
        return criterion  # the recipe says what is wrong with it
    if not files or known.values.get("file") != "":
        return criterion
    if len(files) > 1:
        choices = " or ".join(f"{known.name}:file={each}" for each in files)
        raise RecipeError(f"criterion {known.name} could mean any of {len(files)} files; write {choices}")
    return f"{known.name}:file={files[0]}"
