"""Call a network on inputs with tensors of one's choice in place of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.prune.behaviour import behaviour_of, call, with_copies
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
    if behaviour_of(subject).writes:
        tensors = with_copies(frame, tensors)
    with blaming(subject, samples):
        return call(frame, tensors, samples)


@contextmanager
def blaming(subject: Subject, samples: tuple[Tensor, ...]) -> Iterator[None]:
    """Turn whatever the network's own code raises into a SubjectError that names the network.

    Raises:
        SubjectError: it raised something.
    """
    try:
        yield
    except BaseException as error:
        if not theirs(error):
            raise
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


GIVE_CALIBRATION = (
    "give some: on Models by a file or as a share of its samples that is kept apart, as `calibration` (and "
    "`calibration_labels`) in an .npz of samples, in a terminal by --calibration or --calibration-share, in Python by "
    "Subject.from_module(..., calibration=..., calibration_labels=...)"
)
"""How calibration inputs come, for whoever is asked for them."""

GIVE_LABELS = GIVE_CALIBRATION.replace("give some", "give inputs with labels")


def require_calibration(subject: Subject) -> tuple[Tensor, ...]:
    """The subject's calibration inputs.

    Raises:
        SubjectError: it has none.
    """
    if not subject.calibration:
        raise SubjectError(
            f"{subject.name} has no calibration inputs, so nothing can be learned from them; {GIVE_CALIBRATION}"
        )
    return subject.calibration
