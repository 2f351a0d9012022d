"""How many multiply-adds torch's operators do, from the shapes that they are called with.

Of products alone: matrix products, convolutions, recurrent layers, attention. Where ``torch.utils.flop_counter`` has a
formula the number is half of its own; it has none for a product with one vector, ``Bilinear``, grouped products,
recurrent layers by oneDNN, quantised layers, and attention's kernels on a CPU.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Product:
    """One product.

    Attributes:
        macs: its multiply-adds.
        factors: what is multiplied. A weight among it takes part in all of ``macs``.
    """

    macs: int
    factors: tuple[Tensor, ...] = ()


def products_of(func: Any, args: Any, output: Any) -> list[Product] | None:
    """The products that one call of an operator carries out; None where there is no formula for it.

    Args:
        func: an overload of an operator, as a dispatch mode is given it.
        args: its positional arguments.
        output: what it returned. Tensors may be on the meta device.
    """
    formula = FORMULAS.get(func._schema.name)
    return None if formula is None else formula(args, output)


def _matrix(first: int) -> Callable[[Any, Any], list[Product]]:
    """A product of matrices, or batches of them, ``[..., M, K] x [..., K, N]``, which stand at ``first`` and behind."""

    def count(args: Any, _output: Any) -> list[Product]:
        left, right = args[first], args[first + 1]
        return [Product(left.numel() * right.shape[-1], (left, right))]

    return count


def _vector(first: int) -> Callable[[Any, Any], list[Product]]:
    """A product ``[M, K] x [K]``, or of two vectors."""

    def count(args: Any, _output: Any) -> list[Product]:
        left, right = args[first], args[first + 1]
        return [Product(left.numel(), (left, right))]

    return count


def _grouped(args: Any, _output: Any) -> list[Product]:
    # Rows [T, K], sorted by group, each by the matrix of its group [G, K, N]; or the other three ways round
    left, right = args[:2]
    columns_in_groups = left.dim() == 3 and right.dim() == 2
    macs = left.shape[1] * right.numel() if columns_in_groups else left.numel() * right.shape[-1]
    return [Product(macs, (left, right))]


def _convolution(args: Any, output: Any) -> list[Product]:
    inputs, weight, transposed = args[0], args[1], bool(args[6])
    # Each place of what comes out, or of what goes in, takes every weight once; padding is multiplied, too
    places = inputs if transposed else output
    return [Product(len(inputs) * prod(places.shape[2:]) * weight.numel(), (inputs, weight))]


def _trilinear(args: Any, _output: Any) -> list[Product]:
    # First two factors are multiplied and summed over the dims that the third does not have, then the third comes in
    one, two, three = (with_dims(tensor.shape, dims) for tensor, dims in zip(args[:3], args[3:6], strict=True))
    pair = [max(sizes) for sizes in zip(one, two, strict=True)]
    left = [1 if dim in args[6] and dim in args[5] else size for dim, size in enumerate(pair)]
    rest = prod(max(sizes) for sizes in zip(left, three, strict=True))
    return [Product(prod(pair), tuple(args[:2])), Product(rest, (args[2],))]


def with_dims(shape: tuple[int, ...], dims: list[int]) -> list[int]:
    """Sizes of a tensor that got a dim of size 1 at each of these places, one after the other."""
    sizes = list(shape)
    for dim in dims:
        sizes.insert(dim, 1)
    return sizes


def _recurrent(args: Any, _output: Any) -> list[Product]:
    # One layer in one direction: inputs [T, N, I] by [G, I], states [T, N, H] by [G, H]
    steps = prod(args[0].shape[:-1])
    return [Product(steps * weight.numel(), (weight,)) for weight in args[1:3]]


def _attention(args: Any, _output: Any) -> list[Product]:
    # Queries [N, H, L, E], keys [N, G, S, E], values [N, G, S, V]; causal or not, torch counts all
    query, key, value = args[:3]
    keys = key.shape[-2]
    return [
        Product(query.numel() * keys, (query, key)),
        Product(prod(query.shape[:-1]) * keys * value.shape[-1], (value,)),
    ]


def _native_attention(args: Any, _output: Any) -> list[Product]:
    query, key, value, width, _, inward, _, outward = args[:8]
    rows = [prod(each.shape[:-1]) for each in (query, key, value)]
    return [
        Product(sum(rows) * inward.numel() // 3, (inward,)),
        Product(rows[0] * outward.numel(), (outward,)),
        Product(2 * rows[0] * key.shape[-2] * width),
    ]


def _quantised_linear(args: Any, output: Any) -> list[Product]:
    return [Product(args[0].numel() * output.shape[-1])]


def _quantised_convolution(args: Any, output: Any) -> list[Product]:
    weight = args[1].unpack()[0]
    return [Product(len(output) * prod(output.shape[2:]) * weight.numel())]


FORMULAS: Mapping[str, Callable[[Any, Any], list[Product]]] = {
    **{f"aten::{name}": _matrix(0) for name in ("mm", "bmm", "_int_mm", "_scaled_mm")},
    **{f"aten::{name}": _matrix(1) for name in ("addmm", "addmm_", "baddbmm", "baddbmm_", "addbmm", "addbmm_")},
    "aten::_addmm_activation": _matrix(1),
    **{f"aten::{name}": _vector(0) for name in ("mv", "dot", "vdot")},
    **{f"aten::{name}": _vector(1) for name in ("addmv", "addmv_")},
    "aten::_grouped_mm": _grouped,
    "transformers::grouped_mm_fallback": _grouped,
    **{f"aten::{name}": _convolution for name in ("convolution", "_convolution", "convolution_overrideable")},
    "aten::_trilinear": _trilinear,
    "aten::mkldnn_rnn_layer": _recurrent,
    **{
        f"aten::_scaled_dot_product_{kind}": _attention
        for kind in (
            *("flash_attention_for_cpu", "flash_attention", "efficient_attention", "cudnn_attention"),
            "fused_attention_overrideable",
        )
    },
    "aten::_native_multi_head_attention": _native_attention,
    **{f"quantized::linear{kind}": _quantised_linear for kind in ("", "_relu", "_dynamic", "_relu_dynamic")},
    **{f"quantized::linear{kind}_fp16": _quantised_linear for kind in ("_dynamic", "_relu_dynamic")},
    **{f"quantized::conv{n}d{kind}": _quantised_convolution for n in (1, 2, 3) for kind in ("", "_relu", "_dynamic")},
}
"""For each operator by name, the function that lists its products from its positional arguments and its output."""
