"""The tensors of an exported program, as views of the file."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.exported.archive import AGAIN, Archive
from pruning_explorer.sources.exported.pieces import DTYPES, STRIDED, path_of, whole

MOST_TENSORS = 100_000


def read_state(archive: Archive, model: str) -> dict[str, Tensor]:
    """Parameters, buffers and constants by their paths; what is tied in the file is one tensor here.

    Raises:
        SubjectError: one is no plain tensor, or does not fit into its record.
    """
    state: dict[str, Tensor] = {}
    known: dict[tuple[Any, ...], Tensor] = {}
    for folder in ("weights", "constants"):
        config = archive.json(f"data/{folder}/{model}_{folder}_config.json").get("config")
        if not isinstance(config, dict) or len(config) > MOST_TENSORS:
            raise SubjectError(f"its list of {folder} cannot be read; {AGAIN}")
        for path, entry in config.items():
            if path in state:
                raise SubjectError(f"its tensor {path[:80]!a} is there twice; {AGAIN}")
            try:
                path_of(path)
                state[path] = _read(archive, folder, entry, known)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise SubjectError(
                    f"its tensor {path[:80]!a} cannot be read ({type(error).__name__}: {str(error)[:80]!a}); {AGAIN}"
                ) from None
    return state


def _read(archive: Archive, folder: str, entry: Mapping[str, Any], known: dict[tuple[Any, ...], Tensor]) -> Tensor:
    if entry["use_pickle"] is not False or entry["tensor_meta"] is None:
        raise SubjectError(
            "its weights are in part a pickle, which is never opened here; export a network of plain tensors, or save "
            "its state_dict alone"
        )
    meta = entry["tensor_meta"]
    if meta["layout"] != STRIDED:
        raise ValueError("a sparse tensor")
    dtype = DTYPES[whole(meta["dtype"])]
    sizes, strides = ([_size(each) for each in meta[key]] for key in ("sizes", "strides"))
    offset = _size(meta["storage_offset"])
    record = f"data/{folder}/{entry['path_name']}"
    key = (record, dtype, tuple(sizes), tuple(strides), offset, entry["is_param"])
    if key not in known:
        tensor = _view(archive.numbers(record, dtype), sizes, strides, offset)
        if entry["is_param"] is True:
            real = tensor.is_floating_point() or tensor.is_complex()
            tensor = nn.Parameter(tensor, requires_grad=real and dtype.itemsize > 1)
        known[key] = tensor
    return known[key]


def _view(flat: Tensor, sizes: list[int], strides: list[int], offset: int) -> Tensor:
    if len(sizes) != len(strides) or len(sizes) > 32:
        raise ValueError("sizes and strides differ in number")
    count = prod(sizes)
    furthest = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if count and (count > flat.numel() or furthest >= flat.numel()):
        raise ValueError(f"shape {sizes} needs more than the {flat.numel()} numbers of its record")
    return flat.as_strided(sizes, strides, offset) if count else torch.empty(sizes, dtype=flat.dtype)


def _size(size: Any) -> int:
    value = whole(size["as_int"])
    if not 0 <= value < 1 << 48:
        raise ValueError("a size that is no whole number")
    return value
