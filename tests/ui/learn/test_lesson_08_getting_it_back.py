"""Lesson 8: every number and every claim in it, from torch alone."""

import re
import threading
import time
from statistics import median

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from pruning_explorer import load_subject
from pruning_explorer.figures.numbers import percent
from pruning_explorer.lessons.scenes.getting_it_back import GETTING_IT_BACK, lottery_ticket, recovery
from pruning_explorer.lessons.training_comparison import TrainingComparison
from pruning_explorer.sources.networks import SpiralsMLP
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.pruned_alone import at_random, pruned, smallest_of_each
from tests.ui.learn.torch_alone import logits_of, spirals, trained

LESSON = "getting-it-back"
LAYERS = ("fc1", "fc2", "fc3")
RATE, BATCH, DECAY = 1e-2, 128, 1e-3


def magnitude(percent: int) -> nn.Module:
    return pruned("spirals-mlp", smallest_of_each(percent))


def random(percent: int, seed: int) -> nn.Module:
    return pruned("spirals-mlp", at_random(percent, seed))


def accuracy(network: nn.Module) -> float:
    points, labels = spirals()
    return int((logits_of(network, points).argmax(dim=1) == labels).sum()) / len(labels)


def train(network: nn.Module, seed: int, epochs: int, cycle: int | None = None) -> tuple[list[float], list[float]]:
    """A plain loop: accuracy before training and after each epoch, and each epoch's mean loss."""
    points, labels = spirals(held_out=False)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY, fused=True)
    schedule = None if cycle is None else torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, cycle)
    generator = torch.Generator().manual_seed(seed)
    right, losses = [accuracy(network)], []
    for _ in range(epochs):
        of_epoch = []
        for chosen in torch.randperm(len(labels), generator=generator).split(BATCH):
            loss = nn.functional.cross_entropy(network(points[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            of_epoch.append(loss.item())
        right.append(accuracy(network))
        losses.append(sum(of_epoch) / len(of_epoch))
    return right, losses


def test_what_it_says_before_any_training_is_so() -> None:
    page = LearnPage(LESSON, amount="0.4")
    before, drawn = percent(accuracy(magnitude(40))), percent(median(accuracy(random(40, seed)) for seed in range(3)))
    kept = sum(int(magnitude(40).get_buffer(f"{layer}.weight_mask").sum()) for layer in LAYERS)
    assert f"accuracy is {before} by magnitude and {drawn} at random" in page.text
    assert f"The {kept} of 336 weights that are left" in " ".join(page.text.split())
    assert page.figure("Accuracy, magnitude", 40) == before
    assert page.figure("Accuracy, random", 40) == drawn
    assert page.figure("Weights kept", 40) == str(kept)
    assert page.figure("Dense accuracy", 0) == percent(accuracy(trained("spirals-mlp")))
    by_magnitude, by_chance = page.panel("Pruned, not trained again")["series"]
    for stop in (0, 25, 70, 100):
        seeds = sorted(round(100 * accuracy(random(stop, seed)), 1) for seed in range(3))
        assert by_magnitude["values"][stop] == round(100 * accuracy(magnitude(stop)), 1)
        assert _band(by_chance, stop) == seeds


@pytest.mark.parametrize("knobs", [{}, {"experiment": "ticket", "amount": "0.4"}])
def test_the_truth_is_what_five_epochs_of_a_plain_loop_give(knobs: dict[str, str]) -> None:
    page = LearnPage(LESSON, **knobs)
    page.answer(0)
    chosen = [train(magnitude(70), seed, 5)[0] for seed in range(3)]
    drawn = [train(random(70, seed), seed, 5)[0] for seed in range(3)]
    start, end = (percent(median(run[place] for run in chosen)) for place in (0, -1))
    drawn_start, drawn_end = (percent(median(run[place] for run in drawn)) for place in (0, -1))
    lowest, highest = (percent(choose(run[-1] for run in drawn)) for choose in (min, max))
    text = " ".join(page.text.split())
    assert f"At 70 %, accuracy is {start} by magnitude and {drawn_start} at random" in text
    assert f"by magnitude {start} becomes {end}, at random {drawn_start} becomes {drawn_end}" in text
    assert f"after 5 epochs it is {end} by magnitude, and {lowest} to {highest} at random" in text
    assert median(run[-1] for run in chosen) > median(run[-1] for run in drawn)


def test_epochs_are_asked_for_where_they_count_and_begin_at_the_questions() -> None:
    page = LearnPage(LESSON)
    assert [each.value for each in page.app.number_input] == [5]
    page.set(experiment="ticket")
    assert list(page.app.number_input) == []


def test_what_one_watches_is_what_a_plain_loop_gives() -> None:
    page = LearnPage(LESSON, amount="0.5", epochs="2")
    page.click("learn_begin")
    table = _once(page, "After 2 epochs")
    runs = [
        [train(magnitude(50), seed, 2) for seed in range(3)],
        [train(random(50, seed), seed, 2) for seed in range(3)],
    ]
    quality, loss = page.panel("Accuracy while it trains"), page.panel("Loss while it trains")
    assert quality["x"] == loss["x"] == [0, 1, 2]
    assert quality["lines"] == [["dense", 100.0]]
    for number, side in enumerate(runs):
        for epoch in range(3):
            seen = sorted(100 * right[epoch] for right, _ in side)
            assert _band(quality["series"][number], epoch) == pytest.approx(seen, abs=0.06)
        assert _band(loss["series"][number], 0) == [None, None, None]
        for epoch in (1, 2):
            seen = sorted(losses[epoch - 1] for _, losses in side)
            assert _band(loss["series"][number], epoch) == pytest.approx(seen, abs=1e-3)
        before, after = (percent(median(right[place] for right, _ in side)) for place in (0, -1))
        assert table["rows"][0][number][1:3] == [before, after]
        assert table["rows"][0][number][4] == "0"


def _band(series: dict[str, list[float | None]], place: int) -> list[float | None]:
    return [series[part][place] for part in ("low", "values", "high")]


def _once(page: LearnPage, column: str) -> dict[str, list[list[list[str]]]]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        table = page.panel("Before and after")
        if any(re.fullmatch(column, each) for each in table["columns"]):
            return table
        time.sleep(0.1)
        page.run()
    raise AssertionError(f"no “{column}” came: {page.text}")


def test_a_ticket_begins_where_the_dense_network_began_and_is_trained_as_it_was() -> None:
    def first(seed: int, under: nn.Module) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = SpiralsMLP()
        for layer in LAYERS:
            mask = under.get_buffer(f"{layer}.weight_mask")
            prune.custom_from_mask(network.get_submodule(layer), "weight", mask)
        return network

    comparison = lottery_ticket(load_subject("spirals-mlp"), 0.6)
    ticket, fresh, by_chance = comparison.sides
    for seed in range(3):
        for side, network in (
            (ticket, first(0, magnitude(60))),
            (fresh, first(seed + 1, magnitude(60))),
            (by_chance, first(0, random(60, seed))),
        ):
            draw = side.draws[seed]
            draw.training.run_epoch()
            right, losses = train(network, seed, 1, cycle=1000)
            assert draw.training.planned == 1000
            assert draw.training.quality == pytest.approx(right, abs=0.004)
            assert draw.training.epoch_losses == pytest.approx(losses, rel=1e-4)
            assert draw.revived == 0


def _after(comparison: TrainingComparison, epochs: int) -> list[list[float]]:
    for _ in range(epochs):
        for side in comparison.sides:
            for draw in side.draws:
                draw.training.run_epoch()
    return [list(side.quality[epochs]) for side in comparison.sides]


def test_on_the_digits_a_ticket_is_ahead_of_all_others_in_the_first_epochs() -> None:
    tickets, fresh, by_chance = _after(lottery_ticket(load_subject("digits-mlp"), 0.9), 5)
    assert min(tickets) > max(fresh)
    assert median(fresh) > max(by_chance)


def test_longer_recovery_leaves_less_than_half_of_the_gap() -> None:
    comparison = recovery(load_subject("spirals-mlp"), 0.7, 60)
    comparison.run()
    chosen, drawn = (side.quality for side in comparison.sides)

    def gap(epoch: int) -> float:
        return median(chosen[epoch]) - median(drawn[epoch])

    assert 0 < gap(60) < gap(5) / 2
    assert comparison.share == 1


def test_a_cancelled_contest_ends_and_says_how_far_it_came() -> None:
    comparison = recovery(load_subject("spirals-mlp"), 0.5, 60)
    worker = threading.Thread(target=comparison.work)
    worker.start()
    while comparison.share == 0:
        assert worker.is_alive()
    comparison.stopped.set()
    worker.join(20)
    assert not worker.is_alive()
    assert not comparison.done
    assert 0 < comparison.share < 1
    assert comparison.doing.startswith("Training, epoch ")
    assert [panel.title for panel in comparison.panels()] == [
        "Accuracy while it trains",
        "Loss while it trains",
        "Before and after",
    ]


def test_a_contest_goes_on_where_it_was_stopped() -> None:
    straight, stopped = (recovery(load_subject("spirals-mlp"), 0.5, 3) for _ in range(2))
    straight.work()
    first, second = (side.draws[0].training for side in stopped.sides)
    first.run_epoch()
    stopped.stopped.set()
    stopped.work()
    assert (len(first.quality), len(second.quality), stopped.done) == (2, 1, False)
    resumed = stopped.resumed()
    assert resumed.share == stopped.share > 0
    resumed.work()
    assert resumed.done
    assert resumed.panels() == straight.panels()


def test_a_person_cancels_and_goes_on() -> None:
    # Digits take long enough to be cancelled in the midst of it
    page = LearnPage(LESSON, network="digits-mlp", epochs="60")
    page.click("learn_begin")
    _once(page, r"After [1-9]\d* epochs")
    page.click("learn_trial_status_cancel")
    assert "Cancelled." in page.text
    trained = int(page.panel("Before and after")["columns"][2].split()[1])
    assert page.app.button(key="learn_trial_status_go_on").label == "Go on"
    page.click("learn_trial_status_go_on")
    assert int(page.panel("Before and after")["columns"][2].split()[1]) >= trained > 0
    page.click("learn_trial_status_cancel")


@pytest.mark.parametrize("name", ["tutorial-mlp", "digits-cnn"])
def test_a_network_that_is_not_trained_here_says_which_are(name: str) -> None:
    page = LearnPage(LESSON, network=name)
    assert f"{name} is not trained here" in page.errors[0]
    assert "choose spirals-mlp or digits-mlp" in page.errors[0]
    page.click("learn_back_to_network")
    assert page.errors == []


@pytest.mark.parametrize("experiment", ["recover", "ticket"])
def test_its_lines_of_torch_train_under_the_mask(experiment: str) -> None:
    page = LearnPage(LESSON, experiment=experiment)
    lines = page.panel("The same in torch")["texts"][70]
    assert ("custom_from_mask" in lines) == (experiment == "ticket")
    points, labels = spirals(held_out=False)
    names = {
        "torch": torch,
        "model": trained("spirals-mlp"),
        "SpiralsMLP": SpiralsMLP,
        "batches": zip(points.split(BATCH), labels.split(BATCH), strict=True),
    }
    with torch.random.fork_rng(devices=[]):
        exec(lines, names)
    model, expected = names["model"], magnitude(70)
    assert isinstance(model, nn.Module)
    for layer in LAYERS:
        mask = expected.get_buffer(f"{layer}.weight_mask")
        assert torch.equal(model.get_buffer(f"{layer}.weight_mask"), mask)
        weight = model.get_parameter(f"{layer}.weight_orig") * mask
        assert torch.all((weight != 0) == mask.bool())
        dense = trained("spirals-mlp").get_parameter(f"{layer}.weight")
        assert not torch.equal(weight, dense * mask)


def test_every_fact_that_it_promises_is_there() -> None:
    stage = GETTING_IT_BACK.build(load_subject("spirals-mlp"), {"experiment": "recover", "epochs": 1})
    assert set(stage.facts) == set(GETTING_IT_BACK.facts)
