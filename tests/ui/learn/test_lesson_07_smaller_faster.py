"""Lesson 7 against torch: the four networks made by hand, and what torch itself writes of them."""

import io
import re
from copy import deepcopy
from statistics import median

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.figures.numbers import count, memory, percent, times
from pruning_explorer.lessons.panels import Curves, Table
from pruning_explorer.lessons.scenes.smaller_faster import SMALLER_FASTER
from pruning_explorer.lessons.stopwatch import Stopwatch
from pruning_explorer.lessons.wide_network import WIDTHS, wide_network
from pruning_explorer.prune.recipe import Recipe
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import digits, logits_of, trained

FORMS = ["dense", "masked", "made permanent", "cut out"]
STOPS = [0, 5, 9]
WEIGHTS, HEAD = 64 * 300 + 300 * 100, 100 * 10


def masked_by_torch(amount: float, *, whole: bool = True) -> nn.Module:
    model = trained("digits-mlp")
    for layer in (model.fc1, model.fc2):
        if whole:
            prune.ln_structured(layer, "weight", amount, n=2, dim=0)
        else:
            prune.l1_unstructured(layer, "weight", amount)
    return model


def permanent_by_torch(amount: float, *, whole: bool = True) -> nn.Module:
    model = masked_by_torch(amount, whole=whole)
    for layer in (model.fc1, model.fc2):
        prune.remove(layer, "weight")
    return model


def cut_by_torch(amount: float) -> nn.Module:
    zeros = permanent_by_torch(amount)
    kept1, kept2 = (layer.weight.any(dim=1) for layer in (zeros.fc1, zeros.fc2))
    smaller = deepcopy(zeros)
    smaller.fc1, smaller.fc2, smaller.fc3 = (
        linear(zeros.fc1.weight[kept1], zeros.fc1.bias[kept1]),
        linear(zeros.fc2.weight[kept2][:, kept1], zeros.fc2.bias[kept2]),
        linear(zeros.fc3.weight[:, kept2], zeros.fc3.bias),
    )
    return smaller


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def four_by_torch(amount: float) -> list[nn.Module]:
    return [trained("digits-mlp"), masked_by_torch(amount), permanent_by_torch(amount), cut_by_torch(amount)]


def on_disk(model: nn.Module) -> int:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return len(file.getvalue())


def numbers_in(state: dict[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in state.values())


def in_memory(model: nn.Module) -> int:
    """All that stands in the file, and the product of weight and mask of each layer that has a mask."""
    state = model.state_dict()
    products = sum(tensor.numel() for name, tensor in state.items() if name.endswith("_mask"))
    return 4 * (numbers_in(state) + products)


def multiply_adds(model: nn.Module) -> int:
    return sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, nn.Linear))


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    return LearnPage("smaller-faster")


@pytest.mark.parametrize("stop", STOPS)
def test_the_table_counts_what_torch_writes(lesson: LearnPage, stop: int) -> None:
    rows = lesson.panel("Counted, without a clock")["rows"][stop]
    models = four_by_torch(stop / 10)
    names = [*FORMS[:3], "cut out" if stop else "cut out: nothing to cut"]
    assert [row[0] for row in rows] == names
    for row, model in zip(rows, models, strict=True):
        assert row[1] == memory(on_disk(model))
        assert row[2] == memory(in_memory(model))
        assert row[3] == count(multiply_adds(model))


@pytest.mark.parametrize("stop", STOPS)
def test_key_figures_are_those_of_torchs_networks(lesson: LearnPage, stop: int) -> None:
    images, labels = digits()
    masked, cut = (logits_of(model, images.flatten(1)) for model in four_by_torch(stop / 10)[1::2])
    zeros = permanent_by_torch(stop / 10)
    kept = sum(int(torch.count_nonzero(layer.weight)) for layer in (zeros.fc1, zeros.fc2))
    empty = sum(int((~layer.weight.any(dim=1)).sum()) for layer in (zeros.fc1, zeros.fc2))
    right = [percent(float((each.argmax(dim=1) == labels).float().mean())) for each in (masked, cut)]
    assert lesson.figure("Neurons cut out", stop) == f"{empty} of {empty}"
    assert lesson.figure("Multiply-adds, theoretical", stop) == count(kept + HEAD)
    assert lesson.figure("Masked and cut agree", stop) == percent(agree(stop / 10))
    assert [lesson.figure(f"Accuracy, {form}", stop) for form in ("masked", "cut out")] == right


def test_three_lines_do_not_move(lesson: LearnPage) -> None:
    lines = {each["name"]: each["values"] for each in lesson.panel("On disk")["series"]}
    for stop in range(10):
        for name, model in zip(FORMS, four_by_torch(stop / 10), strict=True):
            assert lines[name][stop] == pytest.approx(on_disk(model) / 1024, abs=0.051)
    assert all(len(set(lines[name])) == 1 for name in FORMS[:3])
    assert lines["cut out"] == sorted(lines["cut out"], reverse=True)


def test_the_code_makes_the_permanent_network(lesson: LearnPage) -> None:
    model = trained("digits-mlp")
    exec(lesson.panel("The same in torch")["texts"][3], {"model": model})
    expected = permanent_by_torch(0.3).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_single_weights_leave_next_to_nothing_to_cut() -> None:
    page = LearnPage("smaller-faster", granularity="element")
    for stop in STOPS:
        zeros = permanent_by_torch(stop / 10, whole=False)
        empty = sum(int((~layer.weight.any(dim=1)).sum()) for layer in (zeros.fc1, zeros.fc2))
        assert page.figure("Neurons cut out", stop) == f"{empty} of {empty}"
    half = page.panel("Counted, without a clock")["rows"][5]
    assert half[3] == ["cut out: nothing to cut", *half[0][1:]]
    model = trained("digits-mlp")
    exec(page.panel("The same in torch")["texts"][9], {"model": model})
    expected = permanent_by_torch(0.9, whole=False).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def agree(amount: float) -> float:
    images, _ = digits()
    masked, cut = (logits_of(each(amount), images.flatten(1)).argmax(dim=1) for each in (masked_by_torch, cut_by_torch))
    return float((masked == cut).double().mean())


@pytest.mark.parametrize("knobs", [{}, {"granularity": "element", "amount": "0.3"}])
def test_the_question_is_about_whole_neurons_at_half_whatever_is_set(knobs: dict[str, str]) -> None:
    page = LearnPage("smaller-faster", **knobs)
    dense, masked, permanent, cut = four_by_torch(0.5)
    left = sum(int(torch.count_nonzero(layer.weight)) for layer in (permanent.fc1, permanent.fc2)) + HEAD
    choices = [each.partition(":")[0] for each in page.app.radio[0].options]
    assert choices == [count(multiply_adds(dense)), count(left), count(multiply_adds(cut))]
    page.answer(2)
    assert "Right." in page.text
    words = " ".join(page.text.split())
    empty = sum(int((~layer.weight.any(dim=1)).sum()) for layer in (permanent.fc1, permanent.fc2))
    assert f"How many of {count(multiply_adds(dense))} multiply-adds of digits-mlp are left?" in words
    assert f"Cut out, {count(multiply_adds(cut))} are left: {empty} of the {empty} neurons" in words
    assert f"The file shrinks from {memory(on_disk(dense))} to {memory(on_disk(cut))}." in words
    assert f"Masked, the file **grows**, to {memory(on_disk(masked))} at every amount" in words
    assert f"In memory it is {times(in_memory(masked) / in_memory(dense))}" in words
    assert f"leads back to {memory(on_disk(permanent))}, no lower" in words
    assert f"Do not expect {times(multiply_adds(dense) / multiply_adds(cut))} the speed" in words
    assert (
        f"At 50 % masked and cut agree on {percent(agree(0.5))} of the samples, at 90 % on {percent(agree(0.9))}."
        in words
    )


@pytest.mark.parametrize("name", ["tutorial-mlp", "spirals-mlp"])
def test_on_another_network_the_answers_differ_still(name: str) -> None:
    page = LearnPage("smaller-faster", network=name)
    assert f"multiply-adds of {name} are left?" in " ".join(page.text.split())
    numbers = [int(each.partition(":")[0]) for each in page.app.radio[0].options]
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[0] == multiply_adds(trained(name))


def begin(stop: int) -> Stopwatch:
    assert SMALLER_FASTER.experiment is not None
    values = {"granularity": "channel", "size": "given"}
    trial = SMALLER_FASTER.experiment.begin(load_subject("digits-mlp"), values, stop)
    assert isinstance(trial, Stopwatch)
    return trial


def test_the_measurement_is_of_these_four() -> None:
    trial = begin(5)
    assert (trial.panels(), trial.done, trial.share) == ((), False, 0.0)
    trial.work()
    assert (trial.problem, trial.done, trial.share) == (None, True, 1.0)
    table, curves = trial.panels()
    assert isinstance(table, Table)
    assert isinstance(curves, Curves)
    for row, name, model in zip(table.rows[0], FORMS, four_by_torch(0.5), strict=True):
        assert (row[0], *row[5:]) == (name, memory(on_disk(model)), memory(in_memory(model)))
        assert float(row[1]) > 0
        low, high = map(float, row[4].split(" to "))
        assert low <= float(row[1]) <= high
        assert re.fullmatch(r"[\d.]+×(, unsure)?", row[2])
    found = {name: each.milliseconds for name, each in trial.footprints().items()}
    for row in table.rows[0]:
        ratios = [dense / own for dense, own in zip(found["dense"], found[row[0]], strict=True)]
        assert row[2].removesuffix(", unsure") == times(median(ratios))
    zeros, cut = permanent_by_torch(0.5), cut_by_torch(0.5)
    left = sum(int(torch.count_nonzero(layer.weight)) for layer in (zeros.fc1, zeros.fc2)) + HEAD
    all_of_them = WEIGHTS + HEAD
    theory = [1.0, all_of_them / left, all_of_them / left, all_of_them / multiply_adds(cut)]
    assert [row[3] for row in table.rows[0]] == list(map(times, theory))
    assert "16 samples at once" in table.note
    assert "the median of each round's ratio, so not the quotient of the milliseconds" in table.note
    rounds = len(curves.x)
    assert [len(each.values) for each in curves.series] == [rounds] * 4
    for each, row in zip(curves.series, table.rows[0], strict=True):
        assert each.values[-1] == pytest.approx(float(row[1]), rel=0.01)


def test_a_measurement_that_is_stopped_says_what_it_has() -> None:
    trial = Stopwatch(load_subject("digits-mlp"), Recipe(frozen=("fc3.weight",)), rounds=1000)
    trial.stopped.set()
    trial.run()
    assert not trial.done
    assert trial.share == 0.001
    assert trial.doing == "Measuring, round 1 of 1000"
    assert len(trial.footprints()["dense"].milliseconds) == 1


def test_a_measurement_that_fails_says_why() -> None:
    trial = Stopwatch(load_subject("digits-gru"), Recipe())
    trial.work()
    assert trial.done
    assert trial.problem is not None
    assert "gru is a recurrent layer" in trial.problem


def test_a_network_that_cannot_be_cut_is_refused_in_words() -> None:
    page = LearnPage("smaller-faster", network="digits-gru")
    assert any("Torch-Pruning cannot follow digits-gru" in each for each in (*page.errors, *page.warnings))


@pytest.mark.parametrize("size", ["given", "wide"])
def test_explore_opens_with_the_very_mask(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if size == "wide":
        # Whatever is shown, Explore has the lesson's network; a narrow one is built sooner
        narrow = load_subject("spirals-mlp")
        monkeypatch.setattr("pruning_explorer.lessons.scenes.smaller_faster.wide_network", lambda: narrow)
    subject = load_subject("digits-mlp")
    stage = SMALLER_FASTER.build(subject, {"granularity": "channel", "size": size})
    masks, model = compute_masks(subject, stage.recipe(4)), masked_by_torch(0.4)
    assert list(masks) == ["fc1.weight", "fc2.weight"]
    assert torch.equal(masks["fc1.weight"], model.fc1.weight_mask.bool())
    assert torch.equal(masks["fc2.weight"], model.fc2.weight_mask.bool())


def test_the_wide_network_is_always_the_same() -> None:
    state = torch.get_rng_state()
    one, other = wide_network(), wide_network.__wrapped__()
    assert torch.equal(torch.get_rng_state(), state)
    assert one.id == other.id
    assert [tuple(one.weight(f"fc{number}.weight").shape) for number in (1, 2, 3)] == [
        (WIDTHS[1], WIDTHS[0]),
        (WIDTHS[2], WIDTHS[1]),
        (WIDTHS[3], WIDTHS[2]),
    ]
    for number, width in enumerate(WIDTHS[:-1], 1):
        weight = one.weight(f"fc{number}.weight")
        assert float(weight.abs().max()) <= width**-0.5
        assert float(weight.std()) == pytest.approx((3 * width) ** -0.5, rel=0.02)
    assert one.labels is None
