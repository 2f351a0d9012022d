"""Sums as tokens, worked by hand, and the adder as the language model that it is."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.sources.samples import load_sample
from pruning_explorer.sources.sums import VOCABULARY, carries, lesson, prompts_of


def encode(texts: Sequence[str]) -> Tensor:
    return torch.tensor([[VOCABULARY.index(character) for character in text] for text in texts])


def decode(tokens: Tensor) -> tuple[str, ...]:
    return tuple("".join(VOCABULARY[token] for token in row) for row in tokens.tolist())


def complete(network: nn.Module, prompts: Sequence[str]) -> tuple[str, ...]:
    """What the adder writes behind each prompt, one likeliest digit after the other (greedy decoding)."""
    tokens = encode(prompts)
    with torch.inference_mode():
        for _ in range(4):
            tokens = torch.cat([tokens, network(tokens)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    return decode(tokens[:, 8:])


def test_lesson_by_hand() -> None:
    tokens, answer = lesson(torch.tensor([[347, 285], [999, 1], [0, 7]]))
    assert decode(tokens) == ("347+285=063", "999+001=100", "000+007=000")
    assert decode(answer) == ("0632", "1000", "0007")


def test_prompts_and_tokens_round_trip() -> None:
    texts = prompts_of(torch.tensor([[347, 285], [5, 60]]))
    assert texts == ("347+285=", "005+060=")
    assert decode(encode(texts)) == texts


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(123, 456, 0), (347, 285, 2), (999, 1, 3), (5, 5, 1), (500, 500, 1), (0, 0, 0), (190, 19, 1), (899, 101, 3)],
)
def test_carries_by_hand(first: int, second: int, expected: int) -> None:
    assert carries(torch.tensor([[first, second]])).tolist() == [expected]


def test_greedy_decoding_agrees_with_teacher_forcing() -> None:
    # A right prefix is what teacher forcing feeds, so a sum is written right exactly when all four places are right
    subject = load_sample("adder-transformer")
    assert subject.samples is not None
    assert subject.labels is not None
    assert subject.view is not None
    assert isinstance(subject.view.values, tuple)
    network = skeleton(subject.model)
    with torch.inference_mode():
        forced = (network(*subject.samples).argmax(dim=-1) == subject.labels).all(dim=1)
    written = complete(network, subject.view.values)
    expected = decode(subject.labels)
    assert [ours == theirs for ours, theirs in zip(written, expected, strict=True)] == forced.tolist()


def test_adder_adds() -> None:
    assert complete(skeleton(load_sample("adder-transformer").model), ["120+345=", "347+285="]) == ("0465", "0632")


def test_no_place_of_the_adder_sees_a_later_one() -> None:
    network = skeleton(load_sample("adder-transformer").model)
    with torch.inference_mode():
        logits = network(encode(["347+285=063", "347+285=999"]))
        alone = network(encode(["347+285="]))
    torch.testing.assert_close(logits[0, 0], logits[1, 0])
    torch.testing.assert_close(logits[:1, :1], alone)
    assert not torch.allclose(logits[0, 1], logits[1, 1])
