"""Call a network on inputs with tensors of one's choice in place of its own, and find the logits in what it returns."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import is_lazy


def sample_shapes(samples: tuple[Tensor, ...]) -> str:
    """``"float32 [360, 1, 8, 8]"``, for messages."""
    return ", ".join(f"{str(t.dtype).removeprefix('torch.')} {list(t.shape)}" for t in samples)


def call_network(
    subject: Subject, frame: nn.Module, tensors: Mapping[str, Tensor], samples: tuple[Tensor, ...]
) -> object:
    """Call ``frame`` with ``tensors`` in place of its own, under the caller's grad mode; whatever it returns.

    Raises:
        SubjectError: the network raised an exception, or its file is no longer as it was.
    """
    subject.check_files()
    try:
        own = {name: buffer.clone() for name, buffer in frame.named_buffers()}
        return functional_call(frame, {**own, **tensors}, tuple(sample.clone() for sample in samples))
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise SubjectError(
            f"{subject.name} failed on its samples of {sample_shapes(samples)} with {type(error).__name__}: {reason}; "
            "give samples as its forward expects them, batch first, one tensor per positional input"
        ) from error


def require_samples(subject: Subject) -> tuple[Tensor, ...]:
    """The subject's samples.

    Raises:
        SubjectError: it has none.
    """
    if not subject.samples:
        raise SubjectError(
            f"{subject.name} has no samples, so nothing can be run; give some: Subject.from_module(model, samples=...)"
        )
    return subject.samples


def working_tensors(
    subject: Subject, masks: Mapping[str, Tensor], at_least: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Parameters and buffers by name, removed weights at zero, in float32 or better; the dense ones are shared.

    Args:
        masks: target name -> bool mask, for any of the targets.
        at_least: narrower floating-point tensors are widened to this dtype.
    """
    tensors = {}
    for name, each in (*subject.model.named_parameters(), *subject.model.named_buffers()):
        if each.is_floating_point() and not is_lazy(each):
            wide = widen(each.detach(), at_least)
            mask = masks.get(name)
            # Not a product: inf x 0 is NaN
            tensors[name] = wide if mask is None else torch.where(mask, wide, torch.zeros((), dtype=wide.dtype))
    return tensors


def widen(tensor: Tensor, at_least: torch.dtype = torch.float32) -> Tensor:
    """A floating-point tensor in ``at_least`` or better; any other as it is."""
    return tensor.to(torch.promote_types(tensor.dtype, at_least)) if tensor.is_floating_point() else tensor


def require_calibration(subject: Subject) -> tuple[Tensor, ...]:
    """The subject's calibration inputs.

    Raises:
        SubjectError: it has none.
    """
    if not subject.calibration:
        raise SubjectError(
            f"{subject.name} has no calibration inputs, so nothing can be learned from them; give some, of the part it "
            "was trained on: Subject.from_module(..., calibration=...)"
        )
    return subject.calibration


def all_tensors(output: Any) -> list[Tensor]:
    """Every tensor in what a network returns: in tuples, lists, mappings and dataclasses, however deep."""
    if isinstance(output, Tensor):
        return [output]
    parts: Iterable[Any] = ()
    if isinstance(output, Mapping):
        parts = output.values()
    elif isinstance(output, tuple | list):
        parts = output
    elif is_dataclass(output) and not isinstance(output, type):
        parts = (getattr(output, each.name) for each in fields(output))
    return [tensor for part in parts for tensor in all_tensors(part)]


def first_tensor(output: Any) -> Tensor | None:
    """The tensor itself, ``.logits`` of it, or the first tensor in it."""
    if isinstance(output, Tensor):
        return output
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    found = (first_tensor(part) for part in parts)
    return next((tensor for tensor in found if tensor is not None), None)
