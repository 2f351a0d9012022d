"""What a recipe is called, in a few words that tell it from others."""

from pruning_explorer.prune.criteria import find_criterion
from pruning_explorer.prune.granularities import granularity_settings
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import format_value


def title_of(recipe: Recipe) -> str:
    """Criterion, and whatever differs from the plainest recipe; the amount and the layers play no part in it.

    >>> title_of(Recipe(scope="global")), title_of(Recipe(criterion="random", granularity="channel:dim=1"))
    ('Magnitude, global', 'Random, channels of dim 1, seed 0')
    """
    scopes = {"layer": "", "row": "per row", "global": "global"}
    allocations = {"each": "", "uniform": "exact total", "erk": "ERK"}
    parts = [
        find_criterion(recipe.criterion).title,
        _grouping(recipe.granularity),
        scopes[recipe.scope],
        allocations[recipe.allocation],
        _steps(recipe.schedule),
        "recalibrated" if recipe.recalibrate else "",
        f"seed {recipe.seed}" if find_criterion(recipe.criterion).draws else "",
    ]
    return ", ".join(part for part in parts if part)


def _grouping(granularity: str) -> str:
    name, settings = granularity_settings(granularity)
    values = {key: format_value(value) for key, value in settings.items()}
    match name:
        case "element":
            return ""
        case "channel":
            return "channels" if values["dim"] == "0" else f"channels of dim {values['dim']}"
        case "n_m":
            return f"{values['n']}:{values['m']}"
        case "block":
            return f"{values['rows']}×{values['cols']} blocks"
        case _:
            return granularity


def _steps(schedule: str) -> str:
    name, _, settings = schedule.partition(":steps=")
    return "" if name == "one-shot" else f"{name} in {settings} steps"
