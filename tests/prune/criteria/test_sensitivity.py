"""Gradient x weight, Fisher and SynFlow, worked by hand."""

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Subject, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.prune import gradients
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.gradients import mean_gradients, squared_gradients
from tests.prune.criteria.tiny import assert_scores, linear, scores_of

pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")  # which the package mutes by itself


def even_logits() -> Subject:
    """Both samples give two equal logits, so each class has probability 1/2.

    Of sample (1, 2), class 0: dL/dz = (-1/2, 1/2), dL/dW = [[-1/2, -1], [1/2, 1]].
    Of sample (2, 4), class 1: dL/dz = (1/2, -1/2), dL/dW = [[1, 2], [-1, -2]].
    """
    return Subject.from_module(
        linear([[2, 1], [4, 0]]),
        calibration=torch.tensor([[1.0, 2.0], [2.0, 4.0]]),
        calibration_labels=torch.tensor([0, 1]),
    )


def test_gradient_is_the_weight_times_the_mean_gradient() -> None:
    """The mean gradient is [[1/4, 1/2], [-1/4, -1/2]]."""
    subject = even_logits()
    assert_scores(scores_of(subject, "gradient", "weight"), [[2 / 4, 1 / 2], [4 / 4, 0]])
    assert_scores(scores_of(subject, "gradient", "weight", "channel:dim=0,n=1"), [1, 1])


def test_fisher_is_the_squared_weight_times_the_mean_squared_gradient() -> None:
    """Squares [[1/4, 1], [1/4, 1]] and [[1, 4], [1, 4]]; their mean [[5/8, 5/2], [5/8, 5/2]]."""
    assert_scores(scores_of(even_logits(), "fisher", "weight"), [[4 * 5 / 8, 5 / 2], [16 * 5 / 8, 0]])


def test_more_samples_than_go_at_once_count_alike() -> None:
    """Each of two samples a hundred times over: the means are those of the two."""
    two = even_logits()
    assert two.calibration is not None
    assert two.calibration_labels is not None
    many = Subject.from_module(
        linear([[2, 1], [4, 0]]),
        calibration=two.calibration[0].repeat(100, 1),
        calibration_labels=two.calibration_labels.repeat(100),
    )
    assert_scores(scores_of(many, "gradient", "weight"), [[2 / 4, 1 / 2], [4 / 4, 0]])
    assert_scores(scores_of(many, "fisher", "weight"), [[4 * 5 / 8, 5 / 2], [16 * 5 / 8, 0]])
    assert squared_gradients(many, {}).batched


def test_biases_have_gradients_too() -> None:
    """dL/db is dL/dz: its mean (0, 0), its mean square (1/4, 1/4)."""
    subject = Subject.from_module(
        linear([[2, 1], [4, 0]], bias=[3, 3]),
        calibration=torch.tensor([[1.0, 2.0], [2.0, 4.0]]),
        calibration_labels=torch.tensor([0, 1]),
    )
    assert_scores(scores_of(subject, "gradient", "bias"), [0, 0])
    assert_scores(scores_of(subject, "fisher", "bias"), [9 / 4, 9 / 4])


def test_several_labels_a_sample_count_alike() -> None:
    """The same two samples as the two tokens of one.

    The loss is the mean over labels, so the gradient is that of two samples; a sample's own loss is their mean too, so
    Fisher is the square of it.
    """
    subject = Subject.from_module(
        linear([[2, 1], [4, 0]]),
        calibration=torch.tensor([[[1.0, 2.0], [2.0, 4.0]]]),
        calibration_labels=torch.tensor([[0, 1]]),
    )
    assert_scores(scores_of(subject, "gradient", "weight"), [[2 / 4, 1 / 2], [4 / 4, 0]])
    assert_scores(scores_of(subject, "fisher", "weight"), [[4 / 16, 1 / 4], [16 / 16, 0]])


def test_a_masked_network_is_differentiated_as_it_is() -> None:
    """Without w[1, 0] sample (1, 0) gives logits (0, 0): dL/dW = [[-1/2, 0], [1/2, 0]]. With it, it would not."""
    subject = Subject.from_module(
        linear([[0, 5], [4, 7]]), calibration=torch.tensor([[1.0, 0.0]]), calibration_labels=torch.tensor([0])
    )
    masks = {"weight": torch.tensor([[True, True], [False, True]])}
    slope = mean_gradients(subject, masks).by_target["weight"]
    assert_scores(slope.double(), [[-1 / 2, 0], [1 / 2, 0]])
    assert mean_gradients(subject, {}).by_target["weight"][0, 0] < -0.9
    assert_scores(scores_of(subject, "gradient", "weight", masks=masks), [[0, 0], [0, 0]])
    assert float(scores_of(subject, "gradient", "weight")[1, 0]) > 3.9


@pytest.mark.parametrize("name", ["digits-cnn", "digits-gru", "adder-transformer"])
def test_gradients_in_chunks_are_those_of_one_pass(name: str) -> None:
    """Torch's own backward over all samples at once, and one sample at a time, are the oracle."""
    subject = some_of(load_subject(name), 70)
    model = subject.copy_model()
    assert subject.calibration is not None
    assert subject.calibration_labels is not None

    def loss(part: slice) -> Tensor:
        logits, labels = model(subject.calibration[0][part]), subject.calibration_labels[part]
        return nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten())

    names = [target.name for target in subject.targets]
    weights = [model.get_parameter(each) for each in names]
    means = torch.autograd.grad(loss(slice(None)), weights)
    found = mean_gradients(subject, {}).by_target
    for each, expected in zip(names, means, strict=True):
        torch.testing.assert_close(found[each], expected, rtol=1e-3, atol=1e-6 + 1e-4 * float(expected.abs().max()))

    few = some_of(subject, 6)
    squares = [torch.zeros_like(each) for each in weights]
    for index in range(6):
        for held, slope in zip(squares, torch.autograd.grad(loss(slice(index, index + 1)), weights), strict=True):
            held += slope.square() / 6
    fisher = squared_gradients(few, {})
    for each, expected in zip(names, squares, strict=True):
        tolerance = 1e-12 + 1e-3 * float(expected.max())
        torch.testing.assert_close(fisher.by_target[each], expected, rtol=1e-3, atol=tolerance)
    assert fisher.batched == (name != "digits-gru")


def some_of(subject: Subject, count: int) -> Subject:
    assert subject.calibration is not None
    assert subject.calibration_labels is not None
    inputs, labels = subject.calibration[0][:count], subject.calibration_labels[:count]
    return Subject.from_module(subject.model, calibration=inputs, calibration_labels=labels)


def test_fisher_by_one_pass_a_sample_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = some_of(load_subject("digits-mlp"), 8)
    batched = squared_gradients(subject, {})
    monkeypatch.setattr(gradients, "PER_SAMPLE_BYTES", 0)
    looped = squared_gradients(subject, {})
    assert (batched.batched, looped.batched) == (True, False)
    for name, expected in looped.by_target.items():
        torch.testing.assert_close(batched.by_target[name], expected, rtol=1e-4, atol=1e-6 * float(expected.max()))


def test_narrow_weights_are_scored_in_float32() -> None:
    subject = Subject.from_module(
        linear([[2, 1], [4, 0]]).bfloat16(),
        calibration=torch.tensor([[1.0, 2.0], [2.0, 4.0]]).bfloat16(),
        calibration_labels=torch.tensor([0, 1]),
    )
    assert mean_gradients(subject, {}).by_target["weight"].dtype == torch.float32
    assert_scores(scores_of(subject, "gradient", "weight"), [[2 / 4, 1 / 2], [4 / 4, 0]])


def test_scoring_leaves_the_network_as_it_was() -> None:
    subject = load_subject("digits-cnn")
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    for criterion in ("gradient", "synflow"):
        scores_of(some_of(subject, 4), criterion, "fc.weight")
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.model.state_dict().items())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in subject.model.parameters())


BAD_LABELS: dict[str, tuple[Tensor, str]] = {
    "a label too large": (torch.tensor([0, 2]), r"int64 from 0 to 2; they must be whole numbers from 0 to 1"),
    "a label below 0": (torch.tensor([-1, 0]), "from -1 to 0; they must be"),
    "fractions": (torch.tensor([0.0, 1.0]), "float32 from 0 to 1; they must be whole numbers"),
    "two a sample": (torch.tensor([[0, 1], [1, 0]]), r"logits of shape \[\d, 2\] for labels of shape \[\d, 2\]"),
}


@pytest.mark.parametrize(("labels", "message"), BAD_LABELS.values(), ids=BAD_LABELS.keys())
@pytest.mark.parametrize("criterion", ["gradient", "fisher"])
def test_labels_that_do_not_fit(criterion: str, labels: Tensor, message: str) -> None:
    subject = Subject.from_module(
        linear([[2, 1], [4, 0]]), calibration=torch.eye(2), calibration_labels=labels, name="mine"
    )
    with pytest.raises(SubjectError, match=message):
        scores_of(subject, criterion, "weight")


def test_a_network_that_cannot_be_differentiated() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(inputs).detach()

    subject = Subject.from_module(
        Detached(), torch.eye(2), calibration=torch.eye(2), calibration_labels=torch.tensor([0, 1])
    )
    for criterion in ("gradient", "fisher", "synflow"):
        with pytest.raises(SubjectError, match="cannot be differentiated"):
            scores_of(subject, criterion, "layer.weight")


def test_what_is_missing_is_said() -> None:
    bare, inputs = Subject.from_module(nn.Linear(2, 2)), torch.eye(2)
    unlabelled = Subject.from_module(nn.Linear(2, 2), inputs, calibration=inputs)
    for name in ("gradient", "fisher"):
        assert "inputs of the training part" in str(CRITERIA[name].missing(bare))
        assert "needs the labels of the calibration inputs" in str(CRITERIA[name].missing(unlabelled))
        assert "calibration_labels=" in str(CRITERIA[name].missing(unlabelled))
    assert "needs one input" in str(CRITERIA["synflow"].missing(bare))
    assert CRITERIA["synflow"].missing(unlabelled) is None
    assert CRITERIA["magnitude"].missing(bare) is None
    with pytest.raises(SubjectError, match="no calibration inputs"):
        mean_gradients(bare, {})
    with pytest.raises(SubjectError, match="no calibration labels"):
        squared_gradients(unlabelled, {})


def two_layers() -> Subject:
    """Absolute weights [[1, 2], [3, 0]] and [[1, 2]]: ones give a hidden (3, 3) and R = 3 + 6 = 9."""
    model = nn.Sequential(linear([[1, -2], [3, 0]]), nn.ReLU(), linear([[-1, 2]]))
    return Subject.from_module(model, torch.tensor([[-7.0, 0.5]]))


def test_synflow_is_the_flow_through_each_weight() -> None:
    """dR/dW1 is [[1, 1], [2, 2]], dR/dW2 the hidden (3, 3). Each layer's scores sum to R (conservation)."""
    first, second = (scores_of(two_layers(), "synflow", name) for name in ("0.weight", "2.weight"))
    assert_scores(first, [[1, 2], [6, 0]])
    assert_scores(second, [[3, 6]])
    assert float(first.sum()) == float(second.sum()) == 9


def test_synflow_of_what_a_schedule_left() -> None:
    """Without the 3 the hidden is (3, 0): nothing flows through the second hidden unit."""
    masks = {"0.weight": torch.tensor([[True, True], [False, True]])}
    assert_scores(scores_of(two_layers(), "synflow", "0.weight", masks=masks), [[1, 2], [0, 0]])
    assert_scores(scores_of(two_layers(), "synflow", "2.weight", masks=masks), [[3, 0]])


def test_synflow_takes_absolute_buffers_too() -> None:
    """BatchNorm of mean |-1|, variance 4, scale |-6|, shift |-1|: (z - 1) / 2 x 6 + 1, so dR/dw is 3."""
    norm = nn.BatchNorm1d(1, eps=0)
    norm.running_mean.fill_(-1)
    norm.running_var.fill_(4)
    with torch.no_grad():
        norm.weight.fill_(-6)
        norm.bias.fill_(-1)
    subject = Subject.from_module(nn.Sequential(linear([[5, -7]]), norm), torch.zeros(1, 2))
    assert_scores(scores_of(subject, "synflow", "0.weight"), [[5 * 3, 7 * 3]])
    assert_scores(scores_of(subject, "synflow", "1.weight"), [(12 - 1) / 2 * 6])


def test_synflow_of_a_flow_beyond_float32_is_scaled() -> None:
    """Twelve layers of 1e4 make 1e48, which float32 cannot hold; the largest score becomes 1."""
    model = nn.Sequential(*(linear([[1e4]]) for _ in range(11)), linear([[1e4], [5e3]]))
    subject = Subject.from_module(model, torch.ones(1, 1))
    assert_scores(scores_of(subject, "synflow", "11.weight"), [[1 / 1.5], [0.5 / 1.5]])
    assert_scores(scores_of(subject, "synflow", "0.weight"), [[1]])


def test_synflow_cannot_send_ones_through_tokens() -> None:
    reason = CRITERIA["synflow"].missing(load_subject("adder-transformer"))
    assert reason == "it sends an input of ones through, and adder-transformer reads whole numbers, such as tokens"
