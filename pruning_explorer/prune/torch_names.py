"""What ``torch.nn.utils.prune`` calls a recipe, as far as it has a name for it."""

from pruning_explorer.prune.granularities import Channel, parse_granularity
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import format_value


def torch_name(recipe: Recipe) -> str:
    """What ``torch.nn.utils.prune`` calls this combination of criterion, granularity and scope; or that it has none.

    >>> torch_name(Recipe(granularity="channel:dim=0,n=1"))
    'prune.ln_structured(n=1, dim=0)'
    >>> torch_name(Recipe(granularity="n_m", scope="row"))
    'prune.custom_from_mask on each layer; torch itself has no granularity n_m and no scope row'
    """
    lacking = what_torch_lacks(recipe)
    if lacking:
        return f"prune.custom_from_mask on each layer; torch itself has no {lacking}"
    name, settings = layer_function(recipe)
    call = f"prune.{name}({', '.join(settings)})" if settings else f"prune.{name}"
    if recipe.scope == "layer":
        shares = recipe.allocation != "each"
        return f"{call} on each layer; torch itself shares out no total among layers" if shares else call
    if recipe.granularity == "element":
        method = "L1Unstructured" if recipe.criterion == "magnitude" else "RandomUnstructured"
        return f"prune.global_unstructured(pruning_method=prune.{method})"
    return f"{call} on each layer; torch itself ranks no channels across layers"


def what_torch_lacks(recipe: Recipe) -> str:
    """``"criterion wanda and no scope row"``; empty where a built-in makes the masks."""
    criterion, granularity, schedule = (
        text.partition(":")[0] for text in (recipe.criterion, recipe.granularity, recipe.schedule)
    )
    lacking = [
        *([f"criterion {criterion}"] if criterion not in ("magnitude", "random") else []),
        *([f"granularity {granularity}"] if granularity not in ("element", "channel") else []),
        *(["scope row"] if recipe.scope == "row" else []),
        *([f"schedule {schedule}"] if not recipe.nested else []),
    ]
    return " and no ".join(lacking)


def layer_function(recipe: Recipe) -> tuple[str, list[str]]:
    """The library's function for one layer, ``"ln_structured"``, and its settings as code, ``["n=2", "dim=0"]``."""
    granularity = parse_granularity(recipe.granularity)
    if isinstance(granularity, Channel):
        if recipe.criterion == "random":
            return "random_structured", [f"dim={granularity.dim}"]
        n = format_value(granularity.n)
        return "ln_structured", [f'n=float("{n}")' if "inf" in n else f"n={n}", f"dim={granularity.dim}"]
    return ("random_unstructured" if recipe.criterion == "random" else "l1_unstructured"), []
