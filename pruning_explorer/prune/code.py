"""Write a recipe as a short, plain ``torch.nn.utils.prune`` script."""

from collections.abc import Sequence

from pruning_explorer.prune.criteria import drawn_dtype, seed_of
from pruning_explorer.prune.engine import Ranked, rank_targets
from pruning_explorer.prune.granularities import Channel, parse_granularity
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

Row = tuple[str | int | float, ...]


def torch_name(recipe: Recipe) -> str:
    """What ``torch.nn.utils.prune`` calls this combination of criterion, granularity and scope.

    >>> torch_name(Recipe(granularity="channel:dim=0,n=1"))
    'prune.ln_structured(n=1, dim=0)'
    """
    call = _layer_call(recipe)
    if recipe.scope == "layer":
        return call
    if recipe.granularity == "element":
        method = "L1Unstructured" if recipe.criterion == "magnitude" else "RandomUnstructured"
        return f"prune.global_unstructured(pruning_method=prune.{method})"
    return f"{call} on each layer; torch itself ranks no channels across layers"


def write_script(subject: Subject, recipe: Recipe) -> str:
    """A script that prunes ``model`` as ``recipe`` does, by the library alone.

    Run it, and each module's ``weight_mask`` is the mask that :func:`~pruning_explorer.compute_masks` gives, up to
    which of several equal scores meet the cut.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`~pruning_explorer.prune.engine.rank_targets`.
    """
    ranked = rank_targets(subject, recipe)
    alone = [i for i, competes in enumerate(ranked.joint) if not competes]
    together = [i for i, competes in enumerate(ranked.joint) if competes]
    parts = [_header(subject, recipe)]
    if together:
        parts.append(_joint_part(ranked, together))
    if alone:
        parts.append(_alone_part(ranked, alone))
    parts.extend(_tied_part(ranked.targets))
    parts.append(
        "# Each module now has weight_orig and weight_mask; prune.remove(module, name) makes its zeros permanent."
    )
    return "\n\n".join(parts) + "\n"


def _header(subject: Subject, recipe: Recipe) -> str:
    imports = ["import torch"] if recipe.criterion == "random" else []
    imports.append("from torch.nn.utils import prune")
    what = f"# {subject.name}: {recipe.criterion} x {recipe.granularity} x {recipe.scope}, recipe {recipe.id}"
    return "\n".join((what, *imports)) + "\n\n" + subject.loading


def _layer_call(recipe: Recipe) -> str:
    """``prune.ln_structured(n=2, dim=0)``: the library's function for one layer, with its settings."""
    name, settings = _layer_function(recipe)
    return f"prune.{name}({', '.join(settings)})" if settings else f"prune.{name}"


def _layer_function(recipe: Recipe) -> tuple[str, list[str]]:
    granularity = parse_granularity(recipe.granularity)
    if isinstance(granularity, Channel):
        if recipe.criterion == "random":
            return "random_structured", [f"dim={granularity.dim}"]
        n = format_value(granularity.n)
        return "ln_structured", [f'n=float("{n}")' if "inf" in n else f"n={n}", f"dim={granularity.dim}"]
    return ("random_unstructured" if recipe.criterion == "random" else "l1_unstructured"), []


def _joint_part(ranked: Ranked, indices: Sequence[int]) -> str:
    recipe, targets = ranked.recipe, [ranked.targets[i] for i in indices]
    removed = ranked.removed_at([recipe.amount])[0]
    capped = recipe.cap < 1 and any(removed[i] == ranked.limits[i] for i in indices)
    if recipe.granularity == "element" and not capped:
        method = "RandomUnstructured" if recipe.criterion == "random" else "L1Unstructured"
        rows = "".join(f'    (model.get_submodule("{path}"), "{leaf}"),\n' for path, leaf in map(_address, targets))
        seed = f"torch.manual_seed({recipe.seed})\n" if recipe.criterion == "random" else ""
        return (
            f"parameters = [\n{rows}]\n{seed}"
            f"prune.global_unstructured(parameters, pruning_method=prune.{method}, amount={recipe.amount!r})"
        )
    note = f"# One ranking over all layers; so many {ranked.granularity.unit} of each are below its cut"
    rows = _rows([(*_address(target), int(removed[i])) for target, i in zip(targets, indices, strict=True)])
    if recipe.criterion != "random":
        return f"{note}\n{rows}\nfor path, name, count in layers:\n    {_call(recipe, 'count')}"
    return f"{note}\n{rows}\n{_joint_draws(ranked, targets)}"


def _joint_draws(ranked: Ranked, targets: Sequence[Target]) -> str:
    recipe, granularity = ranked.recipe, ranked.granularity
    lines = [
        f"torch.manual_seed({recipe.seed})",
        "for path, name, count in layers:",
        "    module = model.get_submodule(path)",
        "    weight = getattr(module, name)",
    ]
    if isinstance(granularity, Channel):
        lines += [
            f"    draws = torch.rand(weight.shape[{granularity.dim}])",
            "    shape = [1] * weight.dim()",
            f"    shape[{granularity.dim}] = -1",
            "    scores = draws.view(shape).expand_as(weight)",
            '    prune.ln_structured(module, name, amount=count, n=float("inf"), '
            f"dim={granularity.dim}, importance_scores=scores)",
        ]
    else:
        lines += [
            f"    scores = 1 - torch.rand(weight.shape, dtype={drawn_dtype(targets)}).float()",
            "    prune.l1_unstructured(module, name, amount=count, importance_scores=scores)",
        ]
    return "\n".join(lines)


def _alone_part(ranked: Ranked, indices: Sequence[int]) -> str:
    recipe = ranked.recipe
    amounts: list[float | int] = []
    for i in indices:
        own = recipe.amount_of(ranked.targets[i])
        amount = recipe.amount if own is None else own
        groups = ranked.rankings[i].groups
        most = int(ranked.limits[i])
        # A whole number counts weights, which is how a cap is met to the last one
        amounts.append(most if round(amount * groups) > most else amount)
    shared = len(set(map(repr, amounts))) == 1
    draws = recipe.criterion == "random"
    rows: list[Row] = [
        (
            *_address(ranked.targets[i]),
            *(() if shared else (amount,)),
            *((seed_of(ranked.targets[i], recipe.seed),) if draws else ()),
        )
        for i, amount in zip(indices, amounts, strict=True)
    ]
    names = ["path", "name", *([] if shared else ["amount"]), *(["seed"] if draws else [])]
    seeding = "    torch.manual_seed(seed)\n" if draws else ""
    call = _call(recipe, repr(amounts[0]) if shared else "amount")
    return f"{_rows(rows)}\nfor {', '.join(names)} in layers:\n{seeding}    {call}"


def _call(recipe: Recipe, amount: str) -> str:
    name, settings = _layer_function(recipe)
    return f"prune.{name}({', '.join(('model.get_submodule(path)', 'name', f'amount={amount}', *settings))})"


def _tied_part(targets: Sequence[Target]) -> list[str]:
    parts = []
    for target in targets:
        path, leaf = _address(target)
        for alias in target.aliases:
            other, _, name = alias.rpartition(".")
            mask = f'model.get_submodule("{path}").{leaf}_mask'
            parts.append(
                f"# {alias} is the same tensor as {target.name}\n"
                f'prune.custom_from_mask(model.get_submodule("{other}"), "{name}", {mask})'
            )
    return parts


def _rows(rows: Sequence[Row]) -> str:
    return "layers = [\n" + "".join(f"    ({', '.join(map(_literal, row))}),\n" for row in rows) + "]"


def _literal(value: str | int | float) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _address(target: Target) -> tuple[str, str]:
    return target.module, target.name.rpartition(".")[2]
