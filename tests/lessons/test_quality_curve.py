"""What a network still knows: what is measured, how finely, and why it cannot be."""

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.quality_curve import breaks_at, quality_curve, slider_for
from pruning_explorer.lessons.scenes import find_scene


def test_a_network_breaks_once_it_has_lost_more_than_five_points() -> None:
    """Five points are not more than five, whatever floats make of 0.9 - 0.05."""
    assert breaks_at([1.0, 285 / 300, 284 / 300, 1.0], 1.0) == 2
    assert breaks_at([0.9, 0.85, 0.8499], 0.9) == 2
    assert breaks_at([0.9, 1.0], 0.9) is None


def test_flips_are_counted_even_where_labels_judge() -> None:
    """Three samples, two classes; without its weights the network answers by its bias alone: always class 1."""
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(torch.tensor([[5.0, 0.0], [0.0, 5.0]]))
    layer.bias = nn.Parameter(torch.tensor([0.0, 1.0]))
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    subject = Subject.from_module(layer, points, torch.tensor([0, 1, 1]))
    known = quality_curve(subject, Recipe(), (0.0, 1.0))
    assert known.measure == "accuracy"
    assert known.values == pytest.approx((2 / 3, 2 / 3))
    assert known.flipped == (0, 2)
    assert known.guess == pytest.approx(2 / 3)
    unlabelled = quality_curve(Subject.from_module(layer, points), Recipe(), (0.0, 1.0))
    assert (unlabelled.measure, unlabelled.dense, unlabelled.guess) == ("agreement", 1.0, None)
    assert unlabelled.values == pytest.approx((1.0, 1 / 3))


def test_a_slow_network_is_run_at_fewer_amounts() -> None:
    quick, slow = (slider_for(load_subject(name)) for name in ("digits-cnn", "adder-transformer"))
    assert quick.stops == tuple(i / 100 for i in range(101))
    assert slow.stops == tuple(i / 100 for i in range(0, 101, 5))
    assert slow.shown[1] == "5 %"


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        (
            Subject.from_module(nn.Linear(2, 2), name="mine", runnable=False),
            "of mine only the weights are known, so nobody can see what it still knows; choose a network",
        ),
        (Subject.from_module(nn.Linear(2, 2), name="mine"), "mine has no samples, so nobody can see .*give it some"),
        (
            Subject.from_module(nn.Linear(2, 1), torch.zeros(3, 2), name="mine"),
            "mine has a single output, so no answer of it can flip; choose",
        ),
        (
            Subject.from_module(nn.Linear(1000, 1000), torch.zeros(1, 1000).expand(6000, 1000), name="mine"),
            "mine takes 6.0 billion multiply-adds .*choose a smaller network",
        ),
    ],
)
@pytest.mark.parametrize("scene", ["what_it_knows", "which_first"])
def test_what_cannot_be_run_says_why(scene: str, subject: Subject, told: str) -> None:
    found = find_scene(scene)
    with pytest.raises(LessonError, match=told):
        found.build(subject, {knob.setting.name: knob.setting.default for knob in found.knobs})
