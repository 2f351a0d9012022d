"""AdamW and the one-cycle learning rate, step by step, from torch's own functional form.

The first object of ``torch.optim`` brings torch's compiler and sympy along: more than a second of one core and 65 MiB,
while everybody who looks at a page waits.
"""

from collections.abc import Sequence
from math import cos, pi

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class AdamW:
    """``torch.optim.AdamW`` with its defaults, on tensors whose gradients are there (arXiv 1711.05101)."""

    def __init__(self, parameters: Sequence[Tensor], weight_decay: float) -> None:
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._means = [torch.zeros_like(each) for each in parameters]
        self._squares = [torch.zeros_like(each) for each in parameters]
        self._steps = [torch.zeros(()) for _ in parameters]

    def step(self, gradients: Sequence[Tensor], learning_rate: float, beta1: float = BETA1) -> None:
        """Move each parameter, in place."""
        with torch.no_grad():
            adamw(
                self._parameters,
                list(gradients),
                self._means,
                self._squares,
                [],
                self._steps,
                # One kernel for all: with parameters this small a step is otherwise mostly overhead
                fused=True,
                amsgrad=False,
                beta1=beta1,
                beta2=BETA2,
                lr=learning_rate,
                weight_decay=self._weight_decay,
                eps=EPS,
                maximize=False,
            )


def one_cycle(step: int, steps: int, highest: float) -> tuple[float, float]:
    """Learning rate and beta1 of a step, as ``torch.optim.lr_scheduler.OneCycleLR`` sets them (arXiv 1708.07120).

    The rate rises over the first 30 % of the steps from a 25th of the highest, and falls to almost nothing; beta1 goes
    the other way.

    Args:
        step: from 0.
        steps: of the whole cycle, at least 2.

    >>> one_cycle(29, 100, 1.0)
    (1.0, 0.85)
    """
    turn, end, low = 0.3 * steps - 1, steps - 1, highest / 25
    if step <= turn:
        way = step / turn
        return _ease(low, highest, way), _ease(0.95, 0.85, way)
    way = (step - turn) / (end - turn)
    return _ease(highest, low / 1e4, way), _ease(0.85, 0.95, way)


def _ease(start: float, end: float, way: float) -> float:
    return end + (start - end) / 2 * (1 + cos(pi * way))
