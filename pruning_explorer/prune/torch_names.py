"""The name of a recipe in ``torch.nn.utils.prune``, where it has one."""

from pruning_explorer.prune.recipe import Recipe


def torch_name(recipe: Recipe) -> str:
    """The name of this criterion, granularity and scope in ``torch.nn.utils.prune``; else what torch lacks.

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
    if (method := across_layers(recipe)) is not None:
        return f"prune.global_unstructured(pruning_method={method})"
    return f"{call} on each layer; torch itself ranks no channels across layers"


def what_torch_lacks(recipe: Recipe) -> str:
    """``"criterion wanda and no scope row"``; empty where a built-in makes the masks."""
    lacking = [
        *([] if recipe.criterion.of_torch else [f"criterion {recipe.criterion.name}"]),
        *([] if recipe.granularity.torch else [f"granularity {recipe.granularity.name}"]),
        *(["scope row"] if recipe.scope == "row" else []),
        *([] if recipe.nested else [f"schedule {recipe.schedule.name}"]),
    ]
    return " and no ".join(lacking)


def layer_function(recipe: Recipe) -> tuple[str, tuple[str, ...]]:
    """The library's function for one layer, ``"ln_structured"``, and its settings as code, ``("n=2", "dim=0")``."""
    drawn, granularity = recipe.criterion.draws, recipe.granularity
    assert granularity.torch is not None, "what torch has none for is made by our own masks"
    name = granularity.torch.drawn if drawn else granularity.torch.ranked
    return name, granularity.torch.arguments(granularity.values, drawn)


def across_layers(recipe: Recipe) -> str | None:
    """The method that ``global_unstructured`` takes for it, ``"prune.L1Unstructured"``; None where there is none."""
    if recipe.granularity.torch is None or not recipe.granularity.torch.across_layers:
        return None
    return "prune.RandomUnstructured" if recipe.criterion.draws else "prune.L1Unstructured"
