import pytest
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.drift import Drift, measure_drift
from pruning_explorer.measure.exemplars import COLUMNS, exemplars

LN3 = 1.0986122886681098


def logits(*answers: int, sure: float = LN3) -> Tensor:
    """Two classes; the answer is three times as likely as the other."""
    return torch.eye(2)[list(answers)] * sure


def drift(*answers: int, sure: float = LN3) -> Drift:
    return measure_drift(logits(0, 0, 0, 0, 1), logits(*answers, sure=sure))


def test_hardest_first() -> None:
    # sample   0  1  2  3  4: the dense network says 0 0 0 0 1
    first = drift(0, 1, 1, 0, 1)
    second = drift(1, 1, 0, 0, 1)
    third = drift(0, 1, 1, 0, 1)
    frame = exemplars([first, second, third])
    assert list(frame.columns) == COLUMNS
    assert frame["sample"].tolist() == [1, 2, 0]
    assert frame["flips"].tolist() == [3, 2, 1]
    assert frame["disagree"].tolist() == [False, True, True]
    assert frame["dense"].tolist() == [0, 0, 0]
    assert frame["answers"].tolist() == [(1, 1, 1), (1, 0, 1), (0, 1, 0)]
    # KL of (3/4, 1/4) from (1/4, 3/4) is ln(3) / 2, and 0 where a recipe stays
    assert frame["kl"].tolist() == pytest.approx([LN3 / 2, LN3 / 3, LN3 / 6])


def test_of_equal_flips_the_larger_drift_comes_first() -> None:
    surer = measure_drift(logits(0, 0), torch.tensor([[0.0, 1.0], [0.0, 2.0]]))
    assert exemplars([surer])["sample"].tolist() == [1, 0]


def test_a_recipe_without_outputs_keeps_its_place() -> None:
    frame = exemplars([None, drift(1, 0, 0, 0, 1), None])
    assert frame["answers"].tolist() == [(None, 1, None)]
    assert frame["flips"].tolist() == [1]


def test_no_answer_is_a_flip_and_comes_last_without_a_figure() -> None:
    pruned = logits(1, 1, 0, 0, 1)
    pruned[2] = torch.nan
    frame = exemplars([measure_drift(logits(0, 0, 0, 0, 1), pruned)])
    assert frame["sample"].tolist() == [0, 1, 2]
    assert frame["answers"].tolist()[2] == (-1,)


def test_sequences_answer_at_every_position() -> None:
    dense, pruned = logits(0, 1, 1, 0).view(2, 2, 2), logits(0, 1, 1, 1).view(2, 2, 2)
    (row,) = exemplars([measure_drift(dense, pruned)]).to_dict("records")
    assert (row["sample"], row["dense"], row["answers"]) == (1, (1, 0), ((1, 1),))


@pytest.mark.parametrize("drifts", [[], [None], [drift(0, 0, 0, 0, 1)]])
def test_nobody_disagrees(drifts: list[Drift | None]) -> None:
    frame = exemplars(drifts)
    assert frame.empty
    assert list(frame.columns) == COLUMNS


def test_a_single_output_has_no_answer_to_leave() -> None:
    assert exemplars([measure_drift(torch.ones(3, 1), -torch.ones(3, 1))]).empty


def test_other_samples_are_refused() -> None:
    with pytest.raises(SubjectError, match="different samples"):
        exemplars([drift(0, 0, 0, 0, 1), measure_drift(logits(0), logits(1))])
