"""Common errors: what each check shows is computed again by torch alone."""

import copy
import io
import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.lesson import FACT
from pruning_explorer.lessons.mistakes import MISTAKES, Mistake, find_out
from pruning_explorer.lessons.panels import Code, Matrix, Table
from tests.ui.learn.torch_alone import digits, logits_of, run_lines, trained

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


def rows(name: str, table: int = 0) -> dict[str, tuple[str, ...]]:
    """The rows of a table of a finding, by what stands first in each."""
    tables = [panel for panel in find_out(BY_NAME[name]).panels if isinstance(panel, Table)]
    return {row[0]: row[1:] for row in tables[table].rows[0]}


def truth(name: str) -> str:
    return BY_NAME[name].tell(find_out(BY_NAME[name]))


def fc1(amount: float, times: int = 1) -> nn.Module:
    layer = trained("tutorial-mlp").fc1
    for _ in range(times):
        prune.l1_unstructured(layer, "weight", amount=amount)
    return layer


def removed(layer: nn.Module) -> int:
    return int((layer.weight_mask == 0).sum())


def right_of(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Answers of a digits network, and which are right."""
    images, labels = digits()
    answers = logits_of(network, images.unsqueeze(1)).argmax(dim=1)
    return answers, answers == labels


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_lines_of_torch_give_what_they_say(mistake: Mistake) -> None:
    images, labels = digits()
    for panel in find_out(mistake).panels:
        if isinstance(panel, Code):
            held = run_lines(panel.texts[0], model=trained(mistake.network), images=images.unsqueeze(1), labels=labels)
            assert held >= 1


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_every_number_that_is_told_was_found(mistake: Mistake) -> None:
    finding = find_out(mistake)
    assert {name for name, _ in FACT.findall(mistake.truth)} <= finding.facts.keys()
    told = FACT.sub("", re.sub(r"`[^`]*`", "", mistake.truth))
    assert not re.findall(r"\d", told)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_explore_can_open_it_and_there_is_a_lesson(mistake: Mistake) -> None:
    assert len(compute_masks(load_subject(mistake.network), mistake.recipe)) > 0
    assert mistake.lesson in built_in_catalog().lessons


def test_twenty_percent_is_of_the_whole_matrix() -> None:
    mask = fc1(0.2).weight_mask
    by_row = (mask == 0).sum(dim=1).tolist()
    assert rows("each-neuron") == {f"out {i}": (str(gone), "1") for i, gone in enumerate(by_row)}
    assert "removes 4 of 20 weights" in truth("each-neuron")
    assert f"By neuron that is {', '.join(map(str, by_row))}." in truth("each-neuron")
    assert by_row != [1, 1, 1, 1]
    panel = find_out(BY_NAME["each-neuron"]).panels[0]
    assert isinstance(panel, Matrix)
    assert panel.leaves is not None
    assert (panel.leaves > 0).tolist() == mask.bool().tolist()


def test_no_function_is_called_uniform() -> None:
    functions = {name for name, each in vars(prune).items() if type(each).__name__ == "function" and name[0] != "_"}
    functions -= {"abstractmethod"}
    assert rows("uniform").keys() == functions
    assert f"Of the {len(functions)} functions" in truth("uniform")
    network = trained("digits-mlp")
    layers = {f"{name}.weight": getattr(network, name) for name in ("fc1", "fc2", "fc3")}
    alike = copy.deepcopy(network)
    prune.global_unstructured([(layer, "weight") for layer in layers.values()], prune.L1Unstructured, amount=0.5)
    for name, layer in layers.items():
        by_itself = getattr(alike, name.partition(".")[0])
        prune.random_unstructured(by_itself, "weight", amount=0.5)
        half = f"{removed(by_itself) / by_itself.weight.numel():.1%}".replace("%", " %")
        together = f"{removed(layer) / layer.weight.numel():.1%}".replace("%", " %")
        assert rows("uniform", 1)[name] == (half, half, together)


def test_a_mask_makes_the_file_larger_and_saves_no_product() -> None:
    network = trained("digits-mlp")
    layers = (network.fc1, network.fc2, network.fc3)
    sizes = [saved(network)]
    for layer in layers:
        prune.l1_unstructured(layer, "weight", amount=0.9)
    sizes.append(saved(network))
    for layer in layers:
        prune.remove(layer, "weight")
    sizes.append(saved(network))
    products = f"{sum(layer.in_features * layer.out_features for layer in layers):,}"
    assert sizes[0] == sizes[2] < sizes[1]
    names = ("dense", "masked", "made permanent")
    assert rows("faster-and-smaller") == {
        name: (f"{size:,}", products) for name, size in zip(names, sizes, strict=True)
    }
    assert f"grows from {sizes[0]:,} to {sizes[1]:,} bytes" in truth("faster-and-smaller")
    assert f"{products} multiply-adds dense, {products} masked" in truth("faster-and-smaller")


def saved(network: nn.Module) -> int:
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return len(file.getvalue())


def test_half_twice_leaves_a_quarter() -> None:
    first, both = removed(fc1(0.5)), removed(fc1(0.5, 2))
    assert rows("half-twice") == {
        "first": ("20", str(first), str(20 - first)),
        "second": (str(20 - first), str(both - first), str(20 - both)),
    }
    assert f"{first} and {both - first} are {both} of 20, {both / 20:.1%}".replace("%", " %") in truth("half-twice")


def test_one_is_a_weight_and_one_point_nought_is_all() -> None:
    one, everything = removed(fc1(1)), removed(fc1(1.0))
    assert [row[1] for row in rows("amount-one").values()] == [str(one), str(everything)]
    assert f"`amount=1` removes {one} of 20, `amount=1.0` removes {everything}." in truth("amount-one")


def test_a_channel_of_zeros_comes_out_of_batchnorm_as_a_constant() -> None:
    network = trained("digits-cnn")
    prune.ln_structured(network.conv1, "weight", amount=0.5, n=2, dim=0)
    images = digits()[0].unsqueeze(1)
    with torch.no_grad():
        before = network.conv1(images)
        after = network.bn1(before)
    dead = [i for i in range(16) if not network.conv1.weight_mask[i].any()]
    assert list(rows("dead-is-zero")) == [str(i) for i in dead]
    for i in dead:
        conv, norm, passes = rows("dead-is-zero")[str(i)]
        assert (conv, passes) == ("always 0", "yes" if after[0, i, 0, 0] > 0 else "no")
        assert bool((before[:, i] == 0).all())
        assert norm.startswith("always ")
        assert float(norm[7:].replace("−", "-")) == pytest.approx(float(after[0, i, 0, 0]), abs=1e-3)
        assert float(after[:, i].max()) == pytest.approx(float(after[:, i].min()), abs=1e-6)
        assert abs(float(after[0, i, 0, 0])) > 0.1
    passing = sum(float(after[0, i, 0, 0]) > 0 for i in dead)
    assert f"Of 16 channels {len(dead)} lost all their weights" in truth("dead-is-zero")
    assert f"{passing} of them are above zero" in truth("dead-is-zero")


def test_norm_layers_that_are_pruned_cost_the_accuracy() -> None:
    every, spared = trained("digits-cnn"), trained("digits-cnn")
    dense = int(right_of(every)[1].sum())
    for module in every.modules():
        if hasattr(module, "weight"):
            prune.l1_unstructured(module, "weight", amount=0.2)
    for module in spared.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            prune.l1_unstructured(module, "weight", amount=0.2)
    gone = [
        sum(int((each == 0).sum()) for name, each in network.named_buffers() if name.endswith("_mask"))
        for network in (spared, every)
    ]
    right = [int(right_of(network)[1].sum()) for network in (spared, every)]
    assert list(rows("every-weight").values()) == [
        ("0", f"{dense / 3.6:.1f} %"),
        (f"{gone[0]:,}", f"{right[0] / 3.6:.1f} %"),
        (f"{gone[1]:,}", f"{right[1] / 3.6:.1f} %"),
    ]
    assert f"only {gone[1] - gone[0]} weights more" in truth("every-weight")
    assert right[1] < 0.8 * right[0]


def test_as_many_are_right_and_answers_have_flipped() -> None:
    network = trained("digits-cnn")
    said, was_right = right_of(network)
    layers = [(module, "weight") for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    prune.global_unstructured(layers, prune.L1Unstructured, amount=0.48)
    says, is_right = right_of(network)
    flips, lost, gained = (int(each.sum()) for each in (says != said, was_right & ~is_right, ~was_right & is_right))
    assert rows("same-accuracy")["Right"] == (str(int(was_right.sum())), str(int(is_right.sum())))
    assert rows("same-accuracy")["Answers flipped"] == ("0", str(flips))
    assert f"{flips} answers flipped: {lost} right ones became wrong, {gained} wrong ones right." in truth(
        "same-accuracy"
    )
    assert abs(lost - gained) <= 1 < flips


def test_remove_keeps_the_zeros() -> None:
    layer = fc1(0.5)
    mask = layer.weight_mask.clone()
    prune.remove(layer, "weight")
    assert f"{int((layer.weight == 0).sum())} of 20 weights are zero afterwards" in truth("remove-undoes")
    assert "is no longer there" in truth("remove-undoes")
    assert not hasattr(layer, "weight_orig")
    panel = find_out(BY_NAME["remove-undoes"]).panels[0]
    assert isinstance(panel, Matrix)
    assert panel.leaves is not None
    assert (panel.leaves > 0).tolist() == mask.bool().tolist()


def test_a_fresh_network_does_not_know_the_names() -> None:
    network, fresh = trained("tutorial-mlp"), trained("tutorial-mlp")
    prune.l1_unstructured(network.fc1, "weight", amount=0.5)
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"fc1.weight\""):
        fresh.load_state_dict(network.state_dict())
    assert rows("loads-anywhere") == {
        "fc1.weight": ("only in the network",),
        "fc1.weight_orig": ("only in the file",),
        "fc1.weight_mask": ("only in the file",),
    }
    assert "looks for `fc1.weight` and the file has `fc1.weight_orig`, `fc1.weight_mask`" in truth("loads-anywhere")
