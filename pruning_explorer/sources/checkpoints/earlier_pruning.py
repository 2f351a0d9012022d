"""Weights that somebody pruned before: each tool saves them and their masks under names of its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.made_tensors import MadeTensors, aligned, rows_at_once

TIED_MOST = 16
"""Further names of pruned weights whose masks are compared with those of the first; each is read whole for it."""


@dataclass(frozen=True)
class EarlierPruning:
    """How far a network was pruned before.

    Attributes:
        names: the parameters that came with a mask.
        zeros: weights that the masks remove.
        weights: weights that have a mask at all.
        tools: whose names for masks were found, ``"NVIDIA ModelOpt"``.
        code: lines of Python that fold the masks of ``weights``, a state_dict.
    """

    names: tuple[str, ...]
    zeros: int
    weights: int
    tools: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Pair:
    """One weight and its mask.

    Attributes:
        name: that the parameter has in the network.
        original: name of the tensor before the mask.
        mask: name of the mask.
        spare: other tensors that belong to the pair and go with it.
    """

    name: str
    original: str
    mask: str
    spare: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Tool:
    """How one tool names what it pruned.

    Attributes:
        name: of the tool.
        mask: a pattern for the names of its masks.
        pair: of a match, the pair that it would be.
        sure: whether a mask by such a name is one; else it is where it holds zeros and ones alone, and fits.
        code: lines that fold the masks of ``weights``.
    """

    name: str
    mask: re.Pattern[str]
    pair: Callable[[re.Match[str]], _Pair]
    sure: bool
    code: tuple[str, ...]


def _torch_pair(found: re.Match[str]) -> _Pair:
    return _Pair(found["stem"], f"{found['stem']}_orig", found[0])


def _modelopt_pair(found: re.Match[str]) -> _Pair:
    name = f"{found['path']}{found['leaf']}"
    return _Pair(name, name, found[0])


def _nncf_pair(found: re.Match[str]) -> _Pair:
    name = f"{found['path']}{found['operand'].replace(':', '.')}"
    return _Pair(name, name, found[0])


def _nni_pair(found: re.Match[str]) -> _Pair:
    name = f"{found['path']}{found['leaf']}"
    return _Pair(name, f"{found['path']}_nni_wrapper.{found['leaf']}", found[0], (name,))


def _nni_2_pair(found: re.Match[str]) -> _Pair:
    return _Pair(f"{found['path']}{found['leaf']}", f"{found['path']}module.{found['leaf']}", found[0])


def _beside_pair(found: re.Match[str]) -> _Pair:
    name = f"{found['path']}{found['leaf'] or 'weight'}"
    return _Pair(name, name, found[0])


_TOOLS = (
    _Tool(
        "torch.nn.utils.prune",
        re.compile(r"(?P<stem>.+)_mask"),
        _torch_pair,
        True,
        (
            "for name in [name for name in weights if name.endswith('_orig')]:",
            "    stem = name.removesuffix('_orig')",
            "    weights[stem] = weights.pop(name) * weights.pop(f'{stem}_mask')",
        ),
    ),
    _Tool(
        "NVIDIA ModelOpt",
        re.compile(r"(?P<path>(?:.*\.)?)_(?P<leaf>weight|bias)_mask"),
        _modelopt_pair,
        True,
        (
            "for mask in [name for name in weights if name.endswith('_mask')]:",
            "    path, _, leaf = mask.rpartition('.')",
            "    name = f'{path}.{leaf[1:]}'.removesuffix('_mask').removeprefix('.')",
            "    weights[name] = weights[name] * weights.pop(mask)",
        ),
    ),
    _Tool(
        "NNCF",
        re.compile(r"(?P<path>(?:.*\.)?)__nncf_hooks\.post_hooks\.(?P<operand>[^.]+)__0\.\d+\.binary_mask"),
        _nncf_pair,
        True,
        (
            "for mask in [name for name in weights if name.endswith('.binary_mask')]:",
            "    path, _, hook = mask.partition('__nncf_hooks.post_hooks.')",
            "    name = path + hook.partition('__0.')[0].replace(':', '.')",
            "    weights[name] = weights[name] * weights.pop(mask)",
        ),
    ),
    _Tool(
        "NNI",
        re.compile(r"(?P<path>(?:.*\.)?)_nni_wrapper\.(?P<leaf>\w+)_mask"),
        _nni_pair,
        True,
        (
            "for mask in [name for name in weights if '_nni_wrapper.' in name and name.endswith('_mask')]:",
            "    original = mask.removesuffix('_mask')",
            "    weights[original.replace('_nni_wrapper.', '')] = weights.pop(original) * weights.pop(mask)",
        ),
    ),
    _Tool(
        "NNI 2",
        re.compile(r"(?P<path>(?:.*\.)?)(?P<leaf>weight|bias)_mask"),
        _nni_2_pair,
        True,
        (
            "for mask in [name for name in weights if name.endswith(('weight_mask', 'bias_mask'))]:",
            "    path, _, leaf = mask.removesuffix('_mask').rpartition('.')",
            "    weights[f'{path}.{leaf}'] = weights.pop(f'{path}.module.{leaf}') * weights.pop(mask)",
        ),
    ),
    _Tool(
        "masks beside the weights",
        re.compile(r"(?P<path>(?:.*\.)?)(?:mask|(?P<leaf>weight|bias)_mask)"),
        _beside_pair,
        False,
        (
            "for mask in [name for name in weights if name.endswith(('.mask', 'weight_mask', 'bias_mask'))]:",
            "    path, _, leaf = mask.rpartition('.')",
            '    name = f\'{path}.{leaf.removesuffix("mask").rstrip("_") or "weight"}\'.removeprefix(\'.\')',
            "    weights[name] = weights[name] * weights.pop(mask)",
        ),
    ),
)


def fold_masks(tensors: Mapping[str, Tensor], label: str, most: int) -> tuple[dict[str, Tensor], EarlierPruning]:
    """Put what the network computes with in the place of each weight that has a mask.

    All of them at once, because a weight is a plain tensor to everything that looks at it. What is made lies in a
    temporary file that has no name, so it takes no more memory than the weights that are looked at.

    Args:
        label: what to call the file they come from.
        most: bytes that may be made; those of the file are always enough, unless it lies.

    Raises:
        SubjectError: a mask does not fit, or holds other numbers than 0 and 1.
    """
    pairs = dict(_pairs(tensors, label))
    twins = _tied_alike(pairs, tensors)
    nbytes = sum(aligned(tensors[pair.original].nbytes) for pair in pairs if pair not in twins)
    if nbytes > most + 64:
        raise SubjectError(f"{label} holds masks for more weights than it has bytes, so it is damaged; save it again")
    made = MadeTensors(nbytes, label, "weights under their masks")
    by_original = {pair.original: pair for pair in pairs}
    gone_with_it = {name for pair in pairs for name in (pair.mask, pair.original, *pair.spare)}
    folded: dict[str, Tensor] = {}
    zeros = weights = 0
    for name, tensor in tensors.items():
        pair = by_original.get(name)
        if pair is not None and pair in twins and twins[pair].name in folded:
            folded[pair.name] = folded[twins[pair].name]
        elif pair is not None:
            what = f"{pair.mask[:80]!r} in {label}"
            folded[pair.name], gone = _fold(tensor, tensors[pair.mask], made, what)
            zeros, weights = zeros + gone, weights + tensor.numel()
        elif name not in gone_with_it:
            folded[name] = tensor
    tools = tuple(dict.fromkeys(pairs.values()))
    return folded, EarlierPruning(
        tuple(pair.name for pair in pairs),
        zeros,
        weights,
        tuple(tool.name for tool in tools),
        tuple(line for tool in tools for line in tool.code),
    )


def _tied_alike(pairs: Iterable[_Pair], tensors: Mapping[str, Tensor]) -> dict[_Pair, _Pair]:
    """Pairs of tied weights under equal masks, and the first of each: these stay tied."""
    first: dict[object, _Pair] = {}
    twins: dict[_Pair, _Pair] = {}
    order = {name: place for place, name in enumerate(tensors)}
    for pair in sorted(pairs, key=lambda each: order[each.original]):
        original, mask = tensors[pair.original], tensors[pair.mask]
        known = first.setdefault((original.data_ptr(), original.shape, original.stride(), original.dtype), pair)
        if known is not pair and len(twins) < TIED_MOST and torch.equal(tensors[known.mask], mask):
            twins[pair] = known
    return twins


def _pairs(tensors: Mapping[str, Tensor], label: str) -> Iterator[tuple[_Pair, _Tool]]:
    taken: set[str] = set()
    for name, mask in tensors.items():
        if not name.endswith("mask") or not _foldable(mask):
            continue
        for tool in _TOOLS:
            found = tool.mask.fullmatch(name)
            pair = found and tool.pair(found)
            if not pair or pair.original not in tensors or pair.original in taken:
                continue
            if pair.name != pair.original and pair.name in tensors and pair.name not in pair.spare:
                continue
            original = tensors[pair.original]
            if not _foldable(original):
                continue
            if tool.sure and original.shape != mask.shape:
                shapes = f"{tuple(mask.shape)} and {tuple(original.shape)}"
                raise SubjectError(f"{name[:80]!r} in {label} does not fit its weights: {shapes}; save it again")
            if tool.sure or (original.shape == mask.shape and _is_mask(mask)):
                taken.add(pair.original)
                yield pair, tool
                break


def _foldable(tensor: Tensor) -> bool:
    # On the CPU float8 cannot even be compared with 0
    return not tensor.is_meta and (tensor.dtype.itemsize > 1 or not tensor.is_floating_point())


def _is_mask(tensor: Tensor) -> bool:
    rows = rows_at_once(tensor.shape)
    return tensor.dim() > 0 and all(torch.equal((each != 0).to(each.dtype), each) for each in tensor.split(rows))


def _fold(original: Tensor, mask: Tensor, made: MadeTensors, what: str) -> tuple[Tensor, int]:
    result = made.take(original.shape, original.dtype)
    rows = rows_at_once(original.shape)
    gone = 0
    for to, weights, kept in zip(
        *(torch.atleast_1d(each).split(rows) for each in (result, original, mask)), strict=True
    ):
        held = kept != 0
        if not torch.equal(held.to(kept.dtype), kept):
            raise SubjectError(f"{what} holds other numbers than 0 and 1, so it is no mask; save it again")
        torch.where(held, weights, torch.zeros((), dtype=weights.dtype), out=to)
        gone += held.numel() - int(torch.count_nonzero(held))
    return result, gone
