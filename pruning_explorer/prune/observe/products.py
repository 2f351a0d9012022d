"""Products of inputs with weights, and the squares of the inputs that each weight multiplies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pruning_explorer.prune.observe.memory import offset_in

aten = torch.ops.aten

# Position of the first factor among the operator's arguments; the second follows it
MATRIX_PRODUCTS = {aten.mm: 0, aten.bmm: 0, aten.addmm: 1, aten.baddbmm: 1}
CONVOLUTIONS = (aten.convolution, aten._convolution)
FUSED_LSTM = getattr(aten, "mkldnn_rnn_layer", None)


@dataclass(frozen=True, eq=False)
class Product:
    """A factor of a matrix product or convolution, which may be a weight.

    Attributes:
        weight: that factor.
        output: of the product; None where it is out of sight.
        weight_dim, output_dim: the dim that indexes output channels, of either.
        squares: for each element of ``weight`` the sum of the squares of the inputs that it multiplies, or what
            broadcasts to it.
    """

    weight: Tensor
    output: Tensor | None
    weight_dim: int
    output_dim: int
    squares: Callable[[], Tensor]


def products_of(packet: Any, args: Any, output: Any) -> list[Product]:
    """The factors of an operation, if it is a product: both of a matrix product, the kernel of a convolution."""
    if packet in MATRIX_PRODUCTS:
        first = MATRIX_PRODUCTS[packet]
        left, right = args[first], args[first + 1]
        rows, columns = output.dim() - 2, output.dim() - 1
        # [M, K] x [K, N]: an element of the right multiplies a column of the left, and the other way round
        return [
            Product(right, output, columns, columns, lambda: left.square().sum(dim=-2).unsqueeze(-1)),
            Product(left, output, rows, rows, lambda: right.square().sum(dim=-1).unsqueeze(-2)),
        ]
    if packet in CONVOLUTIONS:
        transposed = bool(args[6])
        return [Product(args[1], output, 1 if transposed else 0, 1, lambda: _convolved_squares(args, output))]
    if packet is FUSED_LSTM:
        # One layer in one direction; its products with the state before each step are all inside
        inputs, from_inputs, from_state, begin = args[0], args[1], args[2], args[5]
        states, end = output[0], output[1]
        return [
            Product(from_inputs, None, 0, 1, lambda: _summed_squares(inputs)),
            Product(
                from_state,
                None,
                0,
                1,
                lambda: _summed_squares(begin) + _summed_squares(states) - _summed_squares(end),
            ),
        ]
    return []


def _convolved_squares(args: Any, output: Tensor) -> Tensor:
    # The gradient of sum(conv(x^2, w)) with respect to w: x^2 summed over all places at which w multiplies it
    inputs, weight, _, *geometry = args[:9]
    squares: Tensor = aten.convolution_backward(
        torch.ones_like(output), inputs.square(), weight, None, *geometry, [False, True, False]
    )[1]
    return squares


def _summed_squares(values: Tensor) -> Tensor:
    """``[..., F]`` -> ``[1, F]``, over all places; in float64, since one sum is taken from another."""
    return values.double().square().flatten(0, -2).sum(dim=0, keepdim=True).to(values.dtype)


class InputSquares:
    """Sums of squares for one weight, gathered from products with it or with parts of it."""

    def __init__(self, whole: Tensor) -> None:
        self._whole = whole
        self._parts: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Tensor] = {}

    def add(self, product: Product) -> None:
        view = product.weight
        key = (offset_in(view, self._whole), tuple(view.shape), view.stride())
        squares = product.squares()
        self._parts[key] = self._parts[key] + squares if key in self._parts else squares

    def total(self) -> Tensor:
        """The sums so far: of the weight's shape, or of one that broadcasts to it."""
        whole = self._whole
        if len(self._parts) == 1:
            ((_, shape, stride), squares) = next(iter(self._parts.items()))
            if (shape, stride) == (tuple(whole.shape), whole.stride()):
                return squares
            if len(shape) == 2 and (shape[::-1], stride[::-1]) == (tuple(whole.shape), whole.stride()):
                return squares.T
        total = torch.empty_strided(whole.shape, whole.stride(), dtype=whole.dtype).zero_()
        for (offset, shape, stride), squares in self._parts.items():
            # One weight that is expanded over a batch multiplies the inputs of each
            again = [dim for dim, step in enumerate(stride) if step == 0 and shape[dim] > 1]
            summed = squares.expand(shape).sum(dim=again, keepdim=True) if again else squares
            once = [1 if dim in again else size for dim, size in enumerate(shape)]
            total.as_strided(once, stride, offset).add_(summed)
        return total
