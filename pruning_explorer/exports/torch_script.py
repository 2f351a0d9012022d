"""Write a recipe as a short, plain ``torch.nn.utils.prune`` script.

A network's name, and the names in it, come from strangers' files: wherever they stand in a script they are written by
``repr``, in its comments too, so that they stay words.
"""

from collections.abc import Mapping, Sequence

import torch

from pruning_explorer.prune.criteria import drawn_dtype, seed_of
from pruning_explorer.prune.engine import Ranked, rank_targets
from pruning_explorer.prune.experts import grouping_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.prune.ties import Ties, ties_at_cut
from pruning_explorer.prune.torch_names import across_layers, layer_function, what_torch_lacks
from pruning_explorer.prune.uncalled import readers_of

Row = tuple[str | int | float, ...]


def write_script(subject: Subject, recipe: Recipe) -> str:
    """A script that prunes ``model`` as ``recipe`` does: by the library alone where it has such a method.

    Run it, and each module's ``weight_mask`` is the mask that :func:`~pruning_explorer.compute_masks` gives, bit for
    bit, unless equal scores meet at the cut: then just as many go, and which of the equals is open in torch. The
    script says how many meet. What it leaves can be trained.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`~pruning_explorer.prune.engine.rank_targets`.
    """
    ranked = rank_targets(subject, recipe)
    names = (name for target in ranked.targets for name in (target.name, *target.aliases))
    # What is pruned is the network itself, unless its library brings the masks to it afterwards
    readers = {} if subject.finishing else readers_of(subject, (name.rpartition(".")[0] for name in names))
    lacking = what_torch_lacks(recipe) or _lacking_for_experts(ranked)
    parts = [_header(subject, recipe, bool(readers), bool(lacking))]
    if lacking:
        parts.append(_mask_part(subject, recipe, lacking))
    else:
        alone = [i for i, competes in enumerate(ranked.joint) if not competes]
        together = [i for i, competes in enumerate(ranked.joint) if competes]
        parts.extend(_ties_part(ranked, alone, together))
        if together:
            parts.append(_joint_part(ranked, together))
        if alone:
            parts.append(_alone_part(ranked, alone))
    parts.extend(_tied_part(ranked.targets))
    if subject.finishing:
        parts.append(subject.finishing)
    elif subject.ties_unknown and any(target.role == "embedding" or "head" in target.name for target in ranked.targets):
        parts.append(_TIES_UNKNOWN)
    if readers:
        parts.append(_readers_part(readers))
    if recipe.recalibrate:
        parts.append(_recalibration_part(subject))
    parts.append(
        "# Each module now has weight_orig and weight_mask; prune.remove(module, name) makes its zeros permanent."
    )
    return "\n\n".join(parts) + "\n"


def _lacking_for_experts(ranked: Ranked) -> str:
    """What torch has not for groups within each expert: it would cut one place of all of them together."""
    apart = any(grouping_of(ranked.granularity, each) is not ranked.granularity for each in ranked.targets)
    return f"function for {ranked.granularity.unit} of each expert by itself" if apart else ""


def _header(subject: Subject, recipe: Recipe, has_readers: bool, by_masks: bool) -> str:
    # Strangers' words stay out of the first two lines, where a comment can declare another encoding of the source
    needs_torch = recipe.recalibrate or (recipe.criterion.draws and not by_masks)
    imports = [*(["from functools import partial"] * has_readers), *(["import torch"] * needs_torch)]
    return "\n".join(
        (
            f"# Pruning Explorer, recipe {recipe.id}",
            *imports,
            "from torch.nn.utils import prune",
            "",
            _remark(f"{subject.name}: {recipe.criterion} x {recipe.granularity} x {recipe.scope}"),
            subject.loading,
        )
    )


def _mask_part(subject: Subject, recipe: Recipe, lacking: str) -> str:
    """The lines for a recipe that torch has no method for: our masks, applied by torch."""
    criterion = recipe.criterion
    made = _made_by(subject)
    imported = "Recipe, compute_masks" if made else "Recipe, Subject, compute_masks"
    if made and made == subject.reopening:
        imported += ", load_subject"
    lines = [
        f"# torch has no {lacking}:",
        "# pruning_explorer makes the masks, and torch puts them on",
        f"from pruning_explorer import {imported}",
    ]
    if file := criterion.values.get("file"):
        lines += [
            "from pathlib import Path",
            "from pruning_explorer.prune.own_scores import add",
            "from pruning_explorer.sources.score_files import read_scores",
            "",
            "path = Path('scores.safetensors')  # your file, known by an id made of its content",
            f"assert add(read_scores(path.name, path.read_bytes())) == {file!r}",
        ]
    if made:
        bound = made
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
            f"recipe = Recipe({', '.join(f'{key}={value!r}' for key, value in content.items())})",
            "for target, mask in compute_masks(subject, recipe).items():",
            "    path, _, name = target.rpartition('.')",
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
    made = _made_by(subject)
    first = f"calibration = {made}.calibration" if made else f"# {_CALIBRATION}"
    return f"# BatchNorm's running mean and variance, measured again under the masks\n{first}\n{_RECALIBRATION}"


def _made_by(subject: Subject) -> str | None:
    """The expression that makes the whole subject and not its network alone, where there is one."""
    if subject.about_calibration:  # what it makes has other calibration inputs, or none
        return None
    if subject.reopening:
        return subject.reopening
    last = subject.loading.rpartition("\n")[2]
    if last.startswith("model = ") and last.endswith(").copy_model()"):
        return last.removeprefix("model = ").removesuffix(".copy_model()")
    return None


def _ties_part(ranked: Ranked, alone: Sequence[int], together: Sequence[int]) -> list[str]:
    removed = ranked.removed_at([ranked.recipe.amount])[0].tolist()
    whole = [together] if together and _is_one_call(ranked, together) else [[i] for i in together]
    ties = Ties(0, 0)
    for cut in (*whole, *([i] for i in alone)):
        ties += ties_at_cut([ranked.rankings[i] for i in cut], [removed[i] for i in cut])
    if not ties.meeting:
        return []
    return [
        f"# {ties.meeting:,} {ranked.granularity.unit} of equal score meet at the cut, and {ties.removed:,} of them "
        f"{'goes' if ties.removed == 1 else 'go'}: torch may choose others than the page does"
    ]


def _is_one_call(ranked: Ranked, indices: Sequence[int]) -> bool:
    """Whether one call of ``global_unstructured`` cuts all of these."""
    removed = ranked.removed_at([ranked.recipe.amount])[0]
    capped = ranked.recipe.cap < 1 and any(removed[i] == ranked.limits[i] for i in indices)
    return across_layers(ranked.recipe) is not None and not capped


def _joint_part(ranked: Ranked, indices: Sequence[int]) -> str:
    recipe, targets = ranked.recipe, [ranked.targets[i] for i in indices]
    if _is_one_call(ranked, indices):
        rows = "".join(f"    (model.get_submodule({path!r}), {leaf!r}),\n" for path, leaf in map(_address, targets))
        seed = f"torch.manual_seed({recipe.seed})\n" if recipe.criterion.draws else ""
        return (
            f"parameters = [\n{rows}]\n{seed}"
            f"prune.global_unstructured(parameters, pruning_method={across_layers(recipe)}, amount={recipe.amount!r})"
        )
    removed = ranked.removed_at([recipe.amount])[0]
    note = f"# One ranking over all layers; so many {ranked.granularity.unit} of each are below its cut"
    rows = _rows([(*_address(target), int(removed[i])) for target, i in zip(targets, indices, strict=True)])
    if not recipe.criterion.draws:
        return f"{note}\n{rows}\nfor path, name, count in layers:\n    {_call(recipe, 'count')}"
    return f"{note}\n{rows}\n{_joint_draws(ranked, targets)}"


def _joint_draws(ranked: Ranked, targets: Sequence[Target]) -> str:
    recipe = ranked.recipe
    dtype = drawn_dtype(targets)
    widened = "" if dtype == torch.float64 else ".float()"
    lines = [
        f"torch.manual_seed({recipe.seed})",
        "for path, name, count in layers:",
        "    module = model.get_submodule(path)",
        "    weight = getattr(module, name)",
    ]
    if across_layers(recipe) is None:  # whole channels
        dim = recipe.granularity.values["dim"]
        lines += [
            f"    draws = torch.rand(weight.shape[{dim}])",
            "    shape = [1] * weight.dim()",
            f"    shape[{dim}] = -1",
            "    scores = draws.view(shape).expand_as(weight)",
            f"    prune.ln_structured(module, name, amount=count, n=float('inf'), dim={dim}, importance_scores=scores)",
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
    draws = recipe.criterion.draws
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
    name, settings = layer_function(recipe)
    return f"prune.{name}({', '.join(('model.get_submodule(path)', 'name', f'amount={amount}', *settings))})"


def _tied_part(targets: Sequence[Target]) -> list[str]:
    parts = []
    for target in targets:
        for alias in target.aliases:
            path, _, leaf = alias.rpartition(".")
            mask = f"model.get_buffer({f'{target.name}_mask'!r})"
            parts.append(
                f"{_remark(f'{alias} is the same tensor as {target.name}')}\n"
                f"prune.custom_from_mask(model.get_submodule({path!r}), {leaf!r}, {mask})"
            )
    return parts


_TIES_UNKNOWN = """\
# What the network ties to these weights, as a head to its embedding, gets the same mask
masks = {
    id(getattr(module, name.replace('_mask', '_orig'))): mask
    for module in model.modules()
    for name, mask in module.named_buffers(recurse=False)
    if name.endswith('_mask') and hasattr(module, name.replace('_mask', '_orig'))
}
for module in list(model.modules()):
    for name, weight in list(module.named_parameters(recurse=False)):
        if id(weight) in masks and not name.endswith('_orig'):
            prune.custom_from_mask(module, name, masks[id(weight)])"""

_READERS = """\
# These layers are read and never called (MultiheadAttention does so with out_proj), so the hook by which prune.* masks
# a weight anew never runs, and the second step of training would fail: here their reader runs it before each call.
def mask_layer(reader, inputs, name):
    layer = reader.get_submodule(name)
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, prune.BasePruningMethod):
            hook(layer, inputs)
"""


def _readers_part(readers: Mapping[str, str]) -> str:
    rows = "".join(f"    ({reader!r}, {_within(reader, path)!r}),\n" for path, reader in readers.items())
    return (
        f"{_READERS}\nfor path, name in [\n{rows}]:\n"
        "    model.get_submodule(path).register_forward_pre_hook(partial(mask_layer, name=name))"
    )


def _within(reader: str, path: str) -> str:
    return path.removeprefix(f"{reader}.") if reader else path


def _remark(text: str) -> str:
    """A comment of one line, whatever the words in it are."""
    return f"# {repr(text)[1:-1]}"


def _rows(rows: Sequence[Row]) -> str:
    return "layers = [\n" + "".join(f"    ({', '.join(map(repr, row))}),\n" for row in rows) + "]"


def _address(target: Target) -> tuple[str, str]:
    return target.module, target.name.rpartition(".")[2]
