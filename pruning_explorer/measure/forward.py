"""Run a subject, dense or masked, from any number of threads at once.

Every run has a skeleton that nobody else uses: ``functional_call`` swaps a module's tensors while it runs, so a shared
one races. Nor does it know of an earlier call, so a network that remembers its last one gives the same result each
time, too. Buffers and inputs go in as copies, so one that writes to them in place writes to nobody's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.masking import masked_weights
from pruning_explorer.measure.recalibration import recalibrated_statistics
from pruning_explorer.measure.skeletons import borrow_skeleton
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import call_network, require_samples
from pruning_explorer.prune.outputs import first_tensor
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import layer_class
from pruning_explorer.trace import step

DENSE_OUTPUTS: SubjectCache[Tensor] = SubjectCache(256 << 20, lambda logits: logits.nbytes, "dense outputs")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outputs of the dense and the pruned network on the samples; drift and quality are computed from these alone.

    Attributes:
        dense, pruned: logits ``[N, C]`` or ``[N, T, C]``, on the CPU. Shared: never write to them.
    """

    dense: Tensor
    pruned: Tensor


def run_subject(subject: Subject, masks: Masks) -> Outcome:
    """Run a subject on its samples under masks, and dense if that was not done before.

    Raises:
        SubjectError: it has no samples, fails on them, or gives no logits.
        TargetError, MaskError: the masks are not for this subject.
    """
    return Outcome(dense_outputs(subject), masked_outputs(subject, masks))


@step("forward pass of the dense network")
def dense_outputs(subject: Subject) -> Tensor:
    """Logits ``[N, C]`` or ``[N, T, C]`` of the dense network, computed once per subject. Never write to them.

    Raises:
        SubjectError: it has no samples, fails on them, or gives no logits.
    """
    return DENSE_OUTPUTS.get(subject, lambda: _logits(subject, _run(subject, {})))


@step("forward pass under the masks")
def masked_outputs(subject: Subject, masks: Masks) -> Tensor:
    """Logits ``[N, C]`` or ``[N, T, C]`` with the removed weights at zero; with BatchNorm recalibrated if so asked.

    Raises:
        SubjectError: it has no samples, fails on them, or gives no logits.
        TargetError, MaskError: the masks are not for this subject.
    """
    return _logits(subject, _run(subject, tensors_under(subject, masks)))


def tensors_under(subject: Subject, masks: Masks) -> dict[str, Tensor]:
    """Tensors by name that replace the network's own under masks.

    These are the masked weights, and where the masks ask for it BatchNorm's recalibrated statistics.

    Raises:
        SubjectError: there are no inputs to recalibrate on, or the network fails on them.
        TargetError, MaskError: the masks are not for this subject.
    """
    weights = masked_weights(subject, masks)
    return {**weights, **recalibrated_statistics(subject, masks)} if masks.recalibrate else weights


def layer_outputs(
    subject: Subject, masks: Masks | None, tell: Callable[[str], None] | None = None
) -> dict[str, Tensor]:
    """The output of each leaf module by its path, in the order in which they ran.

    A module that returns several tensors, as recurrent and attention layers do, counts with the first; one that is
    called several times with its last call; one that returns none, or whole numbers, is not there. Functions
    called without a module (``torch.relu``) are nobody's output.

    Args:
        masks: None for the dense network.
        tell: called with each module's path when it has run; an exception from it ends the run.

    Raises:
        SubjectError, TargetError, MaskError: as :func:`masked_outputs`.
    """
    seen: dict[str, Tensor] = {}

    def keep(path: str, output: Tensor) -> None:
        seen.pop(path, None)
        # A copy, since the next layer may work in place
        seen[path] = output.clone()
        if tell is not None:
            tell(path)

    watch_layers(subject, masks, keep)
    return seen


def watch_layers(subject: Subject, masks: Masks | None, see: Callable[[str, Tensor], None]) -> None:
    """Run a subject and show ``see`` each leaf module's output as it comes, valid during that call only."""
    frame = skeleton(subject.model)

    def hook_of(path: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            tensor = first_tensor(output)
            if tensor is not None and tensor.is_floating_point() and tensor.numel() > 0:
                see(path, tensor)

        return hook

    for path, module in leaf_modules(frame).items():
        module.register_forward_hook(hook_of(path))
    _call(subject, frame, {} if masks is None else tensors_under(subject, masks))


def leaf_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Modules that compute something by themselves, by path; containers are left out.

    ``MultiheadAttention`` and parametrized modules count as one each: what is inside them is never called as a module.
    """
    leaves: dict[str, nn.Module] = {}
    wholes: list[str] = []
    for path, module in model.named_modules():
        if any(path.startswith(f"{whole}." if whole else "") for whole in wholes):
            continue
        whole = issubclass(layer_class(module), nn.MultiheadAttention) or parametrize.is_parametrized(module)
        if whole:
            wholes.append(path)
        if whole or next(module.children(), None) is None:
            leaves[path] = module
    return leaves


def _run(subject: Subject, tensors: Mapping[str, Tensor]) -> object:
    with borrow_skeleton(subject.model) as frame:
        return _call(subject, frame, tensors)


def _call(subject: Subject, frame: nn.Module, tensors: Mapping[str, Tensor]) -> object:
    samples = require_samples(subject)
    with torch.inference_mode():
        return call_network(subject, frame, tensors, samples)


def _logits(subject: Subject, output: object) -> Tensor:
    logits = first_tensor(output)
    if logits is None:
        raise SubjectError(
            f"{subject.name} returns {_describe(output)}, and no tensor in it; "
            "wrap it in a module whose forward returns logits [N, C] or [N, T, C]"
        )
    what = f"{str(logits.dtype).removeprefix('torch.')} {list(logits.shape)}"
    if not logits.is_floating_point() or logits.dim() not in (2, 3) or logits.numel() == 0:
        raise SubjectError(
            f"{subject.name} returns {what}, which is no logits [N, C] or [N, T, C]; "
            "wrap it in a module whose forward returns these"
        )
    if len(logits) != subject.sample_count:
        raise SubjectError(
            f"{subject.name} returns {what} for {subject.sample_count} samples; make its output batch first"
        )
    return logits.cpu()


def _describe(output: object) -> str:
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with the keys {', '.join(map(repr, output)) or '(none)'}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of ({', '.join(type(part).__name__ for part in output)})"
    return f"a {type(output).__name__}"
