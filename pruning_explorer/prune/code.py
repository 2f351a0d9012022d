"""Write a recipe as a short, plain ``torch.nn.utils.prune`` script."""

from collections.abc import Sequence

import torch

from pruning_explorer.prune.criteria import drawn_dtype, parse_criterion, seed_of
from pruning_explorer.prune.engine import Ranked, rank_targets
from pruning_explorer.prune.granularities import Channel, parse_granularity
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

Row = tuple[str | int | float, ...]


def torch_name(recipe: Recipe) -> str:
    """What ``torch.nn.utils.prune`` calls this combination of criterion, granularity and scope; or that it has none.

    >>> torch_name(Recipe(granularity="channel:dim=0,n=1"))
    'prune.ln_structured(n=1, dim=0)'
    >>> torch_name(Recipe(granularity="n_m", scope="row"))
    'prune.custom_from_mask on each layer; torch itself has no granularity n_m and no scope row'
    """
    lacking = _what_torch_lacks(recipe)
    if lacking:
        return f"prune.custom_from_mask on each layer; torch itself has no {lacking}"
    call = _layer_call(recipe)
    if recipe.scope == "layer":
        shares = recipe.allocation != "each"
        return f"{call} on each layer; torch itself shares out no total among layers" if shares else call
    if recipe.granularity == "element":
        method = "L1Unstructured" if recipe.criterion == "magnitude" else "RandomUnstructured"
        return f"prune.global_unstructured(pruning_method=prune.{method})"
    return f"{call} on each layer; torch itself ranks no channels across layers"


def _what_torch_lacks(recipe: Recipe) -> str:
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


def write_script(subject: Subject, recipe: Recipe) -> str:
    """A script that prunes ``model`` as ``recipe`` does: by the library alone where it has such a method.

    Run it, and each module's ``weight_mask`` is the mask that :func:`~pruning_explorer.compute_masks` gives, up to
    which of several equal scores meet the cut.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`~pruning_explorer.prune.engine.rank_targets`.
    """
    ranked = rank_targets(subject, recipe)
    alone = [i for i, competes in enumerate(ranked.joint) if not competes]
    together = [i for i, competes in enumerate(ranked.joint) if competes]
    parts = [_header(subject, recipe)]
    if _what_torch_lacks(recipe):
        parts.append(_mask_part(subject, recipe))
    else:
        if together:
            parts.append(_joint_part(ranked, together))
        if alone:
            parts.append(_alone_part(ranked, alone))
    parts.extend(_tied_part(ranked.targets))
    if recipe.recalibrate:
        parts.append(_recalibration_part(subject))
    parts.append(
        "# Each module now has weight_orig and weight_mask; prune.remove(module, name) makes its zeros permanent."
    )
    return "\n\n".join(parts) + "\n"


def _header(subject: Subject, recipe: Recipe) -> str:
    needs_torch = recipe.recalibrate or (recipe.criterion == "random" and not _what_torch_lacks(recipe))
    imports = ["import torch"] if needs_torch else []
    imports.append("from torch.nn.utils import prune")
    what = f"# {subject.name}: {recipe.criterion} x {recipe.granularity} x {recipe.scope}, recipe {recipe.id}"
    return "\n".join((what, *imports)) + "\n\n" + subject.loading


def _mask_part(subject: Subject, recipe: Recipe) -> str:
    """Where torch has no such method: our masks, put on by torch."""
    criterion, settings = parse_criterion(recipe.criterion)
    lines = [
        f"# torch has no {_what_torch_lacks(recipe)}:",
        "# pruning_explorer makes the masks, and torch puts them on",
        "from pruning_explorer import Recipe, Subject, compute_masks",
    ]
    if settings.get("file"):
        lines += [
            "from pathlib import Path",
            "from pruning_explorer.prune.own_scores import add",
            "from pruning_explorer.sources.score_files import read_scores",
            "",
            'path = Path("scores.safetensors")  # your file, known by an id made of its content',
            f'assert add(read_scores(path.name, path.read_bytes())) == "{settings["file"]}"',
        ]
    if _is_sample(subject):
        lines[2] = "from pruning_explorer import Recipe, compute_masks"
        bound = f'load_subject("{subject.name}")'
    elif criterion.needs == "weights" and not recipe.recalibrate:
        bound = "Subject.from_module(model)"
    else:
        labels = ", calibration_labels=calibration_labels" if criterion.needs == "labels" else ""
        lines += ["", f"# {_CALIBRATION}{' and calibration_labels their labels' if labels else ''}"]
        bound = f"Subject.from_module(model, calibration=calibration{labels})"
    content = recipe.to_dict(defaults=False)
    return "\n".join(
        (
            *lines,
            "",
            f"subject = {bound}",
            f"recipe = Recipe({', '.join(f'{key}={_literal(value)}' for key, value in content.items())})",
            "for target, mask in compute_masks(subject, recipe).items():",
            '    path, _, name = target.rpartition(".")',
            "    prune.custom_from_mask(model.get_submodule(path), name, mask)",
        )
    )


_CALIBRATION = "`calibration` is a tuple of inputs of the training part, one for each positional input of forward"

_RECALIBRATION = """\
norms = [each for each in model.modules() if isinstance(each, torch.nn.modules.batchnorm._BatchNorm)]
norms = [norm for norm in norms if norm.track_running_stats]
momenta = [norm.momentum for norm in norms]
model.eval()
for norm in norms:
    norm.reset_running_stats()
    norm.momentum = None  # the plain average over all that it sees
    norm.train()
with torch.no_grad():
    model(*calibration)
for norm, momentum in zip(norms, momenta):
    norm.momentum = momentum
    norm.eval()"""


def _recalibration_part(subject: Subject) -> str:
    inputs = f'calibration = load_subject("{subject.name}").calibration'
    first = inputs if _is_sample(subject) else f"# {_CALIBRATION}"
    return f"# BatchNorm's running mean and variance, measured again under the masks\n{first}\n{_RECALIBRATION}"


def _is_sample(subject: Subject) -> bool:
    return "load_subject(" in subject.loading


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
    dtype = drawn_dtype(targets)
    widened = "" if dtype == torch.float64 else ".float()"
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
            f"    scores = 1 - torch.rand(weight.shape, dtype={dtype}){widened}",
            "    prune.l1_unstructured(module, name, amount=count, importance_scores=scores)",
        ]
    return "\n".join(lines)


def _alone_part(ranked: Ranked, indices: Sequence[int]) -> str:
    recipe = ranked.recipe
    removed = ranked.removed_at([recipe.amount])[0].tolist()
    amounts: list[float | int] = []
    for i in indices:
        own = recipe.amount_of(ranked.targets[i])
        if own is None and recipe.allocation != "each":
            amounts.append(removed[i])  # a whole number counts weights, or channels
            continue
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


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _address(target: Target) -> tuple[str, str]:
    return target.module, target.name.rpartition(".")[2]
