"""Checks that run the network, or weigh it."""

import io
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import prune

from pruning_explorer.figures.numbers import count, decimal, percent
from pruning_explorer.lessons.mistakes.finding import Finding, only_target, torch_lines
from pruning_explorer.lessons.panels import Table
from pruning_explorer.lessons.scenes.reading_drift import measure
from pruning_explorer.measure.cost import dense_cost
from pruning_explorer.measure.forward import layer_outputs
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


def weigh_networks(subject: Subject, recipe: Recipe) -> Finding:
    """Bytes as torch saves them and multiply-adds, of the same network dense, masked and made permanent."""
    masks = compute_masks(subject, recipe)
    model = subject.copy_model()
    looks = [("dense", *_weigh(model, subject))]
    masks.apply(model)
    looks.append(("masked", *_weigh(model, subject)))
    for target in masks.targets:
        prune.remove(model.get_submodule(target.module), "weight")
    looks.append(("made permanent", *_weigh(model, subject)))
    (_, dense, macs), (_, masked, masked_macs), (_, removed, removed_macs) = looks
    gone = _removed(masks)
    return Finding(
        (
            Table(
                f"{subject.name}, {percent(recipe.amount)} removed",
                ("Network", "Bytes saved", "Multiply-adds computed"),
                (tuple((name, count(size), count(each)) for name, size, each in looks),),
                "For one sample. What masking itself multiplies at each call comes on top.",
            ),
            torch_lines(
                "import io, torch",
                "layers = [model.fc1, model.fc2, model.fc3]",
                "def saved():",
                "    file = io.BytesIO()",
                "    torch.save(model.state_dict(), file)",
                "    return file.tell()",
                f"saved()  # {dense}",
                f'for layer in layers: prune.l1_unstructured(layer, "weight", amount={recipe.amount})',
                f"saved()  # {masked}",
                'for layer in layers: prune.remove(layer, "weight")',
                f"saved()  # {removed}",
            ),
        ),
        {
            "sparsity": percent(gone / sum(target.numel for target in masks.targets)),
            "dense_bytes": count(dense),
            "masked_bytes": count(masked),
            "removed_bytes": count(removed),
            "dense_macs": count(macs),
            "masked_macs": count(masked_macs),
            "removed_macs": count(removed_macs),
        },
    )


def _weigh(model: nn.Module, subject: Subject) -> tuple[int, int]:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return file.tell(), dense_cost(Subject.from_module(model, subject.samples)).macs


def look_behind_dead_channels(subject: Subject, recipe: Recipe) -> Finding:
    """What a convolution without some of its channels puts out, and what BatchNorm behind it makes of that."""
    masks = compute_masks(subject, recipe)
    mask = masks[only_target(recipe)]
    dead = [i for i in range(len(mask)) if not bool(mask[i].any())]
    outputs = layer_outputs(subject, masks)
    conv, norm = (outputs[name][:, dead].transpose(0, 1).flatten(1).numpy() for name in ("conv1", "bn1"))
    after = norm.mean(axis=1, dtype=np.float64)
    rows = [
        (str(channel), _from_to(conv[i]), _from_to(norm[i]), "yes" if after[i] > 0 else "no")
        for i, channel in enumerate(dead)
    ]
    positive = [i for i in range(len(dead)) if after[i] > 0]
    shown = dead[positive[0]] if positive else dead[0]
    return Finding(
        (
            Table(
                "Channels of conv1 that lost all weights",
                ("Channel", "conv1 puts out", "bn1 makes of it", "passes the ReLU"),
                (tuple(rows),),
            ),
            torch_lines(
                f'prune.ln_structured(model.conv1, "weight", amount={recipe.amount}, n=2, dim=0)',
                "features = model.bn1(model.conv1(images))",
                f"round(features[0, {shown}, 0, 0].item(), 3)  # {round(float(norm[dead.index(shown)][0]), 3)}",
            ),
        ),
        {
            "dead": count(len(dead)),
            "channels": count(len(mask)),
            "zeros": count(int((conv == 0).all(axis=1).sum())),
            "passing": count(len(positive)),
            "largest": decimal(float(after.max())),
        },
    )


def prune_norms_too(subject: Subject, recipe: Recipe) -> Finding:
    """Accuracy with every ``.weight`` pruned, and with norm layers left out."""
    without = replace(recipe, targets=None, norms=False)
    (point,), (spared,) = (measure(subject, each, (each.amount,)) for each in (recipe, without))
    more, fewer = (_removed(compute_masks(subject, each)) for each in (recipe, without))
    samples, dense = len(point.right), int(np.count_nonzero(point.dense_right))
    rows = (
        ("nothing", "0", percent(dense / samples)),
        ("layers with weights, norms spared", count(fewer), percent(spared.correct / samples)),
        ("every module that has .weight", count(more), percent(point.correct / samples)),
    )
    return Finding(
        (
            Table(
                f"{subject.name}, {percent(recipe.amount)} of each", ("Pruned", "Weights removed", "Accuracy"), (rows,)
            ),
            torch_lines(
                "for module in model.modules():",
                '    if hasattr(module, "weight"):',
                f'        prune.l1_unstructured(module, "weight", amount={recipe.amount})',
                f"int((model(images).argmax(dim=1) == labels).sum())  # {point.correct}",
            ),
        ),
        {
            "more": count(more - fewer),
            "amount": percent(recipe.amount),
            "dense": percent(dense / samples),
            "spared": percent(spared.correct / samples),
            "all": percent(point.correct / samples),
        },
    )


def count_flips(subject: Subject, recipe: Recipe) -> Finding:
    """Answers that flip, and how many are right."""
    (point,) = measure(subject, recipe, (recipe.amount,))
    samples, dense = len(point.right), int(np.count_nonzero(point.dense_right))
    rows = (
        ("Right", count(dense), count(point.correct)),
        ("Accuracy", percent(dense / samples), percent(point.correct / samples)),
        ("Answers flipped", "0", count(point.flips)),
        ("right → wrong", "0", count(point.lost)),
        ("wrong → right", "0", count(point.gained)),
        ("wrong → otherwise wrong", "0", count(point.astray)),
    )
    return Finding(
        (Table(f"{subject.name}, {samples} samples", ("", "dense", f"{percent(recipe.amount)} removed"), (rows,)),),
        {
            "dense": percent(dense / samples),
            "pruned": percent(point.correct / samples),
            "amount": percent(recipe.amount),
            "flips": count(point.flips),
            "lost": count(point.lost),
            "gained": count(point.gained),
        },
    )


def _removed(masks: Masks) -> int:
    return sum(target.numel - masks.kept(target.name) for target in masks.targets)


def _from_to(values: NDArray[np.float32]) -> str:
    low, high = decimal(float(values.min())), decimal(float(values.max()))
    return f"always {low}" if low == high else f"{low} to {high}"
