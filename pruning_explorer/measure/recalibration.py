"""BatchNorm's running statistics, measured again under masks.

Pruning shifts what each BatchNorm sees, while its running mean and variance are still the dense network's. One pass
over the calibration inputs measures them anew; no weight changes and no label is looked at (Li et al., EagleEye, arXiv
2007.02491; Hubara et al., arXiv 2006.10518, for quantisation).
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.masking import masked_weights
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import GIVE_CALIBRATION, call_network
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import RecordedLayer, is_lazy, layer_class

STATISTICS = ("running_mean", "running_var")
COUNTER = "num_batches_tracked"

_MEASURED: WeakKeyDictionary[Masks, tuple[Subject, Mapping[str, Tensor]]] = WeakKeyDictionary()


def has_batchnorm(subject: Subject) -> bool:
    """Whether there are running statistics that could be measured again."""
    return bool(_tracking(subject.model))


def why_no_recalibration(subject: Subject) -> str | None:
    """Why a subject cannot be recalibrated, as the end of a sentence; None if it can."""
    if any(
        isinstance(each, RecordedLayer) and issubclass(layer_class(each), _BatchNorm)
        for each in subject.model.modules()
    ):
        return "its BatchNorm was exported in eval mode and cannot measure any more; load the network itself"
    if not has_batchnorm(subject):
        return "it has no BatchNorm with running statistics, so there is nothing to measure again"
    if not subject.calibration:
        return f"it has no calibration inputs to measure on; {GIVE_CALIBRATION}"
    return None


def recalibrated_statistics(subject: Subject, masks: Masks) -> dict[str, Tensor]:
    """Running mean and variance of every BatchNorm that tracks them, from the calibration inputs under masks.

    All calibration inputs go through as one batch, each BatchNorm normalising by that batch's own statistics, as in
    training, and everything else in eval mode. The result is what torch's train-mode pass with ``momentum=None`` leaves
    in the buffers: the batch mean, the unbiased batch variance, and their average over calls where a layer is called
    several times. Nothing of the subject is written to.

    Returns:
        Buffer name -> value, to be put in place of the network's own; empty where there is no such BatchNorm. One that
        the network does not call is not in it.

    Raises:
        SubjectError: there are no calibration inputs, or the network fails on them.
        TargetError, MaskError: the masks are not for this subject.
    """
    known = _MEASURED.get(masks)
    if known is None or known[0].model is not subject.model or known[0].calibration is not subject.calibration:
        known = _MEASURED[masks] = subject, _measure(subject, masks)
    return dict(known[1])


def _measure(subject: Subject, masks: Masks) -> dict[str, Tensor]:
    if not has_batchnorm(subject):
        return {}
    reason = why_no_recalibration(subject)
    if reason is not None or subject.calibration is None:
        raise SubjectError(f"{subject.name} cannot be recalibrated: {reason}")
    frame = skeleton(subject.model)
    statistics: dict[str, Tensor] = {}
    counters: dict[str, Tensor] = {}
    for path, module in _tracking(frame).items():
        module.train(True)
        module.momentum = None
        start = f"{path}." if path else ""
        # Averaged over the calls so far, of which there are none: what stood there before plays no part
        for name in STATISTICS:
            statistics[start + name] = torch.zeros_like(module.get_buffer(name))
        counters[start] = torch.zeros_like(module.get_buffer(COUNTER))
    tensors = {**masked_weights(subject, masks), **statistics, **{s + COUNTER: calls for s, calls in counters.items()}}
    with torch.no_grad():
        call_network(subject, frame, tensors, subject.calibration)
    called = [start for start, calls in counters.items() if int(calls) > 0]
    return {start + name: statistics[start + name] for start in called for name in STATISTICS}


def _tracking(model: nn.Module) -> dict[str, _BatchNorm]:
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, _BatchNorm)
        and module.track_running_stats
        and all(isinstance(getattr(module, name), Tensor) for name in (*STATISTICS, COUNTER))
        and not is_lazy(module.get_buffer(STATISTICS[0]))
    }
