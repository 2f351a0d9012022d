"""How a network behaves when it is called: whether it writes to its own weights, and whether its outputs are random.

A few samples are run twice before any other run. A network that writes to its weights then gets copies of them, so
that the dense network stays as it was loaded; where outputs differ from run to run, pages say so beside every drift.
"""

import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.prune.outputs import first_tensor
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import is_lazy

TRIED = 2
"""Samples on which a network is first tried; all samples follow where it fails on so few."""
MOST_BYTES_COPIED = 2 << 30
"""Bytes of weights above which the network is tried on the weights themselves, not on a copy."""
ROUNDING = 1e-5
"""Relative difference up to which two outputs count as equal: sums may be added up in another order."""


@dataclass(frozen=True)
class Behaviour:
    """Side effects and randomness of a network's forward.

    Attributes:
        writes: the parameters, and the plain tensors of modules, that its forward writes to.
        spread: how far two dense runs on the same inputs are apart: ||b - a|| / ||a||, 0 where they are equal but for
            rounding; None where no outputs could be compared.
    """

    writes: tuple[str, ...] = ()
    spread: float | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings for a person, a sentence or two each."""
        notes = []
        if self.spread:
            percent = 100 * self.spread
            apart = f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
            notes.append(
                "This network answers differently each time: two dense runs on the same inputs differ by "
                f"{apart} of their length (normalised L2). So much of the drift is chance, and not the pruning."
            )
        if self.writes:
            named = ", ".join(self.writes[:3]) + (f" and {len(self.writes) - 3} more" if len(self.writes) > 3 else "")
            notes.append(
                f"This network’s forward writes to its own weights ({named}). Each run gets a copy of them, so the "
                "dense network stays as it was loaded."
            )
        return tuple(notes)


BEHAVIOURS: SubjectCache[Behaviour] = SubjectCache(1 << 20, lambda _: 256, "behaviour")


def behaviour_of(subject: Subject) -> Behaviour:
    """How the dense network behaves, tried once per subject; an empty result where it fails, or has no inputs.

    Raises:
        SubjectError: it has written to weights that are too large for a copy.
    """
    return BEHAVIOURS.get(subject, lambda: _try(subject))


def call(frame: nn.Module, tensors: Mapping[str, Tensor], inputs: tuple[Tensor, ...]) -> object:
    """One call, with copies of the buffers and the inputs; whatever it returns or raises."""
    buffers = {name: buffer.clone() for name, buffer in frame.named_buffers()}
    return functional_call(frame, {**buffers, **tensors}, tuple(each.clone() for each in inputs))


def with_copies(frame: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` and all that the frame shares with others, as copies; gradients go through these."""
    _copy_plain(frame)
    own = {name: each for name, each in frame.named_parameters() if not is_lazy(each)}
    return {name: each.clone() for name, each in {**own, **tensors}.items()}


def _try(subject: Subject) -> Behaviour:
    inputs = subject.samples or subject.calibration
    if inputs is None or not subject.runnable:
        return Behaviour()
    threads = torch.get_num_threads()

    def run() -> Behaviour:
        torch.set_num_threads(threads)
        few = tuple(each[:TRIED] for each in inputs)
        return _run_twice(subject, few) or _run_twice(subject, inputs) or Behaviour()

    # In a thread of its own, where nobody counts or watches what is run
    with ThreadPoolExecutor(1, thread_name_prefix="behaviour") as alone:
        return alone.submit(run).result()


def _run_twice(subject: Subject, inputs: tuple[Tensor, ...]) -> Behaviour | None:
    """Run the network twice; None where it fails, since whoever needs its outputs reports that."""
    large = sum(each.nbytes for each in subject.model.parameters() if not is_lazy(each)) > MOST_BYTES_COPIED
    outputs: list[Tensor | None] = []
    writes: dict[str, None] = {}
    for _ in range(2):
        frame = skeleton(subject.model)
        plain = _copy_plain(frame)
        shared = {name: each for name, each in frame.named_parameters() if not is_lazy(each)}
        given = shared if large else {name: each.clone() for name, each in shared.items()}
        watched = {**given, **plain}
        before = {name: _checksum(each) for name, each in watched.items()}
        try:
            with torch.inference_mode():
                outputs.append(first_tensor(call(frame, {} if large else given, inputs)))
        except BaseException as error:
            if not theirs(error):
                raise
            return None
        finally:
            changed = [name for name, each in watched.items() if _checksum(each) != before[name]]
            writes |= dict.fromkeys(changed)
            if large and changed:
                raise SubjectError(
                    f"{subject.name} writes to its own weights as it runs ({changed[0]}), and is too large for a copy "
                    "of them at each run; they are no longer what was loaded: load it again, with a forward that "
                    "leaves them alone"
                )
    return Behaviour(tuple(writes), _spread(*outputs))


def _copy_plain(frame: nn.Module) -> dict[str, Tensor]:
    """Give a frame's modules tensors of their own for those that are neither parameter nor buffer; by name."""
    copies = {}
    for path, module in frame.named_modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, Tensor) and not is_lazy(value):
                vars(module)[name] = copies[f"{path}.{name}".lstrip(".")] = value.detach().clone()
    return copies


def _checksum(tensor: Tensor) -> int:
    """A checksum of a tensor's bytes; 0 where they cannot be read."""
    if is_lazy(tensor) or tensor.is_meta or tensor.is_quantized or tensor.layout is not torch.strided:
        return 0
    flat = tensor.detach().cpu().contiguous().flatten()
    return zlib.adler32(flat.view(torch.uint8).numpy().data) if flat.numel() else 0


def _spread(first: Tensor | None, second: Tensor | None) -> float | None:
    if first is None or second is None or not first.is_floating_point() or not second.is_floating_point():
        return None
    if first.shape != second.shape:
        return 1.0
    a, b = (torch.nan_to_num(each.detach().cpu().double()).flatten() for each in (first, second))
    apart = float((b - a).norm()) / max(float(a.norm()), 1e-300)
    return apart if apart > ROUNDING else 0.0
