"""A short title of a recipe."""

from pruning_explorer.prune.recipe import Recipe


def title_of(recipe: Recipe) -> str:
    """Criterion, and whatever differs from the plainest recipe; the amount and the layers play no part in it.

    >>> title_of(Recipe(scope="global")), title_of(Recipe(criterion="random", granularity="channel:dim=1"))
    ('Magnitude, global', 'Random, channels of dim 1, seed 0')
    """
    scopes = {"layer": "", "row": "per row", "global": "global"}
    allocations = {"each": "", "uniform": "exact total", "erk": "ERK"}
    granularity, schedule = recipe.granularity, recipe.schedule
    parts = [
        recipe.criterion.title,
        str(granularity) if granularity.in_title is None else granularity.in_title(granularity.values),
        scopes[recipe.scope],
        allocations[recipe.allocation],
        f"{schedule.name} in {schedule.steps} steps" if schedule.settings else "",
        "recalibrated" if recipe.recalibrate else "",
        f"seed {recipe.seed}" if recipe.criterion.draws else "",
    ]
    return ", ".join(part for part in parts if part)
