"""Sums such as ``347+285=0632`` as tokens: what the adder reads, and what it should say."""

import torch
from torch import Tensor

VOCABULARY = "0123456789+="
CARRY_NAMES = ("no carry", "1 carry", "2 carries", "3 carries")


def prompts_of(pairs: Tensor) -> tuple[str, ...]:
    """The text of each sum. Pairs ``[N, 2]`` of numbers in [0, 999] to N strings ``"347+285="``."""
    return tuple(f"{first:03d}+{second:03d}=" for first, second in pairs.tolist())


def lesson(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """What the adder reads and what it should say (teacher forcing).

    Returns:
        Tokens ``[N, 11]``, the prompt and the first three digits of the answer; and ``[N, 4]``, the four
        digits of the answer, most significant first, padded with zeros.
    """
    digits = torch.stack([pairs // 100, pairs // 10 % 10, pairs % 10], dim=-1)
    total = pairs.sum(dim=1, keepdim=True)
    answer = torch.cat([total // 1000, total // 100 % 10, total // 10 % 10, total % 10], dim=1)
    plus, equals = torch.full_like(total, VOCABULARY.index("+")), torch.full_like(total, VOCABULARY.index("="))
    return torch.cat([digits[:, 0], plus, digits[:, 1], equals, answer[:, :-1]], dim=1), answer


def carries(pairs: Tensor) -> Tensor:
    """How many columns of each sum carry, 0 to 3. Pairs ``[N, 2]`` to int64 ``[N]``."""
    columns = [(pairs % place).sum(dim=1) >= place for place in (10, 100, 1000)]
    return torch.stack(columns).sum(dim=0)
