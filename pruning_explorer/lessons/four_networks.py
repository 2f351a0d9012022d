"""The same pruning in four forms: dense, masked, made permanent, and with its empty channels cut out."""

from dataclasses import dataclass

import torch
from torch import nn

from pruning_explorer.exports.cut_channels import Cut, cut_channels
from pruning_explorer.exports.pruned_models import masked_model, permanent_model
from pruning_explorer.measure.cost import cost_totals, dense_cost
from pruning_explorer.measure.drift import drift_totals
from pruning_explorer.measure.footprint import bytes_in_memory, bytes_on_disk
from pruning_explorer.measure.forward import dense_outputs, masked_outputs
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.network import require_samples
from pruning_explorer.prune.subject import Subject

DENSE, MASKED, PERMANENT, CUT = FORMS = ("dense", "masked", "made permanent", "cut out")


@dataclass(frozen=True, eq=False)
class FourNetworks:
    """Copies of one network, all in eval mode.

    Attributes:
        models: of each of :data:`FORMS`. Only the masked one has hooks.
        cut: what was cut out of the last of them.
    """

    models: dict[str, nn.Module]
    cut: Cut


def make_networks(subject: Subject, masks: Masks) -> FourNetworks:
    """All four forms, each with tensors of its own.

    Raises:
        SubjectError: nothing can be cut out of the network, or it has no samples.
        TargetError, MaskError: the masks are not for it.
    """
    cut = cut_channels(subject, masks)
    three = (subject.copy_model(), masked_model(subject, masks), permanent_model(subject, masks))
    models = dict(zip(FORMS, (*three, cut.model), strict=True))
    return FourNetworks({name: model.requires_grad_(False) for name, model in models.items()}, cut)


def count_macs(subject: Subject, masks: Masks, cut: Subject) -> dict[str, float]:
    """Multiply-adds of one sample in each form: of dense kernels on what is left, or *theoretical* under a mask.

    Theoretical is what kernels would compute that skip every zero; dense ones compute as much as without a mask.
    """
    totals = cost_totals(subject, masks)
    theoretical = float(totals["macs_theoretical"])
    counts = (float(totals["macs_dense"]), theoretical, theoretical, float(dense_cost(cut).macs))
    return dict(zip(FORMS, counts, strict=True))


def cut_subject(subject: Subject, masks: Masks, model: nn.Module) -> Subject:
    """The cut network on the same samples, for the measures."""
    name, identity = f"{subject.name}, cut", (masks.recipe_id or "").encode()
    return Subject.from_module(model, require_samples(subject), name=name, identity=identity)


@dataclass(frozen=True)
class Counted:
    """What is known of the four forms without running a clock; by form.

    Attributes:
        numbers: in the file: weights, biases, masks, statistics.
        on_disk, in_memory: bytes.
        macs: multiply-adds of one sample that dense kernels carry out, whatever is zero.
        macs_theoretical: of the masked network, for kernels that would skip every zero.
        channels_empty, channels_removed: left without weights by the masks, and cut out.
        agreement: fraction of the samples on which the masked and the cut network answer the same, in [0, 1]; NaN
            where there is one output only.
        difference: the largest of all differences between their outputs.
        quality: of the masked and of the cut network, in [0, 1]; None where nothing judges them.
    """

    numbers: dict[str, int]
    on_disk: dict[str, int]
    in_memory: dict[str, int]
    macs: dict[str, int]
    macs_theoretical: float
    channels_empty: int
    channels_removed: int
    agreement: float
    difference: float
    quality: tuple[float | None, float | None]


def count_up(subject: Subject, masks: Masks) -> Counted:
    """Make all four forms, and count what each takes.

    Raises:
        SubjectError, TargetError, MaskError: as :func:`make_networks`.
    """
    four = make_networks(subject, masks)
    models = four.models
    smaller = cut_subject(subject, masks, models[CUT])
    masked, cut = masked_outputs(subject, masks), dense_outputs(smaller)
    macs = count_macs(subject, masks, smaller)
    return Counted(
        {name: sum(tensor.numel() for tensor in model.state_dict().values()) for name, model in models.items()},
        {name: bytes_on_disk(model) for name, model in models.items()},
        {name: bytes_in_memory(model) for name, model in models.items()},
        {form: int(macs[CUT] if form == CUT else macs[DENSE]) for form in FORMS},
        macs[MASKED],
        four.cut.channels_empty,
        four.cut.channels_removed,
        float(drift_totals(masked, cut)["agreement"]),
        float(torch.max(torch.abs(masked - cut))),
        (quality_of(subject, masked), quality_of(subject, cut)),
    )
