"""``torch.nn.utils.prune`` called again and again on one layer, and steps against one shot."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.lessons.panels import Code, Figure, Figures, Matrix, Table, attribute_in_code
from pruning_explorer.lessons.scene import Knob, Scene, Slider, Stage, Values
from pruning_explorer.lessons.scenes.mask_by_hand import DIGITS
from pruning_explorer.lessons.small_matrix import first_matrix
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.sources.samples import load_sample

MOST = 5
CALLS = tuple(range(MOST + 1))
SLIDER = Slider(tuple(map(float, CALLS)), ("0 times", "once", "twice", *(f"{times} times" for times in CALLS[3:])))
AMOUNTS = {"0.5": "0.5", "0.2": "0.2", "1": "1 (int)", "1.0": "1.0 (float)"}
"""Amounts as they are written in Python, and how the page labels each."""
ABOUT = {
    "0.5": "A float: half of what was left, rounded.",
    "0.2": "A float: a fifth of what was left, rounded.",
    "1": "An int: one weight, however many are left.",
    "1.0": "A float: all of what was left.",
}
"""What one call removes, for each amount."""
JUDGES = ("magnitude", "gradient")
STEPS_ON = "spirals-mlp"
"""The sample network for gradual pruning; it has labels, which a criterion that uses the loss needs."""


@dataclass(frozen=True, eq=False)
class Called:
    """A layer as torch leaves it after some calls.

    Attributes:
        mask: ``[R, C]``, 1 for kept and 0 for removed.
        hook: class name of what torch hangs on the layer; empty where it hangs nothing.
        methods: class names of what is in that hook, if it is a container.
        hooks: the layer's hooks as Python writes them.
    """

    mask: Tensor
    hook: str
    methods: tuple[str, ...]
    hooks: str

    @property
    def removed(self) -> int:
        return int((self.mask == 0).sum())


def call_again(subject: Subject, target: Target, amount: str, times: int = MOST) -> tuple[Called, ...]:
    """Call ``prune.l1_unstructured`` on a copy of a layer, and look at it before the first call and after each.

    Args:
        target: a weight of the subject.
        amount: as one writes it in Python, since torch takes ``1`` for a weight and ``1.0`` for all.

    Returns:
        ``times + 1`` looks.
    """
    layer = subject.copy_model().get_submodule(target.module)
    name = target.name.rpartition(".")[2]
    looks = [_look(layer, name)]
    for _ in range(times):
        prune.l1_unstructured(layer, name, amount=as_python(amount))
        looks.append(_look(layer, name))
    return tuple(looks)


def as_python(amount: str) -> int | float:
    """The number that Python reads: an int for ``"1"``, a float for ``"1.0"``."""
    return int(amount) if amount.isdigit() else float(amount)


def _look(layer: nn.Module, name: str) -> Called:
    mask = getattr(layer, f"{name}_mask", None)
    hook = next(iter(layer._forward_pre_hooks.values()), None)
    return Called(
        torch.ones_like(getattr(layer, name)).detach() if mask is None else mask.clone(),
        "" if hook is None else type(hook).__name__,
        tuple(type(each).__name__ for each in hook) if isinstance(hook, prune.PruningContainer) else (),
        str(layer._forward_pre_hooks),
    )


def _build(subject: Subject, values: Values) -> Stage:
    target, amount = first_matrix(subject), str(values["amount"])
    if target.numel < MOST:
        raise LessonError(f"{target.name} has {target.numel} weights only; choose a network with {MOST} or more in it")
    called = {each: call_again(subject, target, each) for each in AMOUNTS}
    looks = called[amount]
    gone = [look.removed for look in looks]
    now = [0, *(after - before for before, after in pairwise(gone))]
    removed, kept = tuple(map(count, gone)), tuple(count(target.numel - each) for each in gone)
    sparsity, removed_now = tuple(percent(each / target.numel) for each in gone), tuple(map(count, now))
    half = called["0.5"]
    steps, differ = _at_once_or_in_steps(load_sample(STEPS_ON))
    facts: dict[str, str | tuple[str, ...]] = {
        "weights": count(target.numel),
        "removed": removed,
        "removed_now": removed_now,
        "kept": kept,
        "sparsity": sparsity,
        "methods": tuple(count(len(look.methods) or int(bool(look.hook))) for look in looks),
        "half_first": count(half[1].removed),
        "half_left": count(target.numel - half[1].removed),
        "half_second": count(half[2].removed - half[1].removed),
        "half_both": count(half[2].removed),
        "half_sparsity": percent(half[2].removed / target.numel),
        "half_third": count(half[3].removed - half[2].removed),
        "half_left_third": count(target.numel - half[2].removed),
        "int_one": count(called["1"][1].removed),
        "float_one": count(called["1.0"][1].removed),
        **{f"{judge}_others": differ[judge] for judge in JUDGES},
    }
    return Stage(
        SLIDER,
        (
            Figures(
                (
                    Figure("Removed by this call", removed_now, ABOUT[amount]),
                    Figure("Removed in all", removed, f"Of {target.numel} weights."),
                    Figure("Left", kept),
                    Figure("Sparsity", sparsity, "Removed in all ÷ all."),
                )
            ),
            Matrix(
                "weight_orig",
                subject.weight(target.name).numpy(),
                np.sum([look.mask.numpy() for look in looks], axis=0).astype(np.int64),
                digits=DIGITS,
                row_names=tuple(f"out {i}" for i in range(target.shape[0])),
                column_names=tuple(f"in {i}" for i in range(target.shape[1])),
                note=f"{target.name} as it was. What was removed stays removed: each call ranks only what is left.",
            ),
            Code("The same in torch", tuple(_code(target, amount, times, look) for times, look in enumerate(looks))),
            steps,
        ),
        facts,
        lambda stop: _recipe(target, gone[stop], stop),
    )


def _code(target: Target, amount: str, times: int, look: Called) -> str:
    layer, name = attribute_in_code("model", target.module), target.name.rpartition(".")[2]
    calls = [f"prune.l1_unstructured({layer}, {name!r}, amount={amount})"] * times
    if not look.hook:
        seen = [f"{layer}._forward_pre_hooks  # {look.hooks}"]
    else:
        seen = [f"hook = next(iter({layer}._forward_pre_hooks.values()))", f"type(hook).__name__  # {look.hook!r}"]
    if look.methods:
        seen.append(f"[type(each).__name__ for each in hook]  # {list(look.methods)}")
    return "\n".join(["from torch.nn.utils import prune", *calls, "", *seen])


def _at_once_or_in_steps(subject: Subject) -> tuple[Table, dict[str, tuple[str, ...]]]:
    """The same amount in one shot and in steps of a half, by several criteria; and how many weights differ, by stop."""
    rows: list[tuple[tuple[str, ...], ...]] = []
    differ: dict[str, list[str]] = {judge: [] for judge in JUDGES}
    for steps in CALLS:
        row = []
        for judge in JUDGES:
            at_once, in_steps = (
                compute_masks(subject, Recipe(criterion=judge, amount=1 - 0.5**steps, schedule=schedule))
                for schedule in ("one-shot", f"geometric:steps={max(1, steps)}")
            )
            gone = sum(target.numel - at_once.kept(target.name) for target in at_once.targets)
            others = sum(int((in_steps[name] & ~at_once[name]).sum()) for name in at_once)
            differ[judge].append(count(others))
            row.append((CRITERIA[judge].title, count(gone), count(others)))
        rows.append(tuple(row))
    weights = sum(target.numel for target in subject.targets if target.role == "weight")
    table = Table(
        f"At once, or half of what is left again and again ({subject.name})",
        ("Judged by", f"Removed of {count(weights)}", "Chosen differently in steps"),
        tuple(rows),
        "Always half of what is left, whatever the amount of each call above; nothing is trained in between, and after "
        "each step the criterion judges what is left anew. Gradient × weight: how steeply the loss changes with a "
        "weight times how large the weight is, about what the loss would change by if that weight were zero.",
    )
    return table, {judge: tuple(each) for judge, each in differ.items()}


def _recipe(target: Target, removed: int, times: int) -> Recipe:
    steps: Sequence[str] = ("one-shot", f"geometric:steps={times}")
    return Recipe(targets=(target.name,), amount=removed / target.numel, schedule=steps[times > 1])


AGAIN_AND_AGAIN = Scene(
    "again_and_again",
    "The same call of torch on one small layer, up to five times; and the same amount at once or in steps.",
    _build,
    {
        "weights": "how many the layer has",
        "removed": "weights removed in all",
        "removed_now": "weights removed by the last call",
        "kept": "weights left",
        "sparsity": "removed in all ÷ all, in percent",
        "methods": "how many pruning methods torch keeps on the layer",
        "half_first": "weights that a first call with 0.5 removes, whatever the knob says",
        "half_left": "weights left after that",
        "half_second": "weights that a second call with 0.5 removes",
        "half_both": "weights removed by both",
        "half_sparsity": "sparsity after both, in percent",
        "half_third": "weights that a third call with 0.5 removes",
        "half_left_third": "weights that the third call finds",
        "int_one": "weights removed by amount=1",
        "float_one": "weights removed by amount=1.0",
        "magnitude_others": "weights that magnitude removes in steps and not at once; by stop, in steps of a half",
        "gradient_others": "the same of gradient × weight",
    },
    "tutorial-mlp",
    Setting("times", "Calls", "How often the same call is made.", 1, 0, MOST, step=1),
    (
        Knob(
            Setting(
                "amount",
                "Amount of each call",
                "As it is written in Python: a float is a fraction of what is left, an int a number of weights.",
                "0.5",
            ),
            AMOUNTS,
            ("amount-as-count",),
        ),
    ),
)
