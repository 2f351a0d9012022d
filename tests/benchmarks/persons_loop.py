"""The loop that a person would write to compare pruning methods: torch alone, each cell from the start.

For each method and amount: ``deepcopy``, score where the method needs scores, ``prune.*``, ``remove``, forward, then
accuracy, KL and agreement. Run as a program it is a process of its own, so nothing that this project does to a process
is in its way or helps it: ``python -m tests.benchmarks.persons_loop SET FILE``.
"""

import copy
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.nn.utils import prune

from pruning_explorer import Subject, load_subject
from pruning_explorer.lab.curves import comparison_amounts

Layers = list[tuple[nn.Module, str]]
Scores = dict[tuple[nn.Module, str], Tensor]

SUBJECT = "digits-cnn"
BATCH = 64
SEED = 0
SEED_STRIDE = 1_000_003


def layers_of(model: nn.Module) -> Layers:
    return [(module, "weight") for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def batches(inputs: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(inputs.split(BATCH), labels.split(BATCH), strict=True)


def l1_by_layer(model: nn.Module, amount: float, subject: Subject) -> None:
    for module, name in layers_of(model):
        prune.l1_unstructured(module, name, amount=amount)


def random_by_layer(model: nn.Module, amount: float, subject: Subject) -> None:
    positions = {id(parameter): i for i, parameter in enumerate(model.parameters())}
    for module, name in layers_of(model):
        torch.manual_seed(SEED + SEED_STRIDE * positions[id(module.weight)])
        prune.random_unstructured(module, name, amount=amount)


def ln_channels(model: nn.Module, amount: float, subject: Subject) -> None:
    for module, name in layers_of(model):
        prune.ln_structured(module, name, amount=amount, n=2, dim=0)


def l1_globally(model: nn.Module, amount: float, subject: Subject) -> None:
    prune.global_unstructured(layers_of(model), pruning_method=prune.L1Unstructured, amount=amount)


def gradient_globally(model: nn.Module, amount: float, subject: Subject) -> None:
    """|w x dL/dw| of the mean loss over the calibration inputs, in one ranking."""
    model.zero_grad()
    for inputs, labels in batches(subject.calibration[0], subject.calibration_labels):
        functional.cross_entropy(model(inputs), labels, reduction="sum").backward()
    count = len(subject.calibration_labels)
    scores: Scores = {
        (module, name): (module.weight.detach() * (module.weight.grad / count)).abs()
        for module, name in layers_of(model)
    }
    for parameter in model.parameters():
        parameter.grad = None
    prune.global_unstructured(
        layers_of(model), pruning_method=prune.L1Unstructured, importance_scores=scores, amount=amount
    )


def fisher_globally(model: nn.Module, amount: float, subject: Subject) -> None:
    """w^2 x E[g^2], the gradients of each calibration sample by ``vmap``, in one ranking."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def loss(weights: dict[str, Tensor], sample: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(model, {**weights, **buffers}, (sample.unsqueeze(0),))
        return functional.cross_entropy(logits, label.unsqueeze(0))

    per_sample = vmap(grad(loss), in_dims=(None, 0, 0))
    squares = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for inputs, labels in batches(subject.calibration[0], subject.calibration_labels):
        for name, gradients in per_sample(weights, inputs, labels).items():
            squares[name] += gradients.square().sum(dim=0)
    count = len(subject.calibration_labels)
    scores: Scores = {
        (module, name): module.weight.detach().square() * (squares[names[id(module.weight)]] / count)
        for module, name in layers_of(model)
    }
    prune.global_unstructured(
        layers_of(model), pruning_method=prune.L1Unstructured, importance_scores=scores, amount=amount
    )


def wanda_by_row(model: nn.Module, amount: float, subject: Subject) -> None:
    """|w| x ||x||, the inputs' norms by hooks over the calibration inputs, ranked within each output row."""
    squares: dict[nn.Module, Tensor] = {}

    def watch(module: nn.Module, inputs: tuple[Tensor], _output: Tensor) -> None:
        columns = inputs[0]
        if isinstance(module, nn.Conv2d):
            columns = functional.unfold(columns, module.kernel_size, padding=module.padding, stride=module.stride)
            columns = columns.transpose(1, 2).flatten(0, 1)
        squares[module] = squares.get(module, 0) + columns.square().sum(dim=0)

    hooks = [module.register_forward_hook(watch) for module, _ in layers_of(model)]
    with torch.no_grad():
        for inputs, _ in batches(subject.calibration[0], subject.calibration_labels):
            model(inputs)
    for hook in hooks:
        hook.remove()
    for module, name in layers_of(model):
        rows = module.weight.detach().abs().flatten(1) * squares[module].sqrt()
        removed = round(amount * rows.shape[1])
        mask = torch.ones_like(rows)
        mask.scatter_(1, rows.topk(removed, dim=1, largest=False).indices, 0)
        prune.custom_from_mask(module, name, mask.view_as(module.weight))


Method = Callable[[nn.Module, float, Subject], None]

SETS: dict[str, tuple[Method, ...]] = {
    "torch": (l1_by_layer, random_by_layer, ln_channels, l1_globally),
    "data": (l1_globally, gradient_globally, fisher_globally, wanda_by_row),
}


def compare(subject: Subject, methods: tuple[Method, ...], amounts: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Right and agreeing samples, KL, and the pruned network's top-1, a row per method and amount; seconds of each."""
    model = subject.copy_model().eval()
    inputs, labels = subject.samples[0], subject.labels
    with torch.no_grad():
        dense = model(inputs)
    rows = []
    for method in methods:
        for amount in amounts:
            start = time.perf_counter()
            pruned = copy.deepcopy(model)
            method(pruned, amount, subject)
            for module, name in layers_of(pruned):
                prune.remove(module, name)
            with torch.no_grad():
                logits = pruned(inputs)
            top1 = logits.argmax(dim=1)
            right = int((top1 == labels).sum())
            agreeing = int((top1 == dense.argmax(dim=1)).sum())
            kl = functional.kl_div(
                logits.log_softmax(dim=1), dense.log_softmax(dim=1), log_target=True, reduction="batchmean"
            )
            rows.append((right, agreeing, float(kl), top1.numpy(), time.perf_counter() - start))
    right, agreeing, kl, top1, seconds = (np.array(column) for column in zip(*rows, strict=True))
    return {"right": right, "agreeing": agreeing, "kl": kl, "top1": top1, "seconds": seconds}


def main(which: str, file: str) -> None:
    subject = load_subject(SUBJECT)
    # Once for the warmth of everything that is made at first use
    compare(subject, SETS[which], (0.5,))
    start = time.perf_counter()
    found = compare(subject, SETS[which], comparison_amounts())
    np.savez(file, all_seconds=time.perf_counter() - start, threads=torch.get_num_threads(), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
