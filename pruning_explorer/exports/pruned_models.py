"""Copies of a network that carry masks: with torch's hooks, or with zeros for good."""

import torch
from torch import nn
from torch.nn.utils import prune

from pruning_explorer.measure.recalibration import recalibrated_statistics
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.uncalled import release_readers


def masked_model(subject: Subject, masks: Masks) -> nn.Module:
    """A copy in eval mode that carries masks as ``torch.nn.utils.prune`` puts them on.

    Each pruned layer keeps ``weight_orig`` and ``weight_mask``, and a hook multiplies them before every forward pass.

    Raises:
        TargetError, MaskError, SubjectError: the masks are not for this subject, or BatchNorm cannot be recalibrated.
    """
    model = subject.copy_model()
    if masks.recalibrate:
        with torch.no_grad():
            for name, statistic in recalibrated_statistics(subject, masks).items():
                model.get_buffer(name).copy_(statistic)
    masks.apply(model)
    return model


def permanent_model(subject: Subject, masks: Masks) -> nn.Module:
    """A copy in eval mode after ``prune.remove``: no hook and no mask, the removed weights are zeros for good.

    Its shapes are those of the dense network.

    Raises:
        TargetError, MaskError, SubjectError: as :func:`masked_model`.
    """
    model = masked_model(subject, masks)
    for target in masks.targets:
        for name in (target.name, *target.aliases):
            path, _, leaf = name.rpartition(".")
            prune.remove(model.get_submodule(path), leaf)
    release_readers(model)
    return model
