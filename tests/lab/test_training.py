"""Training a masked copy: what a plain loop of torch does, step for step, and nothing to the subject."""

import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Masks, Recipe, Subject, compute_masks, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.lab.optimizer import one_cycle
from pruning_explorer.lab.training import Training, TrainingData, TrainingPlan
from pruning_explorer.sources.training import initial_network, training_data

PLAN = TrainingPlan(epochs=2, batch=128, learning_rate=1e-2, weight_decay=1e-3, seed=3)


def data_of(name: str, count: int | None = None) -> TrainingData:
    inputs, labels = training_data(name)
    return TrainingData(inputs[:count], labels[:count])


def plain_loop(
    model: nn.Module, masks: Masks, data: TrainingData, plan: TrainingPlan
) -> tuple[list[float], dict[str, Tensor]]:
    """The same with ``prune.custom_from_mask``, as a tutorial writes it: losses, and the state dict at the end."""
    for name, mask in masks.items():
        path, _, leaf = name.rpartition(".")
        prune.custom_from_mask(model.get_submodule(path), leaf, mask)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    steps = plan.epochs * -(-len(data.labels) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.learning_rate, steps) if plan.one_cycle else None
    generator = torch.Generator().manual_seed(plan.seed)
    losses = []
    model.train()
    for _ in range(plan.epochs):
        for chosen in torch.randperm(len(data.labels), generator=generator).split(plan.batch):
            loss = nn.functional.cross_entropy(model(data.inputs[chosen]), data.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            losses.append(loss.item())
    for name in masks:
        path, _, leaf = name.rpartition(".")
        prune.remove(model.get_submodule(path), leaf)
    return losses, model.eval().state_dict()


@pytest.mark.parametrize(
    ("name", "count", "plan"),
    [
        ("spirals-mlp", None, PLAN),
        ("spirals-mlp", None, TrainingPlan(2, 128, 1e-2, 1e-3, one_cycle=True, seed=1)),
        ("digits-cnn", 150, TrainingPlan(2, 64, 5e-3, 1e-2)),
    ],
    ids=["AdamW", "one cycle", "BatchNorm"],
)
def test_losses_weights_and_quality_are_those_of_a_plain_loop(name: str, count: int | None, plan: TrainingPlan) -> None:
    subject, data = load_subject(name), data_of(name, count)
    masks = compute_masks(subject, Recipe(amount=0.7))
    training = Training(subject, masks, data, plan)
    training.run()
    model = subject.copy_model()
    losses, weights = plain_loop(model, masks, data, plan)
    assert training.losses == pytest.approx(losses, rel=1e-4)
    assert training.epoch_losses[-1] == pytest.approx(sum(losses[len(losses) // 2 :]) / (len(losses) / 2), rel=1e-4)
    for parameter, value in training.weights().items():
        assert torch.allclose(value, weights[parameter], rtol=1e-3, atol=1e-5), parameter
    assert subject.samples is not None
    assert subject.labels is not None
    right = (model(subject.samples[0]).argmax(dim=1) == subject.labels).float().mean().item()
    assert training.quality[-1] == pytest.approx(right, abs=1.1 / len(subject.labels))


@pytest.mark.parametrize("steps", [2, 7, 40])
def test_the_one_cycle_is_that_of_torch(steps: int) -> None:
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, steps)
    expected = []
    for step in range(steps):
        group = optimizer.param_groups[0]
        expected += [group["lr"], group["betas"][0]]
        optimizer.step()
        if step < steps - 1:
            schedule.step()
    ours = [each for step in range(steps) for each in one_cycle(step, steps, 0.01)]
    assert ours == pytest.approx(expected, rel=1e-9)


def test_removed_weights_stay_exactly_zero_while_the_others_move() -> None:
    subject = load_subject("spirals-mlp")
    masks = compute_masks(subject, Recipe(amount=0.7))
    training = Training(subject, masks, data_of("spirals-mlp"), PLAN)
    training.run()
    for name, mask in masks.items():
        weight = training.weights()[name]
        assert torch.count_nonzero(weight[~mask]) == 0
        assert torch.all(weight[mask] != subject.weight(name)[mask])


def test_the_subject_is_untouched_and_asks_for_no_gradient() -> None:
    subject = load_subject("digits-cnn")
    before = {name: each.clone() for name, each in subject.model.state_dict().items()}
    training = Training(subject, {}, data_of("digits-cnn", 64), TrainingPlan(1, 32, 1e-2))
    training.run()
    assert training.done
    assert all(torch.equal(each, before[name]) for name, each in subject.model.state_dict().items())
    assert not any(each.requires_grad or each.grad is not None for each in subject.model.parameters())
    assert not subject.model.training


def test_the_same_seed_gives_the_same_whoever_draws_from_the_global_generator() -> None:
    def losses(seed: int) -> tuple[float, ...]:
        training = Training(
            load_subject("spirals-mlp"), {}, data_of("spirals-mlp"), TrainingPlan(1, 128, 1e-2, seed=seed)
        )
        torch.rand(5)
        training.run()
        return training.losses

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_it_rewinds_to_the_weights_that_it_is_given() -> None:
    subject, start = load_subject("spirals-mlp"), initial_network("spirals-mlp")
    masks = compute_masks(subject, Recipe(amount=0.5))
    training = Training(subject, masks, data_of("spirals-mlp"), PLAN, start)
    for name, value in training.weights().items():
        initial = start.state_dict()[name]
        assert torch.equal(value, initial * masks[name] if name in masks else initial)
    training.run()
    assert torch.equal(start.state_dict()["fc1.weight"], initial_network("spirals-mlp").state_dict()["fc1.weight"])


def test_it_goes_epoch_by_epoch_and_ends() -> None:
    training = Training(load_subject("spirals-mlp"), {}, data_of("spirals-mlp"), PLAN)
    assert (training.steps_per_epoch, training.planned) == (10, 20)
    assert (training.quality, training.losses, training.epoch_losses) == ((1.0,), (), ())
    training.run_epoch()
    assert (len(training.quality), len(training.losses), len(training.epoch_losses)) == (2, 10, 1)
    training.run_epoch()
    assert training.done
    training.run_epoch()
    assert len(training.losses) == 20


def test_stopping_stops_between_two_steps_and_it_can_go_on() -> None:
    plan = TrainingPlan(epochs=100_000, batch=128, learning_rate=1e-2)
    training = Training(load_subject("spirals-mlp"), {}, data_of("spirals-mlp"), plan)
    worker = threading.Thread(target=training.work)
    worker.start()
    while len(training.losses) < 3:
        assert worker.is_alive()
    training.stopped.set()
    worker.join(20)
    assert not worker.is_alive()
    assert not training.done
    standing = len(training.losses)
    training.stopped.clear()
    training.run_epoch()
    assert standing < len(training.losses) <= standing + 10


def test_what_cannot_be_trained_says_why() -> None:
    with pytest.raises(SubjectError, match="3 inputs and 2 labels"):
        TrainingData(torch.zeros(3, 2), torch.zeros(2, dtype=torch.long))
    with pytest.raises(SubjectError, match="must be above 0"):
        TrainingPlan(0, 128, 1e-2)
    subject = Subject.from_module(nn.Linear(2, 3), torch.zeros(4, 2), torch.zeros(4, dtype=torch.long))
    training = Training(subject, {}, TrainingData(torch.zeros(4, 5), torch.zeros(4, dtype=torch.long)), PLAN)
    training.work()
    assert training.done
    assert "mat1 and mat2 shapes cannot be multiplied" in str(training.problem)
