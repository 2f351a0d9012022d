"""Quantised weights by the names of the tensors that they are stored in, scheme by scheme.

What a packed weight is read with (scales, zeros, tables of codes) is never a weight itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.sources.checkpoints.made_tensors import aligned

_FLOAT8 = frozenset(each for each in vars(torch).values() if isinstance(each, torch.dtype) and "float8" in str(each))
_PLAIN = frozenset((torch.int8, torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz))
"""Dtypes whose numbers stand one beside the other, each for one weight; float8_e8m0fnu holds scales."""
_PACKED = (torch.uint8, torch.int16, torch.int32, torch.uint16, torch.uint32)


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """One weight, as a scheme stores it.

    Attributes:
        name: of the weight in its network.
        scheme: for a person: ``"GPTQ, 4 bits"``.
        parts: all tensors that it is stored in.
        numbers: the one that holds a number for each weight; None where they are packed.
        scale: by which these are multiplied; None: by nothing.
        zero: what is taken from them first.
        divisor: of the scale.
        bits: the bitmask that says where ``numbers`` belong.
    """

    name: str
    scheme: str
    parts: tuple[str, ...]
    numbers: Tensor | None = None
    scale: Tensor | None = None
    zero: Tensor | None = None
    divisor: int = 1
    bits: Tensor | None = None
    shape: tuple[int, ...] = ()

    @property
    def dtype(self) -> torch.dtype:
        """Of the weight once it is computed: one that holds it exactly, as its tools compute it."""
        if self.bits is not None and self.numbers is not None:
            return self.numbers.dtype
        return torch.bfloat16 if self.scale is None else torch.float32  # bfloat16 holds every float8

    @property
    def nbytes(self) -> int:
        return aligned(int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize)


def find_quantised_layers(tensors: Mapping[str, Tensor]) -> Iterator[QuantisedLayer]:
    """Every weight that is stored so, in the order in which its tensors come; a tensor may be part of several.

    Known are GPTQ, AWQ, compressed-tensors (also its sparse bitmasks), bitsandbytes, quanto, torchao, FP8 as DeepSeek
    and ModelOpt write it, MXFP4, NVFP4, MLX, HQQ and AQLM; and float8 alone.
    """
    for name in tensors:
        for mark, read in _MARKS:
            if found := mark.fullmatch(name):
                layer = read(found, tensors)
                if layer is not None:
                    yield layer
                    break
    for name, tensor in tensors.items():
        if tensor.dtype in _PLAIN & _FLOAT8:
            yield QuantisedLayer(name, _dtype(tensor), (name,), tensor, shape=tuple(tensor.shape))


def _there(tensors: Mapping[str, Tensor], *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name in tensors)


def _parts(tensors: Mapping[str, Tensor], path: str, *leaves: str) -> tuple[str, ...]:
    return _there(tensors, *(f"{path}{leaf}" for leaf in leaves))


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _gptq(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    parts = _parts(tensors, path, "qweight", "qzeros", "scales", "g_idx")
    if f"{path}scales" not in parts:
        return None
    packed, outputs = tensors[f"{path}qweight"], tensors[f"{path}scales"].shape[-1]
    if packed.dim() != 2 or not packed.numel():
        return QuantisedLayer(f"{path}weight", "GPTQ", parts)
    if packed.shape[1] != outputs and outputs:  # [in, out / 8]; GPTQ packs along the other dim
        return QuantisedLayer(f"{path}weight", f"AWQ, {32 * packed.shape[1] // outputs} bits", parts)
    order = tensors.get(f"{path}g_idx")
    bits = f", {32 * packed.shape[0] // order.numel()} bits" if order is not None and order.numel() else ""
    return QuantisedLayer(f"{path}weight", f"GPTQ{bits}", parts)


def _packed_weight(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    of = ("packed", "scale", "shape", "zero_point", "g_idx", "global_scale")
    parts = _parts(tensors, path, *(f"weight_{leaf}" for leaf in of))
    parts += _parts(tensors, path, "scale_packed", "meta", "input_scale", "input_global_scale")
    packed, shape = tensors[f"{path}weight_packed"], tensors.get(f"{path}weight_shape")
    if f"{path}meta" in parts:
        scheme = "compressed-tensors, Marlin 2:4"
    elif packed.dtype == torch.uint8:
        scheme = "NVFP4" if f"{path}weight_global_scale" in parts else "MXFP4"
    else:
        inputs = int(shape.reshape(-1)[-1]) if shape is not None and shape.numel() else 0
        bits = f", {32 * packed.shape[-1] // inputs} bits" if inputs > 0 and packed.dim() else ""
        scheme = f"compressed-tensors{bits}"
    return QuantisedLayer(f"{path}weight", scheme, parts)


def _bitsandbytes_4(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    name = found["name"]
    tables = ("absmax", "quant_map", "nested_absmax", "nested_quant_map")
    parts = _there(tensors, name, found[0], *(f"{name}.{table}" for table in tables))
    return QuantisedLayer(name, f"bitsandbytes, {found['kind']}", parts)


def _bitsandbytes_8(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    numbers, scale = tensors.get(f"{path}weight"), tensors[found[0]]
    parts = _parts(tensors, path, "weight", "SCB", "weight_format")
    if numbers is None or numbers.dtype != torch.int8:
        return None
    read = partial(QuantisedLayer, f"{path}weight", "bitsandbytes, int8", parts)
    fits = numbers.dim() == 2 and scale.numel() == numbers.shape[0]
    return read(numbers, scale.reshape(-1, 1), divisor=127, shape=tuple(numbers.shape)) if fits else read()


def _quanto(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    name, path = found["name"], found["name"].rpartition(".")[0]
    parts = _there(tensors, found[0], f"{name}._scale", f"{name}._shift")
    if f"{name}._scale" not in parts:
        return None
    # Of activations, beside the layer's own
    parts += _there(tensors, f"{path}.input_scale", f"{path}.output_scale")
    numbers, shift = tensors[found[0]], tensors.get(f"{name}._shift")
    scheme = f"quanto, {_dtype(numbers)}"
    if shift is None and _scalable(numbers, tensors[f"{name}._scale"]):
        return QuantisedLayer(name, scheme, parts, numbers, tensors[f"{name}._scale"], shape=tuple(numbers.shape))
    return QuantisedLayer(name, scheme, parts)


def _torchao(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path, leaf = found["path"], found["leaf"]
    stem = f"{path}_{leaf}_"
    parts = _parts(tensors, stem, "qdata", "scale", "zero_point", "scale_and_zero", "per_tensor_scale")
    numbers, scale, zero = tensors[found[0]], tensors.get(f"{stem}scale"), tensors.get(f"{stem}zero_point")
    scheme = f"torchao, {_dtype(numbers)}"
    if scale is not None and _scalable(numbers, scale) and (zero is None or zero.shape == scale.shape):
        return QuantisedLayer(f"{path}{leaf}", scheme, parts, numbers, scale, zero, shape=tuple(numbers.shape))
    return QuantisedLayer(f"{path}{leaf}", scheme, parts)


def _bitmask(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    parts = _parts(tensors, path, "bitmask", "compressed", "shape", "row_offsets")
    if not {f"{path}compressed", f"{path}shape"} <= set(parts):
        return None
    bits, values = tensors[found[0]], tensors[f"{path}compressed"]
    shape = tuple(int(each) for each in tensors[f"{path}shape"].reshape(-1).tolist())
    fits = bits.dtype == torch.uint8 and len(shape) == 2 and min(shape) > 0
    fits = fits and tuple(bits.shape) == (shape[0], -(-shape[1] // 8))
    scheme = "compressed-tensors, sparse bitmask"
    if not fits or int(np.bitwise_count(bits.numpy()).sum()) != values.numel():
        return QuantisedLayer(f"{path}weight", f"{scheme} that does not fit its weights", parts)
    if values.dtype.itemsize < 2 or not values.is_floating_point():
        return QuantisedLayer(f"{path}weight", f"{scheme} of {_dtype(values)}", parts)
    return QuantisedLayer(f"{path}weight", scheme, parts, values, bits=bits, shape=shape)


def _microscaling(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    parts = _there(tensors, found[0], f"{found['name']}_scales")
    return (
        QuantisedLayer(found["name"], "MXFP4", parts)
        if len(parts) == 2 and tensors[found[0]].dtype == torch.uint8
        else None
    )


def _mlx(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    weight = tensors.get(f"{path}weight")
    parts = _parts(tensors, path, "weight", "scales", "biases")
    return (
        QuantisedLayer(f"{path}weight", "MLX", parts) if weight is not None and weight.dtype == torch.uint32 else None
    )


def _hqq(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    numbers = ("scale", "zero", "meta", "nbits", "group_size", "shape", "axis", "packing", "channel_wise", "optimize")
    more = ("round_zero", "view_as_float", "unpack_view_dtype", "compute_dtype", "quant_scale", "quant_zero")
    parts = _parts(tensors, path, "W_q", *numbers, *more, "offload_meta", "encoded_state_dict", "stores_quant_config")
    return QuantisedLayer(f"{path}weight", "HQQ", parts)


def _aqlm(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    path = found["path"]
    parts = _parts(tensors, path, "codes", "codebooks", "scales")
    return QuantisedLayer(f"{path}weight", "AQLM", parts) if len(parts) == 3 else None


def _scaled(found: re.Match[str], tensors: Mapping[str, Tensor]) -> QuantisedLayer | None:
    name = found["name"]
    numbers = tensors.get(name)
    if numbers is None or numbers.dtype not in (*_PLAIN, *_PACKED):
        return None
    path = name.rpartition(".")[0]
    ends = ("_scale", "_scale_inv", "_scales", "_scale_2", "_zero_point", "_zeros", "_qtype")
    parts = (name, *_there(tensors, *(f"{name}{end}" for end in ends)))
    parts += _there(tensors, f"{path}.input_scale", f"{path}.output_scale", f"{path}.input_zero_point")
    scale, zero = tensors[found[0]], tensors.get(f"{name}_zero_point")
    plain = f"{name}_scale_2" not in parts and f"{name}_scales" not in parts and f"{name}_zeros" not in parts
    if plain and _scalable(numbers, scale) and (zero is None or zero.shape == scale.shape):
        blocks = scale.dim() == 2 and min(scale.shape) > 1
        scheme = f"{_dtype(numbers)} with {'block scales' if blocks else 'scales'}"
        return QuantisedLayer(name, scheme, parts, numbers, scale, zero, shape=tuple(numbers.shape))
    return QuantisedLayer(name, "NVFP4" if f"{name}_scale_2" in parts else f"packed as {_dtype(numbers)}", parts)


_MARKS = tuple(
    (re.compile(mark), read)
    for mark, read in (
        (r"(?P<path>(?:.*\.)?)qweight", _gptq),
        (r"(?P<path>(?:.*\.)?)weight_packed", _packed_weight),
        (r"(?P<name>.+)\.quant_state\.bitsandbytes__(?P<kind>\w+)", _bitsandbytes_4),
        (r"(?P<path>(?:.*\.)?)SCB", _bitsandbytes_8),
        (r"(?P<name>.+?)(\._data)+", _quanto),
        (r"(?P<path>(?:.*\.)?)_(?P<leaf>\w+)_qdata", _torchao),
        (r"(?P<path>(?:.*\.)?)bitmask", _bitmask),
        (r"(?P<name>.+)_blocks", _microscaling),
        (r"(?P<path>(?:.*\.)?)scales", _mlx),
        (r"(?P<path>(?:.*\.)?)W_q", _hqq),
        (r"(?P<path>(?:.*\.)?)codebooks", _aqlm),
        (r"(?P<name>.+?)_(scale|scale_inv|scales)", _scaled),
    )
)


def _scalable(numbers: Tensor, scale: Tensor) -> bool:
    """Whether each number stands for one weight, and scales are one in all, one a row, or one a block."""
    if numbers.dtype not in _PLAIN or scale.is_meta or not scale.is_floating_point() or not numbers.dim():
        return False
    if scale.dtype in _FLOAT8:
        return False
    return scale.numel() == 1 or block_of(numbers.shape, scale.shape) is not None


def block_of(shape: Sequence[int], scales: Sequence[int]) -> tuple[int, ...] | None:
    """Sides of the blocks that have one scale each; None where the shapes do not go together."""
    if len(scales) == 1 and scales[0] == shape[0]:
        return (1, *shape[1:])
    if len(scales) != len(shape) or not all(scales):
        return None
    block = tuple(-(-size // count) for size, count in zip(shape, scales, strict=True))
    # The last block of a dim may be short; all others are whole
    fits = all(-(-size // side) == count for size, side, count in zip(shape, block, scales, strict=True))
    return block if fits else None
