"""Call a network on inputs with tensors of one's choice in place of its own, and find the logits in what it returns."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject


def sample_shapes(samples: tuple[Tensor, ...]) -> str:
    """``"float32 [360, 1, 8, 8]"``, for messages."""
    return ", ".join(f"{str(t.dtype).removeprefix('torch.')} {list(t.shape)}" for t in samples)


def call_network(
    subject: Subject, frame: nn.Module, tensors: Mapping[str, Tensor], samples: tuple[Tensor, ...]
) -> object:
    """Call ``frame`` with ``tensors`` in place of its own, under the caller's grad mode; whatever it returns.

    Raises:
        SubjectError: the network raised an exception.
    """
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
