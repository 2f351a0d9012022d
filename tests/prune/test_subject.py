"""A subject shares the caller's network, changes nothing in it, and is known by its content."""

import copy
import threading
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import SubjectError, TargetError
from pruning_explorer.prune.skeleton import skeleton


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3))


def test_the_callers_network_is_shared_and_unchanged() -> None:
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    subject = Subject.from_module(model, torch.randn(5, 4))
    compute_masks(subject, Recipe(amount=0.9))
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module.training for module in subject.model.modules())
    assert not any(parameter.requires_grad for parameter in subject.model.parameters())
    ours = subject.model.state_dict()
    assert {name: t.data_ptr() for name, t in ours.items()} == {n: t.data_ptr() for n, t in model.state_dict().items()}


def test_the_caller_may_go_on_training_its_own_modules() -> None:
    model = network().train()
    subject = Subject.from_module(model)
    model[0].extra = nn.Linear(1, 1)
    model(torch.randn(6, 4)).sum().backward()
    assert model[0].weight.grad is not None
    assert subject.model[0].weight.grad is None
    assert not hasattr(subject.model[0], "extra")


def test_weight_is_the_tensor_itself_without_a_way_to_train_it() -> None:
    model = network()
    weight = Subject.from_module(model).weight("0.weight")
    assert weight.data_ptr() == model[0].weight.data_ptr()
    assert not weight.requires_grad


def test_a_skeleton_shares_tensors_and_keeps_ties() -> None:
    model = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 4))
    model[1].weight = model[0].weight
    twin = skeleton(model)
    assert twin[1] is not model[1]
    assert twin[1].weight is twin[0].weight is model[0].weight


def test_a_pruned_and_a_weight_normed_network_can_be_studied() -> None:
    """A plain deepcopy of either fails: the computed weight is no leaf."""
    model = network()
    nn.utils.prune.l1_unstructured(model[0], "weight", 0.5)
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(model)
    subject = Subject.from_module(model)
    assert "3.weight" in [target.name for target in subject.targets]
    assert "0.weight" in subject.refused
    for name in ("0.weight", "0.weight_orig"):
        with pytest.raises(
            TargetError, match=r"^0\.weight cannot be pruned: already pruned .* call prune.remove first$"
        ):
            subject.target(name)


def test_a_network_whose_modules_cannot_be_copied() -> None:
    model = network()
    model.lock = threading.Lock()
    with pytest.raises(SubjectError, match=r"cannot be copied .*lock"):
        Subject.from_module(model)


def test_id_is_made_of_the_content() -> None:
    samples, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    subject = Subject.from_module(network(), samples, labels)
    assert Subject.from_module(network(), samples.clone(), labels.clone()).id == subject.id
    one_bit = network()
    with torch.no_grad():
        one_bit[3].weight[2, 7] = torch.nextafter(one_bit[3].weight[2, 7], torch.tensor(9.0))
    statistics = network()
    statistics[1].running_mean[0] = 1
    others = {
        "name": Subject.from_module(network(), samples, labels, name="other"),
        "weights": Subject.from_module(one_bit, samples, labels),
        "buffers": Subject.from_module(statistics, samples, labels),
        "samples": Subject.from_module(network(), samples + 1, labels),
        "labels": Subject.from_module(network(), samples, labels.roll(1)),
        "neither": Subject.from_module(network()),
        "dtype": Subject.from_module(network().double(), samples, labels),
        "calibration": Subject.from_module(network(), samples, labels, calibration=samples),
        "its labels": Subject.from_module(network(), samples, labels, calibration=samples, calibration_labels=labels),
        "calibration alone": Subject.from_module(network(), calibration=samples, calibration_labels=labels),
    }
    renamed = nn.Sequential(OrderedDict(zip("abcd", network(), strict=True)))
    others["names"] = Subject.from_module(renamed, samples, labels)
    assert len({subject.id, *(other.id for other in others.values())}) == 1 + len(others)


def test_id_does_not_depend_on_the_memory_format() -> None:
    """Nor do the masks, so that one ranking serves both."""
    torch.manual_seed(0)
    model = nn.Conv2d(4, 4, 3)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    assert Subject.from_module(model).id == Subject.from_module(last).id


def test_shapes_count_in_the_id() -> None:
    flat, tall = nn.Linear(6, 1, bias=False), nn.Linear(1, 6, bias=False)
    with torch.no_grad():
        tall.weight.copy_(flat.weight.T)
    assert Subject.from_module(flat).id != Subject.from_module(tall).id


@pytest.mark.parametrize(
    "kept", [None, 2, "two", b"two", [1, 2], {"key": 1}, {"key": torch.ones(2)}, {"other": torch.zeros(2)}], ids=str
)
def test_what_a_module_keeps_beside_its_tensors_counts_in_the_id(kept: object) -> None:
    class Keeps(nn.Linear):
        def get_extra_state(self) -> object:
            return self.kept

        def set_extra_state(self, state: object) -> None:
            self.kept = state

    def id_with(extra: object) -> str:
        torch.manual_seed(0)
        model = Keeps(2, 2)
        model.kept = extra
        return Subject.from_module(model).id

    assert id_with(kept) == id_with(copy.deepcopy(kept))
    assert id_with(kept) != id_with({"key": torch.zeros(2)})
    assert id_with(kept) != id_with(1)


BAD_SAMPLES: dict[str, tuple[Tensor | list[Tensor] | None, Tensor | None, Tensor | None, str]] = {
    "labels too few": (torch.ones(5, 4), torch.ones(4).long(), None, r"equally many; these have \[4, 5\]"),
    "inputs differ": ([torch.ones(5, 4), torch.ones(3)], None, None, r"equally many; these have \[3, 5\]"),
    "groups too many": (torch.ones(5, 4), None, torch.ones(6).long(), r"equally many; these have \[5, 6\]"),
    "labels alone": (None, torch.ones(4).long(), None, "labels but no samples"),
    "groups alone": (None, None, torch.ones(4).long(), "groups but no samples"),
    "none at all": ([], None, None, "samples are empty"),
    "no rows": (torch.ones(0, 4), None, None, "samples are empty"),
    "a number": (torch.tensor(1.0), None, None, "samples are empty"),
}


@pytest.mark.parametrize(("samples", "labels", "groups", "message"), BAD_SAMPLES.values(), ids=BAD_SAMPLES.keys())
def test_samples_that_do_not_fit(
    samples: Tensor | list[Tensor] | None, labels: Tensor | None, groups: Tensor | None, message: str
) -> None:
    with pytest.raises(SubjectError, match=message):
        Subject.from_module(network(), samples, labels, groups=groups)


BAD_CALIBRATION: dict[str, tuple[Tensor | list[Tensor] | None, Tensor | None, str]] = {
    "labels too few": (torch.ones(5, 4), torch.ones(4).long(), r"equally many; these have \[4, 5\]"),
    "inputs differ": ([torch.ones(5, 4), torch.ones(3)], None, r"equally many; these have \[3, 5\]"),
    "labels alone": (None, torch.ones(4).long(), "calibration labels but no calibration inputs"),
    "no rows": (torch.ones(0, 4), None, "calibration inputs are empty"),
    "two inputs": ([torch.ones(5, 4), torch.ones(5, 4)], None, "has 2 tensors and a sample 1"),
}


@pytest.mark.parametrize(("inputs", "labels", "message"), BAD_CALIBRATION.values(), ids=BAD_CALIBRATION.keys())
def test_calibration_that_does_not_fit(
    inputs: Tensor | list[Tensor] | None, labels: Tensor | None, message: str
) -> None:
    with pytest.raises(SubjectError, match=message):
        Subject.from_module(network(), torch.ones(6, 4), calibration=inputs, calibration_labels=labels)


def test_the_example_is_one_input_of_either_part() -> None:
    samples, calibration = torch.randn(3, 4), torch.randn(5, 4)
    both = Subject.from_module(network(), samples, calibration=calibration)
    assert both.example is not None
    assert torch.equal(both.example[0], samples[:1])
    alone = Subject.from_module(network(), calibration=calibration)
    assert alone.example is not None
    assert torch.equal(alone.example[0], calibration[:1])
    assert Subject.from_module(network()).example is None


def test_other_samples_make_another_subject_of_the_same_network() -> None:
    whole = Subject.from_module(network(), calibration=torch.ones(5, 4), output_names=("a", "b", "c"), about="One.")
    samples, labels = torch.arange(12.0).view(3, 4), torch.tensor([0, 2, 2])
    other = whole.with_samples(samples, labels, about="Another.")
    assert other.model is whole.model
    assert other.calibration is whole.calibration
    assert (other.sample_count, other.quality_name) == (3, "accuracy")
    assert (other.labels, other.groups) == (labels, labels)
    assert (other.output_names, other.group_names) == (("a", "b", "c"), ("a", "b", "c"))
    assert other.description == "One. Another."
    unlabelled = other.with_samples(samples, output_names=("x", "y", "z"))
    assert (unlabelled.labels, unlabelled.groups, unlabelled.group_names) == (None, None, ())
    assert unlabelled.output_names == ("x", "y", "z")
    assert unlabelled.description == "One."
    others = [whole, other, whole.with_samples(samples), whole.with_samples(samples + 1, labels)]
    assert len({each.id for each in [*others, whole.with_samples(samples, labels.roll(1))]}) == 5
    assert whole.with_samples(samples.clone(), labels.clone()).id == other.id


def test_other_samples_must_be_like_the_calibration_inputs() -> None:
    subject = Subject.from_module(network(), calibration=torch.randn(5, 4))
    assert subject.with_samples(torch.randn(3, 4)).sample_count == 3
    with pytest.raises(SubjectError, match="has 1 tensors and a sample 2"):
        subject.with_samples((torch.randn(3, 4), torch.randn(3, 4)))


def test_what_is_not_said_is_filled_in() -> None:
    labels = torch.tensor([0, 2])
    subject = Subject.from_module(network(), torch.ones(2, 4), labels, output_names=("a", "b", "c"))
    assert (subject.quality_name, subject.sample_count, subject.group_names) == ("accuracy", 2, ("a", "b", "c"))
    assert subject.groups is labels
    sequence = Subject.from_module(network(), (torch.ones(2, 4),), torch.ones(2, 3).long(), output_names=("a", "b"))
    assert (sequence.quality_name, sequence.groups, sequence.group_names) == ("exact match", None, ())
    bare = Subject.from_module(network())
    assert (bare.sample_count, bare.labels, bare.view) == (0, None, None)


def test_equal_weights_under_another_activation_are_another_network() -> None:
    linear = nn.Linear(3, 2)
    ids = {
        Subject.from_module(nn.Sequential(linear, last), name="n").id for last in (nn.ReLU(), nn.Tanh(), nn.ELU(0.5))
    }
    assert len(ids) == 3


def test_a_copy_of_the_network_is_ones_own() -> None:
    subject = Subject.from_module(network())
    model = subject.copy_model()
    assert all(parameter.requires_grad for parameter in model.parameters())
    with torch.no_grad():
        model.get_parameter("0.weight").zero_()
    assert subject.weight("0.weight").count_nonzero() == 32
