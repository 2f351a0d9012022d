"""The operators that an exported program may use, and how much work they are.

The list is of what is allowed, so what torch adds is not until it stands here. Left out on purpose: all that reads or
writes a file, or calls code by name; what draws numbers at random; what has a size that depends on values (``nonzero``,
``item``), which cannot be bounded before it is run; kernels that trust their arguments (``embedding_bag``); all
operators of control flow and of other libraries. What gives memory that nobody wrote to (``empty``) gives zeros here.
"""

import math
import operator
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.products import products_of, with_dims

_ALSO_IN_PLACE = """
abs acos acosh add addcdiv addcmul alpha_dropout asin asinh atan atan2 atanh bitwise_and bitwise_not bitwise_or
bitwise_xor ceil celu clamp clamp_max clamp_min clip copysign cos cosh cumprod cumsum deg2rad detach div divide dropout
elu eq erf erfc exp exp2 expm1 feature_alpha_dropout feature_dropout fill floor floor_divide fmod frac ge gelu greater
greater_equal gt hardsigmoid hardswish hardtanh index_add index_copy index_fill index_put le leaky_relu lerp less
less_equal log log10 log1p log2 logical_and logical_not logical_or logical_xor logit lt masked_fill masked_scatter mish
mul multiply nan_to_num ne neg negative not_equal pow rad2deg reciprocal relu relu6 remainder round rsqrt scatter
scatter_add scatter_reduce selu sgn sigmoid sign silu sin sinh sqrt square squeeze sub subtract swapaxes swapdims t tan
tanh threshold transpose tril triu true_divide trunc unsqueeze xlogy
"""

_ALONE = """
__and__ __iand__ __ior__ __ixor__ __or__ __xor__ _adaptive_avg_pool2d _adaptive_avg_pool3d _conj _conj_physical
_log_softmax _native_batch_norm_legit_no_training _prelu_kernel _safe_softmax _softmax _to_copy _unsafe_index
_unsafe_view _upsample_bicubic2d_aa _upsample_bilinear2d_aa _weight_norm _weight_norm_interface adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d addmm addmv
affine_grid_generator alias alias_copy all amax amin aminmax angle any arange argmax argmin argsort as_strided
as_strided_copy atleast_1d atleast_2d atleast_3d avg_pool1d avg_pool2d avg_pool3d baddbmm batch_norm bilinear
blackman_window bmm broadcast_tensors broadcast_to bucketize cat channel_shuffle chunk clone col2im column_stack complex
concat concatenate conj conj_physical constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d
conv_transpose3d convolution copy copy_ cosine_similarity count_nonzero cross cummax cummin detach_copy diag diag_embed
diagonal diagonal_copy diff dot dstack einsum embedding expand expand_as expand_copy eye fft_fft fft_fft2 fft_fftfreq
fft_fftn fft_fftshift fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft fft_irfft fft_irfft2 fft_irfftn
fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn flatten flip fliplr flipud float_power full full_like gather glu grid_sampler
grid_sampler_2d grid_sampler_3d group_norm gru gru_cell hamming_window hann_window hardshrink hstack im2col imag index
index_select instance_norm isclose isfinite isinf isnan isneginf isposinf istft layer_norm ldexp lift_fresh
lift_fresh_copy linalg_vector_norm linear linspace log_sigmoid log_softmax logaddexp logcumsumexp logsumexp lstm
lstm_cell mT matmul max max_pool1d max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices maximum mean
median meshgrid min minimum mm moveaxis movedim mv nanmean nansum narrow native_group_norm native_layer_norm new_full
new_ones new_zeros norm numpy_T one_hot ones ones_like outer pad pairwise_distance permute permute_copy pixel_shuffle
pixel_unshuffle polar positive prelu prod real reflection_pad1d reflection_pad2d reflection_pad3d repeat
repeat_interleave replication_pad1d replication_pad2d replication_pad3d reshape reshape_as resolve_conj resolve_neg
rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90 rsub scalar_tensor scaled_dot_product_attention
searchsorted select select_copy select_scatter signbit slice slice_copy slice_scatter softmax softplus softshrink sort
split split_copy split_with_sizes split_with_sizes_copy squeeze_copy stack std std_mean stft sum sym_numel sym_size
sym_stride t_copy take take_along_dim tensordot tile to topk transpose_copy tril_indices triu_indices type_as unbind
unbind_copy unflatten unfold unfold_copy unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze_copy
upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d
upsample_trilinear3d var var_mean view view_as view_as_complex view_as_real view_copy vstack where zero_ zeros
zeros_like
"""

ATEN = frozenset([*_ALONE.split(), *_ALSO_IN_PLACE.split(), *(f"{name}_" for name in _ALSO_IN_PLACE.split())])
"""Allowed names below ``torch.ops.aten``, with every overload that writes to no ``out``."""

_ZEROS_FOR = {"empty": "zeros", "empty_like": "zeros_like", "new_empty": "new_zeros"}
"""What stands in for memory that nobody wrote to."""
_ZEROS_OVERLOADS = {"empty.memory_format": "default"}

_WHY_NOT = {
    "its result is as large as its values say": "nonzero item _local_scalar_dense unique unique_consecutive _unique2 "
    "masked_select bincount",
    "it draws numbers at random": "rand rand_like randn randn_like randint randint_like randperm bernoulli multinomial "
    "normal poisson native_dropout rrelu",
    "its kernel trusts what it is given": "embedding_bag _embedding_bag _embedding_bag_forward_only _fft_c2c _fft_c2r "
    "_fft_r2c",
}
"""Reason -> operators of torch that are left out for it."""

CHECKS = frozenset(
    f"torch.ops.aten.{name}"
    for name in (
        *("_assert_scalar.default", "_assert_async.msg", "_assert_tensor_metadata.default"),
        *("sym_constrain_range.default", "sym_constrain_range_for_size.default"),
    )
)
"""Operators that only assert what held at the export; they are left out, since shapes and ranges of inputs are checked
when the inputs arrive."""

_RESULTS = frozenset({"Tensor", "List[Tensor]"})

_LARGEST_NUMBER = 1 << 62

_PER_ELEMENT = 8
"""Steps of work for each number read or written: memory is slower than multiplication."""

RECURRENT = frozenset({"gru", "lstm", "rnn_relu", "rnn_tanh"})
TAKEN_APART = frozenset({"unbind", "unbind_copy", "split", "split_copy", "chunk", "unsafe_chunk", "unsafe_split"})
MOST_STEPS = 65_536
"""Most time steps of a recurrent layer, or pieces of a tensor: each is a call of its own."""


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Arithmetic on numbers alone; Python's texts, lists and whole numbers would grow until memory ends."""

    def compute(*numbers: Any) -> Any:
        if not all(isinstance(each, int | float) for each in numbers):
            raise TypeError("arithmetic with what is no number")
        result = function(*numbers)
        if isinstance(result, int) and abs(result) > _LARGEST_NUMBER:
            raise ValueError(f"a size of more than {_LARGEST_NUMBER}")
        return result

    return compute


ARITHMETIC: dict[str, Callable[..., Any]] = {
    **{
        f"_operator.{name}": _bounded(getattr(operator, name))
        for name in (
            *("add", "sub", "mul", "floordiv", "mod", "truediv", "neg", "pos", "and_", "or_"),
            *("eq", "ne", "lt", "le", "gt", "ge"),
        )
    },
    "math.trunc": _bounded(math.trunc),
    "torch.sym_float": _bounded(float),
    "torch.sym_int": _bounded(int),
    "torch.sym_max": _bounded(max),
    "torch.sym_min": _bounded(min),
    "torch.sym_not": _bounded(operator.not_),
}


def operator_named(target: str) -> Any:
    """The function of an allowed target.

    Raises:
        SubjectError: it is not allowed, or this torch has none of that name.
    """
    if target in ARITHMETIC:
        return ARITHMETIC[target]
    parts = target.split(".")
    if parts[:3] == ["torch", "ops", "aten"] and len(parts) == 5:
        name, overload = _ZEROS_FOR.get(parts[3], parts[3]), _ZEROS_OVERLOADS.get(".".join(parts[3:]), parts[4])
        packet = getattr(torch.ops.aten, name, None) if name in ATEN else None
        if packet is not None and overload in packet.overloads():
            function = getattr(packet, overload)
            # Torch has the same names for lists and texts, which grow without bound
            results = {str(each.type) for each in function._schema.returns}
            plain = name.startswith("sym_") or results <= _RESULTS
            if plain and not any(each.is_out for each in function._schema.arguments):
                return function
    raise SubjectError(
        f"it uses the operator {target[:100]!a}, which {_why_not(parts)}; export a network without it, or save its "
        "state_dict, whose weights can be seen without running"
    )


def _why_not(parts: list[str]) -> str:
    own = parts[:3] == ["torch", "ops", "aten"] and len(parts) == 5 and parts[3].isidentifier()
    if not own or parts[3].startswith("__") or not hasattr(torch.ops.aten, parts[3]):
        return "is none of torch's own: only those are run here whose work can be bounded"
    for reason, names in _WHY_NOT.items():
        if parts[3].removesuffix("_") in names.split():
            return f"is not run here: {reason}"
    return "is torch's own and not among those that are run here"


def check_call(packet: str, args: tuple[Any, ...]) -> None:
    """Refuse what no check of torch's stops before it is run.

    Raises:
        ValueError: with the reason.
    """
    if packet in RECURRENT or packet in TAKEN_APART:
        shape = args[0].shape if args and isinstance(args[0], Tensor) else ()
        if max(shape, default=0) > MOST_STEPS:
            raise ValueError(f"{packet} over {list(shape)}, of more than {MOST_STEPS} steps")
    if packet == "_native_batch_norm_legit_no_training":
        # The kernel reads as many numbers as there are channels, whatever it is given
        channels = args[0].shape[1] if args[0].dim() > 1 else -1
        if any(each is not None and tuple(each.shape) != (channels,) for each in args[1:5]):
            raise ValueError(f"{packet} of {channels} channels with other numbers of statistics")
    if packet in ("_weight_norm", "_weight_norm_interface"):
        # It reads as many magnitudes as there are rows
        direction, magnitude, dim = args[0], args[1], args[2] if len(args) > 2 else 0
        sizes = [1] * direction.dim()
        if dim != -1:
            sizes[dim] = direction.shape[dim]
        if magnitude.numel() != prod(sizes) or (dim != -1 and list(magnitude.shape) != sizes):
            raise ValueError(f"{packet} of {list(direction.shape)} with magnitudes of {list(magnitude.shape)}")
        if magnitude.dtype != direction.dtype or not direction.is_floating_point():
            raise ValueError(f"{packet} of {direction.dtype} with magnitudes of {magnitude.dtype}")
    if packet == "scaled_dot_product_attention":
        # So does this one with as many values as there are keys
        query, key, value = args[:3]
        if key.shape[:-1] != value.shape[:-1] or query.shape[-1] != key.shape[-1]:
            raise ValueError(f"{packet} of shapes {list(query.shape)}, {list(key.shape)} and {list(value.shape)}")


def work_of(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any) -> int:
    """Roughly how many steps a kernel takes, each like a multiplication in a matrix product, from shapes alone."""
    name = func.overloadpacket.__name__
    values = (*_flat(args), *_flat(list(kwargs.values())), *_flat(output))
    tensors = [each for each in values if isinstance(each, Tensor)]
    work = 0 if func.is_view else _PER_ELEMENT * sum(each.numel() for each in tensors)
    work += 2 * sum(product.macs for product in products_of(func, args, output) or ())
    if name.startswith(("avg_pool", "max_pool")) and len(args) > 1:
        kernel = args[1] if isinstance(args[1], list | tuple) else [args[1]] * 3
        work += _PER_ELEMENT * tensors[-1].numel() * prod(kernel)
    if name.startswith(("fft_", "_fft_", "stft", "istft")):
        work += 5 * sum(each.numel() * max(each.numel(), 2).bit_length() for each in tensors)
    if name == "_trilinear":
        grown = (with_dims(each.shape, dims) for each, dims in zip(args[:3], args[3:6], strict=True))
        work += _PER_ELEMENT * prod(max(sizes) for sizes in zip(*grown, strict=True))
    return work


def _flat(values: Any) -> list[Any]:
    if isinstance(values, list | tuple):
        return [each for value in values for each in _flat(value)]
    return [values]
