"""What is saved of a pruned network: weights with zeros, masks, or the pairs that ``torch.nn.utils.prune`` makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pruning_explorer.errors import ExportError, theirs
from pruning_explorer.exports.in_turn import MasksInTurn
from pruning_explorer.exports.tensor_values import Folded, MaskValues, Original, Values, Whole, in_pieces
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target, is_lazy

What = Literal["weights", "masks", "prune"]

WHATS: Mapping[What, str] = MappingProxyType(
    {
        "weights": "the network's tensors, zero where weights are removed",
        "masks": "one bool for each weight, True = kept",
        "prune": "weight_orig and weight_mask, as torch.nn.utils.prune keeps them",
    }
)
"""What can be saved, and what it is."""

OURS = "pruning_explorer."
"""Prefix of the names that we write into a file's metadata."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The tensors and metadata that one file holds.

    Attributes:
        values: tensors by name, in the network's order.
        aliases: further name of a tensor -> the name under which ``values`` has it.
        versions: of each module by its path, as ``state_dict`` keeps them; empty where there are none.
        metadata: text by key for the file's header, where its format has one.
    """

    what: What
    values: Mapping[str, Values]
    aliases: Mapping[str, str]
    versions: Mapping[str, Any]
    metadata: Mapping[str, str]

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(each.nbytes for each in self.values.values())


def contents_of(
    subject: Subject,
    targets: Sequence[Target],
    masks: Mapping[str, Tensor] | MasksInTurn,
    what: What,
    *,
    statistics: Mapping[str, Tensor] = MappingProxyType({}),
    recipe: Recipe | None = None,
) -> Contents:
    """The contents of a file, by the names of the network's ``state_dict``. No weight is read yet.

    Args:
        targets, masks: what is pruned, and each one's mask by name; a mask is asked for when it is written.
        statistics: buffers by name that stand in for the network's own: BatchNorm's, measured again.
        recipe: that made the masks, for the file's metadata.

    Raises:
        ExportError: something in the network cannot be saved.
    """
    if what not in WHATS:
        raise ExportError(f"{what!r} cannot be saved; choose one of {', '.join(WHATS)}")
    said = _metadata(subject, what, recipe, bool(statistics) and what != "masks")
    values: dict[str, Values] = {}
    if what == "masks":
        for each in targets:
            values[each.name] = MaskValues(each.shape, torch.bool, partial(_mask_pieces, masks, each.name))
        return Contents(what, values, {alias: each.name for each in targets for alias in each.aliases}, {}, said)
    state, versions = _state(subject)
    of = {id(subject.model.get_parameter(target.name)): target for target in targets}
    measured = {id(subject.model.get_buffer(name)): value for name, value in statistics.items()}
    aliases: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in state.items():
        target = of.get(id(tensor))
        paired = target is not None and what == "prune"
        ends = ("_orig", "_mask") if paired else ("",)
        if paired and (taken := {f"{name}{end}" for end in ends} & state.keys()):
            raise ExportError(f"{subject.name} has a tensor {min(taken)} already; save the weights instead")
        if id(tensor) in first:
            aliases |= {f"{name}{end}": f"{first[id(tensor)]}{end}" for end in ends}
            continue
        first[id(tensor)] = name
        if target is None:
            values[name] = Whole(_measured(measured.get(id(tensor)), tensor))
            continue
        mask = partial(_mask_pieces, masks, target.name)
        if paired:
            values[f"{name}_orig"] = Original(tensor, mask, name)
            values[f"{name}_mask"] = MaskValues(target.shape, target.dtype, mask)
        else:
            values[name] = Folded(tensor, mask)
    if missing := {target.name for target in of.values()} - {of[key].name for key in of.keys() & first.keys()}:
        raise ExportError(f"{min(missing)} is no part of the state_dict of {subject.name}; save the masks instead")
    return Contents(what, values, aliases, versions, said)


def _mask_pieces(masks: Mapping[str, Tensor] | MasksInTurn, name: str) -> Iterator[Tensor]:
    return masks.pieces(name) if isinstance(masks, MasksInTurn) else in_pieces(masks[name])


def _measured(value: Tensor | None, own: Tensor) -> Tensor:
    return own if value is None else value.to(own.dtype)


def _state(subject: Subject) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of ``state_dict``, the network's own objects, and the versions of its modules."""
    subject.check_files()
    try:
        state = subject.model.state_dict(keep_vars=True)
    except BaseException as error:  # a module of somebody's own may do anything here
        if not theirs(error):
            raise
        raise ExportError(
            f"the state_dict of {subject.name} cannot be made ({type(error).__name__}: {str(error)[:200]}); save the "
            "masks instead"
        ) from error
    for name, each in state.items():
        if reason := _why_not(each):
            raise ExportError(f"{name} of {subject.name} {reason}; save the masks instead")
    away = [name for name in subject.refused if name not in state and f"{name}_orig" not in state]
    if away and not subject.runnable:
        raise ExportError(f"{away[0]} of {subject.name} is {subject.refused[away[0]]}; save the masks instead")
    versions = dict(getattr(state, "_metadata", {}))
    known = any(each.get("version") is not None for each in versions.values())
    return dict(state), versions if known else {}


def _why_not(each: object) -> str | None:
    if not isinstance(each, Tensor):
        return f"is no tensor but {type(each).__name__}"
    if is_lazy(each):
        return "is not initialised yet: run the network once first"
    if each.is_meta:
        return "is on the meta device: it has a shape and no values"
    if each.is_quantized or each.layout is not torch.strided:
        return "is quantised or sparse, and dense tensors alone are saved here"
    plain = type(each).__torch_dispatch__ is Tensor.__torch_dispatch__ or isinstance(each, nn.Parameter)
    return None if plain else f"is of a kind of its own, {type(each).__name__}"


def _metadata(subject: Subject, what: What, recipe: Recipe | None, recalibrated: bool) -> dict[str, str]:
    said = {name: text for name, text in subject.file_metadata.items() if not name.startswith(OURS)}
    said["format"] = "pt"  # what transformers asks for
    own: Iterator[tuple[str, str | None]] = iter(
        [
            ("saved", what),
            ("network", subject.name),
            ("network_id", subject.id),
            ("network_origin", subject.origin or None),
            ("recipe", None if recipe is None else recipe.to_json()),
            ("recipe_id", None if recipe is None else recipe.id),
            ("batchnorm_recalibrated", "true" if recalibrated else None),
        ]
    )
    return said | {f"{OURS}{name}": text for name, text in own if text is not None}
