"""Checks that look at masks, and at what torch leaves on a layer."""

from dataclasses import replace

import numpy as np
from torch.nn.utils import prune

from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.lessons.mistakes.finding import Finding, only_target, torch_lines
from pruning_explorer.lessons.panels import Matrix, Table
from pruning_explorer.lessons.scenes.again_and_again import call_again
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


def count_by_neuron(subject: Subject, recipe: Recipe) -> Finding:
    """Weights removed of each row, ranked over the matrix and row by row."""
    mask, alike = (
        compute_masks(subject, each)[only_target(recipe)].numpy() for each in (recipe, replace(recipe, scope="row"))
    )
    by_row, by_row_alike = (~mask).sum(axis=1).tolist(), (~alike).sum(axis=1).tolist()
    rows = [(f"out {i}", count(by_row[i]), count(by_row_alike[i])) for i in range(len(mask))]
    return Finding(
        (
            _mask_panel(subject, recipe),
            Table("Removed of each neuron", ("Neuron", "by torch", "20 % of each"), (tuple(rows),)),
            torch_lines(
                f'prune.l1_unstructured(model.fc1, "weight", amount={recipe.amount})',
                f"(model.fc1.weight_mask == 0).sum(dim=1).tolist()  # {by_row}",
            ),
        ),
        {
            "removed": count(sum(by_row)),
            "weights": count(mask.size),
            "by_row": ", ".join(map(count, by_row)),
        },
    )


def list_functions(subject: Subject, recipe: Recipe) -> Finding:
    """What ``torch.nn.utils.prune`` really has, and what of each layer goes by two things that people call uniform."""
    own = [
        name
        for name, value in vars(prune).items()
        if callable(value) and getattr(value, "__module__", "") == prune.__name__ and name.islower() and name[0] != "_"
    ]
    called_so = [name for name in dir(prune) if "uniform" in name.lower()]
    ways = [recipe, replace(recipe, criterion="magnitude"), replace(recipe, criterion="magnitude", scope="global")]
    masks = [compute_masks(subject, each) for each in ways]
    rows = [(name, *(percent(1 - each.kept(name) / each[name].numel()) for each in masks)) for name in masks[0]]
    return Finding(
        (
            Table("Functions of torch.nn.utils.prune", ("name",), (tuple((name,) for name in sorted(own)),)),
            Table(
                "Removed of each layer",
                ("Layer", "random, each layer", "smallest, each layer", "smallest, all together"),
                (tuple(rows),),
            ),
            torch_lines(f'[name for name in dir(prune) if "uniform" in name.lower()]  # {called_so}'),
        ),
        {"functions": count(len(own)), "called_uniform": count(len(called_so)), "requested": percent(recipe.amount)},
    )


def halve_twice(subject: Subject, recipe: Recipe) -> Finding:
    """What each of two calls with 0.5 finds and removes."""
    target = subject.target(only_target(recipe))
    gone = [look.removed for look in call_again(subject, target, "0.5", 2)]
    left = [target.numel - each for each in gone]
    rows = [
        (name, count(left[call]), count(gone[call + 1] - gone[call]), count(left[call + 1]))
        for call, name in enumerate(("first", "second"))
    ]
    call = 'prune.l1_unstructured(model.fc1, "weight", amount=0.5)'
    return Finding(
        (
            Table("50 % twice", ("Call", "finds", "removes", "leaves"), (tuple(rows),)),
            torch_lines(call, call, f"int((model.fc1.weight_mask == 0).sum())  # {gone[2]}"),
        ),
        {
            "weights": count(target.numel),
            "first": count(gone[1]),
            "second": count(gone[2] - gone[1]),
            "both": count(gone[2]),
            "sparsity": percent(gone[2] / target.numel),
        },
    )


def one_and_one(subject: Subject, recipe: Recipe) -> Finding:
    """What torch makes of an amount of 1 and of 1.0."""
    target = subject.target(only_target(recipe))
    one, everything = (call_again(subject, target, amount, 1)[1].removed for amount in ("1", "1.0"))
    rows = (
        ("amount=1", "int: a number of weights", count(one)),
        ("amount=1.0", "float: a fraction", count(everything)),
    )
    return Finding(
        (
            Table(f"Removed of {target.numel} weights", ("Written", "Read as", "Removed"), (rows,)),
            torch_lines(
                'prune.l1_unstructured(model.fc1, "weight", amount=1)',
                f"int((model.fc1.weight_mask == 0).sum())  # {one}",
            ),
        ),
        {"weights": count(target.numel), "one": count(one), "all": count(everything)},
    )


def remove_mask(subject: Subject, recipe: Recipe) -> Finding:
    """What is left on a layer after ``prune.remove``."""
    target, masks = subject.target(only_target(recipe)), compute_masks(subject, recipe)
    model = subject.copy_model()
    masks.apply(model)
    layer = model.get_submodule(target.module)
    prune.remove(layer, "weight")
    zeros, kept_orig = int((layer.get_parameter("weight") == 0).sum()), hasattr(layer, "weight_orig")
    return Finding(
        (
            _mask_panel(subject, recipe, "fc1.weight after prune.remove", "zeroed"),
            torch_lines(
                f'prune.l1_unstructured(model.fc1, "weight", amount={recipe.amount})',
                'layer = prune.remove(model.fc1, "weight")',
                f"int((model.fc1.weight == 0).sum())  # {zeros}",
                f'hasattr(model.fc1, "weight_orig")  # {kept_orig}',
            ),
        ),
        {"weights": count(target.numel), "zeros": count(zeros), "orig": "still" if kept_orig else "no longer"},
    )


def load_pruned(subject: Subject, recipe: Recipe) -> Finding:
    """Which names of a pruned network's ``state_dict`` a fresh network does not know."""
    model, fresh = subject.copy_model(), subject.copy_model()
    compute_masks(subject, recipe).apply(model)
    missing, unexpected = fresh.load_state_dict(model.state_dict(), strict=False)
    rows = [(name, "only in the network") for name in missing] + [(name, "only in the file") for name in unexpected]
    return Finding(
        (
            Table("Names that do not match", ("Name", "Found"), (tuple(rows),)),
            torch_lines(
                "import copy",
                "fresh = copy.deepcopy(model)",
                f'layer = prune.l1_unstructured(model.fc1, "weight", amount={recipe.amount})',
                f"fresh.load_state_dict(model.state_dict(), strict=False).missing_keys  # {list(missing)}",
            ),
        ),
        {"missing": ", ".join(f"`{name}`" for name in missing), "extra": ", ".join(f"`{name}`" for name in unexpected)},
    )


def _mask_panel(subject: Subject, recipe: Recipe, title: str = "fc1.weight_mask", look: str = "mask") -> Matrix:
    name = only_target(recipe)
    mask = compute_masks(subject, recipe)[name].numpy()
    return Matrix(
        title,
        subject.weight(name).numpy(),
        mask.astype(np.int64),
        "zeroed" if look == "zeroed" else "mask",
        row_names=tuple(f"out {i}" for i in range(len(mask))),
        column_names=tuple(f"in {i}" for i in range(mask.shape[1])),
    )
