"""Sums such as ``347+285=0632`` as tokens, for the adder and for whoever asks it something."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError

VOCABULARY = "0123456789+="
PROMPT_LENGTH = len("347+285=")
ANSWER_LENGTH = len("0632")
CARRY_NAMES = ("no carry", "1 carry", "2 carries", "3 carries")


def prompts_of(pairs: Tensor) -> tuple[str, ...]:
    """The text of each sum. Pairs ``[N, 2]`` of numbers in [0, 999] to N strings ``"347+285="``."""
    return tuple(f"{first:03d}+{second:03d}=" for first, second in pairs.tolist())


def encode(texts: Sequence[str]) -> Tensor:
    """Texts of one length L to tokens, int64 ``[N, L]``.

    Raises:
        SubjectError: a character is not in the vocabulary.
    """
    try:
        return torch.tensor([[VOCABULARY.index(character) for character in text] for text in texts])
    except ValueError:
        strange = sorted(set("".join(texts)) - set(VOCABULARY))
        raise SubjectError(f"the adder has no token for {strange}; it reads digits, + and = only") from None


def decode(tokens: Tensor) -> tuple[str, ...]:
    """Tokens ``[N, L]`` to N strings of length L."""
    return tuple("".join(VOCABULARY[token] for token in row) for row in tokens.tolist())


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


def complete(network: Callable[[Tensor], Tensor], prompts: Sequence[str]) -> tuple[str, ...]:
    """Let the adder write, one likeliest digit after the other (greedy decoding).

    Args:
        network: tokens ``[N, T]`` to logits ``[N, T - 7, 12]``, dense or masked.
        prompts: each three digits, ``+``, three digits, ``=``.

    Returns:
        The four characters that it writes after each prompt.

    Raises:
        SubjectError: a prompt is of another length, or has a character the adder does not know.

    >>> from pruning_explorer.sources.networks import AdderTransformer
    >>> [len(answer) for answer in complete(AdderTransformer().eval(), ["347+285="])]
    [4]
    """
    for prompt in prompts:
        if len(prompt) != PROMPT_LENGTH:
            raise SubjectError(f"the prompt {prompt!r} has {len(prompt)} characters; write it as '347+285=', of 8")
    tokens = encode(prompts)
    with torch.inference_mode():
        for _ in range(ANSWER_LENGTH):
            likeliest = network(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, likeliest], dim=1)
    return decode(tokens[:, PROMPT_LENGTH:])
