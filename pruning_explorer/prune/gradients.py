"""Gradients of a subject's loss on its calibration inputs, and of the flow through its absolute weights.

Everything runs on a skeleton of its own, on the CPU, in float32 or better, a few samples at a time.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.prune.behaviour import behaviour_of
from pruning_explorer.prune.network import GIVE_LABELS, call_network, require_calibration, widen, working_tensors
from pruning_explorer.prune.outputs import first_tensor
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject

CHUNK = 64
"""Samples in one forward and backward pass."""

PER_SAMPLE_BYTES = 128 << 20
"""Most bytes of per-sample gradients held at once; one sample at a time where even one takes more."""

# Attention has no vectorised form on the CPU and is looped over, which is what would be done without
warnings.filterwarnings("ignore", message="There is a performance drop because", category=UserWarning)


@dataclass(frozen=True, eq=False)
class Gradients:
    """One tensor per target, of its shape; float32 or better.

    Attributes:
        batched: whether per-sample gradients came from one vectorised pass for many samples (``torch.func.vmap``), or
            from one pass for each, where an operation of the network has no vectorised form.
    """

    by_target: Mapping[str, Tensor]
    batched: bool = False

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.by_target.values())


def mean_gradients(subject: Subject, masks: Mapping[str, Tensor]) -> Gradients:
    """dL/dw of the mean cross-entropy over all calibration labels.

    Args:
        masks: target name -> bool mask of the weights that are still there; the others are zero as it is measured.

    Raises:
        SubjectError: there are no calibration inputs or labels, they do not fit the network, or it cannot be
            differentiated.
    """
    labels = _labels(subject)
    tensors = working_tensors(subject, masks)
    names = [target.name for target in subject.targets]
    sums = [torch.zeros_like(tensors[name]) for name in names]
    with torch.inference_mode(False), torch.enable_grad():
        leaves = _leaves(tensors, names)
        for inputs, right in _chunks(require_calibration(subject), labels, CHUNK):
            output = call_network(subject, skeleton(subject.model), leaves, tuple(map(widen, inputs)))
            loss = _summed_loss(subject, output, right)
            for held, each in zip(sums, _differentiate(subject, loss, [leaves[name] for name in names]), strict=True):
                held += each
    return Gradients({name: held / labels.numel() for name, held in zip(names, sums, strict=True)})


def squared_gradients(subject: Subject, masks: Mapping[str, Tensor]) -> Gradients:
    """E[g^2]: the mean over calibration samples of the squared gradient of each sample's own cross-entropy.

    This is the diagonal of the empirical Fisher information: with the labels as they are, not as the network would
    draw them. A sample with T labels has the mean of their T losses.

    Raises:
        SubjectError: as :func:`mean_gradients`.
    """
    labels = _labels(subject)
    inputs = require_calibration(subject)
    with torch.inference_mode(False):
        tensors = working_tensors(subject, masks)
        names = [target.name for target in subject.targets]
        # One sample by the plain way, whose errors are worth reading
        first = _squares_one_by_one(subject, tensors, names, tuple(each[:1] for each in inputs), labels[:1])
        rest = tuple(each[1:] for each in inputs)
        if len(labels) == 1:
            return Gradients(first)
        weights = sum(tensors[name].nbytes for name in names)
        size = min(CHUNK, PER_SAMPLE_BYTES // weights)
        # Under vmap there are no copies for a network that writes to its weights
        batched = size > 1 and not behaviour_of(subject).writes
        if batched:
            try:
                sums = _squares_batched(subject, tensors, names, rest, labels[1:], size)
            except BaseException as error:  # a network that has no vectorised form; a real fault shows one by one
                if not theirs(error):
                    raise
                batched = False
        if not batched:
            sums = _squares_one_by_one(subject, tensors, names, rest, labels[1:])
    return Gradients({name: (first[name] + sums[name]) / len(labels) for name in names}, batched)


def synaptic_flow(subject: Subject, masks: Mapping[str, Tensor]) -> Gradients:
    """|theta x dR/dtheta| where R is the sum of outputs of the network of absolute weights on an input of ones.

    In float64, since R is a product over the layers. Tanaka et al., arXiv 2006.05467.

    Raises:
        SubjectError: there is no input whose shape could be taken, or the network cannot be differentiated.
    """
    example = subject.example
    if example is None:
        raise SubjectError(f"{subject.name} has no input whose shape could be taken; give it samples")
    names = [target.name for target in subject.targets]
    with torch.inference_mode(False), torch.enable_grad():
        tensors = {name: each.abs() for name, each in working_tensors(subject, masks, torch.float64).items()}
        leaves = _leaves(tensors, names)
        ones = tuple(torch.ones(each.shape, dtype=torch.float64) for each in example)
        output = first_tensor(call_network(subject, skeleton(subject.model), leaves, ones))
        if output is None or not output.is_floating_point():
            raise SubjectError(f"{subject.name} gives no tensor whose outputs could be summed")
        slopes = _differentiate(subject, output.sum(), [leaves[name] for name in names])
    flow = {name: (tensors[name] * slope).abs() for name, slope in zip(names, slopes, strict=True)}
    return Gradients(flow)


def _labels(subject: Subject) -> Tensor:
    require_calibration(subject)
    if subject.calibration_labels is None:
        raise SubjectError(f"{subject.name} has no calibration labels, so there is no loss; {GIVE_LABELS}")
    return subject.calibration_labels


def _leaves(tensors: Mapping[str, Tensor], names: list[str]) -> dict[str, Tensor]:
    wanted = set(names)
    return {name: each.detach().requires_grad_() if name in wanted else each for name, each in tensors.items()}


def _chunks(inputs: tuple[Tensor, ...], labels: Tensor, size: int) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    for start in range(0, len(labels), size):
        yield tuple(each[start : start + size] for each in inputs), labels[start : start + size]


def _summed_loss(subject: Subject, output: object, labels: Tensor) -> Tensor:
    logits = first_tensor(output)
    if logits is None or logits.dim() != labels.dim() + 1 or logits.shape[:-1] != labels.shape:
        found = "no logits" if logits is None else f"logits of shape {list(logits.shape)}"
        raise SubjectError(
            f"{subject.name} gives {found} for labels of shape {list(labels.shape)}; a loss needs logits [N, C] for "
            "labels [N], or [N, T, C] for [N, T]"
        )
    every = _labels(subject)
    least, most = int(every.min()), int(every.max())
    if labels.is_floating_point() or least < 0 or most >= logits.shape[-1]:
        raise SubjectError(
            f"the calibration labels of {subject.name} are {str(labels.dtype).removeprefix('torch.')} from {least} to "
            f"{most}; they must be whole numbers from 0 to {logits.shape[-1] - 1}, as it has {logits.shape[-1]} logits"
        )
    return cross_entropy(logits.flatten(0, -2), labels.long().flatten(), reduction="sum")


def _differentiate(subject: Subject, value: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    try:
        return torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise SubjectError(
            f"{subject.name} cannot be differentiated ({reason}); choose a criterion without gradients"
        ) from error


def _squares_one_by_one(
    subject: Subject, tensors: Mapping[str, Tensor], names: list[str], inputs: tuple[Tensor, ...], labels: Tensor
) -> dict[str, Tensor]:
    sums = {name: torch.zeros_like(tensors[name]) for name in names}
    frame = skeleton(subject.model)
    with torch.enable_grad():
        leaves = _leaves(tensors, names)
        for one, right in _chunks(inputs, labels, 1):
            output = call_network(subject, frame, leaves, tuple(map(widen, one)))
            loss = _summed_loss(subject, output, right) / right.numel()
            for name, each in zip(names, _differentiate(subject, loss, [leaves[n] for n in names]), strict=True):
                sums[name].addcmul_(each, each)
    return sums


def _squares_batched(
    subject: Subject,
    tensors: Mapping[str, Tensor],
    names: list[str],
    inputs: tuple[Tensor, ...],
    labels: Tensor,
    size: int,
) -> dict[str, Tensor]:
    frame = skeleton(subject.model)
    fixed = {name: buffer.clone() for name, buffer in frame.named_buffers()}
    fixed |= {name: each for name, each in tensors.items() if name not in names}
    sums = {name: torch.zeros_like(tensors[name]) for name in names}
    per_sample = vmap(grad(_loss_of_one), in_dims=(None, None, None, 0, 0))
    weights = {name: tensors[name] for name in names}
    for some, right in _chunks(inputs, labels, size):
        found = per_sample(weights, frame, fixed, tuple(map(widen, some)), right.long())
        for name in names:
            sums[name] += found[name].square().sum(dim=0)
    return sums


def _loss_of_one(
    weights: dict[str, Tensor], frame: nn.Module, fixed: dict[str, Tensor], inputs: tuple[Tensor, ...], labels: Tensor
) -> Tensor:
    output = functional_call(frame, {**fixed, **weights}, tuple(each.unsqueeze(0) for each in inputs))
    logits = first_tensor(output)
    if logits is None:
        raise TypeError("no logits")
    return cross_entropy(logits.flatten(0, -2), labels.reshape(-1))
