"""Scores and masks of one's own, from a file: what ``importance_scores`` and ``custom_from_mask`` are in torch."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from pruning_explorer.errors import MaskError, ScoreError
from pruning_explorer.prune import own_scores
from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.settings import Setting, Value
from pruning_explorer.prune.sorting import as_ranked
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

Kind = Literal["scores", "mask"]

FILE = Setting("file", "File", "The id that the loaded file has, made of its content.", "")


def scores(scoring: Scoring, target: Target) -> Tensor:
    """The scores that the file has for this target, of its shape; a higher score is kept.

    Raises:
        ScoreError: the file is not loaded, or has no scores, of another shape, negative, or not finite.
    """
    given = _tensor_of(scoring, target, "scores")
    found = _real(given)
    if not bool(found.isfinite().all()):
        raise ScoreError(f"the scores of {target.name} hold NaN or infinite values; give finite ones")
    if bool((found < 0).any()):
        raise ScoreError(f"the scores of {target.name} hold negative values; give their absolute values, or shift them")
    return scoring.granularity.group_scores(found.contiguous())


def _real(given: Tensor) -> Tensor:
    """Every number as it is: whole ones of 32 bits and more have no room in float32."""
    return given.double() if not given.is_floating_point() and given.itemsize > 2 else as_ranked(given)


def mask(scoring: Scoring, target: Target) -> Tensor:
    """1 where the file's mask keeps a weight, 0 where it removes it; a group of kept weights has their norm.

    Raises:
        ScoreError: the file is not loaded, or has no mask for this target.
        MaskError: the mask is of another shape, or has values other than 0 and 1.
    """
    return scoring.granularity.group_scores(_kept(scoring, target).float().contiguous())


def kept_by_mask(scoring: Scoring, target: Target) -> Tensor:
    """Bool per group: whether the mask keeps any weight of it, so that it never goes."""
    shape = scoring.granularity.group_shape(target.shape)
    kept = _kept(scoring, target)
    if shape == target.shape:
        return kept
    groups = torch.arange(torch.Size(shape).numel()).view(shape)
    of_weight = scoring.granularity.expand(groups, target.shape).reshape(-1)
    return torch.zeros(shape, dtype=torch.bool).view(-1).index_fill_(0, of_weight[kept.reshape(-1)], True).view(shape)


def _kept(scoring: Scoring, target: Target) -> Tensor:
    given = _tensor_of(scoring, target, "mask")
    if given.dtype != torch.bool and not bool(((given == 0) | (given == 1)).all()):
        raise MaskError(f"the mask of {target.name} has values other than 0 and 1; 1 keeps a weight, 0 removes it")
    return given.bool()


def _tensor_of(scoring: Scoring, target: Target, kind: Kind) -> Tensor:
    held = own_scores.get(str(scoring.settings.get("file", "")))
    _refuse_strangers(held, scoring.subject, kind)
    given = _find(held, target)
    if given is None:
        raise ScoreError(f"the file has no {kind} for {target.name}; leave that layer out, or add it to the file")
    if tuple(given.shape) != target.shape:
        error = MaskError if kind == "mask" else ScoreError
        raise error(
            f"the {kind} of {target.name} in the file {'has' if kind == 'mask' else 'have'} shape "
            f"{tuple(given.shape)}, the weight {target.shape}; was it made for another network?"
        )
    return given


def _find(held: Mapping[str, Tensor], target: Target) -> Tensor | None:
    return next((held[name] for name in (target.name, *target.aliases) if name in held), None)


def _refuse_strangers(held: Mapping[str, Tensor], subject: Subject, kind: Kind) -> None:
    known = {name for target in subject.targets for name in (target.name, *target.aliases)}
    strangers = [name for name in held if name not in known]
    if strangers:
        raise ScoreError(
            f"the file has {'a mask' if kind == 'mask' else 'scores'} for {', '.join(strangers[:3])}"
            f"{', …' * (len(strangers) > 3)}, and {subject.name} has no such parameter that can be pruned; its first "
            f"is {subject.targets[0].name}"
        )


def _missing(file: str, kind: Kind, subject: Subject) -> str | None:
    try:
        _refuse_strangers(own_scores.get(file), subject, kind)
    except ScoreError as error:
        return str(error)
    return None


def _refuse(file: str, kind: Kind, subject: Subject, target: Target) -> str | None:
    if _missing(file, kind, subject):
        return None  # that is for the whole subject to say
    return None if _find(own_scores.get(file), target) is not None else f"the file has no {kind} for it"


def _bind(kind: Kind, criterion: Criterion, settings: Mapping[str, Value]) -> Criterion:
    file = str(settings["file"])
    return replace(criterion, lacks=partial(_missing, file, kind), refuse=partial(_refuse, file, kind))


OWN_SCORES = Criterion(
    "scores",
    "Own scores",
    "Scores of your own from a file: one for each weight, the lowest go first.",
    scores,
    static=True,
    settings=(FILE,),
    advice="A .safetensors or .npz file with a tensor for each layer, by the name and in the shape of its weight.",
    bind=partial(_bind, "scores"),
)
OWN_MASK = Criterion(
    "mask",
    "Own mask",
    "A mask of your own from a file: what it keeps never goes.",
    mask,
    static=True,
    settings=(FILE,),
    advice="An amount of 1 removes all that the mask removes, and no more.",
    protect=kept_by_mask,
    names_targets=True,
    bind=partial(_bind, "mask"),
)
