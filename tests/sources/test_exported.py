"""An exported program is, in every number, the network that was exported; the network itself is the oracle."""

import copy
import json
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.func import functional_call
from torch.utils._pytree import tree_leaves

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.cost import dense_cost
from pruning_explorer.measure.forward import dense_outputs, layer_outputs, masked_outputs
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.recalibration import has_batchnorm, why_no_recalibration
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.exported import open_exported


class Residual(nn.Module):
    """Convolutions, BatchNorm, an activation that works in place, a sum around them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        stem = self.relu(self.stem(x))
        return self.fc(self.relu(self.bn(self.conv(stem)) + stem).mean((2, 3)))


class Recurrent(nn.Module):
    """A GRU of which only the last state is read."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 5, num_layers=2, batch_first=True)
        self.fc = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.gru(x)[1][-1])


class Attentive(nn.Module):
    """Embedding, a parameter of its own, attention, LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(13, 8)
        self.place = nn.Parameter(torch.randn(5, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 3)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.emb(ids) + self.place
        with torch.no_grad():
            scale = torch.ones(8) * 0.5
        x = self.norm(x + scale * self.attention(x, x, x, need_weights=False)[0])
        return self.fc(x.mean(1))


class Tied(nn.Module):
    """The same matrix at both ends, and the same layer called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(11, 6)
        self.again = nn.Linear(6, 6)
        self.out = nn.Linear(6, 11, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.out(torch.tanh(self.again(torch.relu(self.again(self.emb(ids))))).mean(1))


class Several(nn.Module):
    """Two inputs, one by name, a number, a buffer that is not saved, a constant; a tuple with a dict in it."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(4, 6), nn.Linear(3, 6), nn.Linear(6, 5)
        self.register_buffer("steps", torch.arange(6.0), persistent=False)
        self.twice = torch.full((6,), 2.0)

    def forward(self, x: Tensor, y: Tensor, scale: float = 3.0) -> tuple[Tensor, dict[str, Any]]:
        hidden = self.a(x) + self.b(y) * scale + self.steps * self.twice
        return self.head(hidden), {"hidden": hidden, "count": x.shape[0]}


class Worded(nn.Module):
    """Layers that are called as something in the program might be."""

    def __init__(self) -> None:
        super().__init__()
        for word in WORDS:
            setattr(self, word, nn.Linear(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        for word in WORDS:
            x = torch.relu(getattr(self, word)(x))
        return x


class Audible(nn.Module):
    """What networks for sound do: convolutions whose weights are normed, and spectra."""

    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the old form is what older networks hold
            self.old = nn.utils.weight_norm(nn.Conv1d(1, 4, 3, padding=1))
        self.head = nn.Linear(17, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.old(x[:, None])).mean(1)
        window = torch.hann_window(16)
        loud = torch.stft(x, 32, 16, 16, window, return_complex=True).abs().mean(-1)
        spectrum = torch.fft.rfft(x, norm="ortho")[:, :17]
        back = torch.fft.irfft(spectrum, n=32)[:, :17]
        store = torch.empty_like(loud)
        store[:] = loud + spectrum.angle() + back + torch.fft.fftshift(torch.fft.fft2(x[:, :17, None]).real.squeeze(-1))
        return self.head(store)


WORDS = ("program", "signature", "digest", "calls", "writes", "native", "recorded_type", "misfit", "samples_per_call")
BATCH = Dim("batch")
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[Tensor, ...]], dict[str, Any], Any]] = {
    "mlp": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
        lambda: (torch.randn(2, 4),),
        {},
        ({0: BATCH},),
    ),
    "words": (Worded, lambda: (torch.randn(2, 4),), {}, ({0: BATCH},)),
    "cnn": (Residual, lambda: (torch.randn(2, 3, 8, 8),), {}, {"x": {0: Dim.AUTO}}),
    "cnn-of-3": (Residual, lambda: (torch.randn(3, 3, 8, 8),), {}, None),
    "gru": (Recurrent, lambda: (torch.randn(2, 5, 4),), {}, {"x": {0: BATCH}}),
    "audible": (Audible, lambda: (torch.randn(2, 64),), {}, {"x": {0: BATCH}}),
    "attention": (Attentive, lambda: (torch.randint(13, (2, 5)),), {}, {"ids": {0: BATCH}}),
    "tied": (Tied, lambda: (torch.randint(11, (2, 5)),), {}, {"ids": {0: BATCH, 1: Dim("length", min=2, max=9)}}),
    "several": (
        Several,
        lambda: (torch.randn(2, 4), torch.randn(2, 3)),
        {"scale": 2.5},
        {"x": {0: BATCH}, "y": {0: BATCH}, "scale": None},
    ),
}


class Called(nn.Module):
    """A network with the keywords that it was exported with, for the oracle."""

    def __init__(self, network: nn.Module, keywords: dict[str, Any]) -> None:
        super().__init__()
        self.network, self.keywords = network, keywords

    def forward(self, *inputs: Tensor) -> Any:
        return self.network(*inputs, **self.keywords)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module", params=NETWORKS)
def pair(request: pytest.FixtureRequest, folder: Path) -> tuple[nn.Module, dict[str, Any], Subject]:
    """A network, the keywords that it was exported with, and the subject of its program."""
    return exported(request.param, folder)


def exported(name: str, folder: Path) -> tuple[nn.Module, dict[str, Any], Subject]:
    make, inputs, keywords, shapes = NETWORKS[name]
    torch.manual_seed(0)
    network = make().eval()
    for each in network.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.normal_(each.running_mean)
    path = folder / f"{name}.pt2"
    if not path.exists():
        torch.export.save(torch.export.export(network, inputs(), keywords, dynamic_shapes=shapes), path)
    return network, keywords, open_exported(path)


def study(network: nn.Module, subject: Subject) -> Subject:
    """A network on the samples of a subject, with labels and a calibration part."""
    samples = subject.samples
    assert samples is not None
    labels = torch.randint(3, (len(samples[0]),), generator=torch.Generator().manual_seed(3))
    return Subject.from_module(network, samples, labels, name="net", calibration=samples, calibration_labels=labels)


def test_outputs_are_the_networks_own(pair: tuple[nn.Module, dict[str, Any], Subject]) -> None:
    network, keywords, subject = pair
    assert subject.samples is not None
    assert subject.runnable
    with torch.no_grad():
        wanted, found = network(*subject.samples, **keywords), subject.model(*subject.samples)
    assert type(found) is type(wanted)
    pairs = list(zip(tree_leaves(wanted), tree_leaves(found), strict=True))
    assert pairs
    for left, right in pairs:
        # To the bit, but where attention has a path of its own, which rounds in another way
        torch.testing.assert_close(right, left, rtol=1e-6, atol=1e-6)


def test_targets_are_the_networks_own(pair: tuple[nn.Module, dict[str, Any], Subject]) -> None:
    network, _, subject = pair
    oracle = Subject.from_module(network)
    assert subject.targets == oracle.targets
    assert dict(subject.refused) == dict(oracle.refused)
    assert all(torch.equal(subject.weight(target.name), oracle.weight(target.name)) for target in subject.targets)


CRITERIA = ("magnitude", "gradient", "fisher", "wanda", "fpgm")


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "several"])
def test_masks_drift_layers_and_cost_are_the_networks_own(name: str, folder: Path) -> None:
    network, _, subject = exported(name, folder)
    ours, oracle = study(subject.model, subject), study(network, subject)
    assert dense_cost(ours) == dense_cost(oracle)
    names = tuple(t.name for t in oracle.targets if t.role == "weight" and (name == "tied" or t.name != "emb.weight"))
    for criterion in CRITERIA:
        granularity = "channel:dim=0" if criterion == "fpgm" else "element"
        recipe = Recipe(criterion=criterion, granularity=granularity, scope="layer", amount=0.5, targets=names)
        masks, wanted = compute_masks(ours, recipe), compute_masks(oracle, recipe)
        assert all(torch.equal(masks[target], wanted[target]) for target in wanted), criterion
    torch.testing.assert_close(masked_outputs(ours, masks), masked_outputs(oracle, wanted), rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(layer_drift(ours, masks), layer_drift(oracle, wanted), rtol=1e-4, atol=1e-5)
    assert len(layer_drift(ours, masks)) > 1


def test_weights_that_are_replaced_are_what_is_run(folder: Path) -> None:
    network, _, subject = exported("tied", folder)
    twice = {"emb.weight": network.get_parameter("emb.weight").detach() * 2}
    assert subject.target("out.weight").name == "emb.weight"
    assert subject.samples is not None
    with torch.no_grad():
        found = functional_call(skeleton(subject.model), twice, subject.samples)
        wanted = functional_call(network, twice, subject.samples)
    assert torch.equal(found, wanted)
    assert not torch.equal(found, dense_outputs(subject))


def test_a_copy_has_weights_of_its_own(folder: Path) -> None:
    subject = exported("mlp", folder)[2]
    model = subject.copy_model()
    nn.init.zeros_(model.get_parameter("0.weight"))
    assert subject.weight("0.weight").abs().sum() > 0
    assert copy.deepcopy(subject.model) is not subject.model


def test_many_threads_run_it_at_once(folder: Path) -> None:
    subject = exported("cnn", folder)[2]
    amounts = [0.1, 0.3, 0.5, 0.7, 0.9] * 4
    masks = [compute_masks(subject, Recipe(amount=amount)) for amount in amounts]
    alone = [masked_outputs(subject, each) for each in masks]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: masked_outputs(subject, each), masks))
    assert all(map(torch.equal, alone, together))


def test_running_it_changes_nothing(folder: Path) -> None:
    subject = exported("cnn", folder)[2]
    before = {name: each.clone() for name, each in subject.model.state_dict().items()}
    layer_outputs(subject, None)
    assert before.keys() == subject.model.state_dict().keys()
    assert all(torch.equal(each, before[name]) for name, each in subject.model.state_dict().items())


def test_the_same_file_is_the_same_subject_and_another_activation_is_not(folder: Path) -> None:
    subject = exported("mlp", folder)[2]
    assert subject.id == open_exported(folder / "mlp.pt2").id
    torch.manual_seed(0)
    other = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).eval()
    path = folder / "other" / "mlp.pt2"
    path.parent.mkdir()
    torch.export.save(torch.export.export(other, (torch.randn(2, 4),), dynamic_shapes=({0: BATCH},)), path)
    assert torch.equal(open_exported(path).weight("0.weight"), subject.weight("0.weight"))
    assert open_exported(path).id != subject.id


def test_samples_are_noise_of_its_signature_and_it_says_so(folder: Path) -> None:
    ids = exported("tied", folder)[2]
    assert [(tuple(each.shape), each.dtype) for each in ids.samples or ()] == [((32, 5), torch.int64)]
    assert 0 <= int(ids.samples[0].min()) <= int(ids.samples[0].max()) == 10  # type: ignore[index]
    assert "noise" in ids.about_samples
    assert ids.labels is None
    two = exported("several", folder)[2]
    assert [tuple(each.shape) for each in two.samples or ()] == [(32, 4), (32, 3)]
    assert dense_outputs(two).shape == (32, 5)


def test_a_fixed_batch_takes_any_number(folder: Path) -> None:
    network, _, subject = exported("cnn-of-3", folder)
    assert subject.sample_count == 3
    assert "batches of 3" in subject.about_samples
    assert subject.example is not None
    for count in (1, 2, 3, 4, 7):
        samples = torch.randn(count, 3, 8, 8)
        with torch.no_grad():
            torch.testing.assert_close(dense_outputs(subject.with_samples(samples)), network(samples))
    assert dense_cost(subject).macs == dense_cost(Subject.from_module(network, torch.randn(1, 3, 8, 8))).macs


def test_samples_that_do_not_fit_are_refused_with_both_shapes(folder: Path) -> None:
    cnn, ids, two = (exported(name, folder)[2] for name in ("cnn", "tied", "several"))
    with pytest.raises(SubjectError, match=r"takes x float32 \[N, 3, 8, 8\] and is given float32 \[5, 1, 8, 8\]"):
        cnn.with_samples(torch.randn(5, 1, 8, 8))
    with pytest.raises(SubjectError, match=r"int64 \[N, s\d+ \(1 to 9\)\] and is given int64 \[4, 12\]"):
        ids.with_samples(torch.zeros(4, 12, dtype=torch.long))
    with pytest.raises(SubjectError, match=r"takes ids int64 .* and is given float32 \[4, 5\]"):
        ids.with_samples(torch.zeros(4, 5))
    with pytest.raises(SubjectError, match=r"takes x .*, y float32 \[N, 3\] and is given float32 \[2, 4\]"):
        two.with_samples(torch.zeros(2, 4))
    assert dense_outputs(ids.with_samples(torch.zeros(1, 7, dtype=torch.long))).shape == (1, 11)


def test_batchnorm_was_exported_in_eval_mode(folder: Path) -> None:
    subject = exported("cnn", folder)[2]
    assert not has_batchnorm(subject)
    assert "exported in eval mode" in (why_no_recalibration(subject) or "")
    assert "no BatchNorm" in (why_no_recalibration(exported("mlp", folder)[2]) or "")


def test_a_network_in_training_mode_is_refused(folder: Path) -> None:
    for name, network in {"dropout": nn.Sequential(nn.Linear(4, 3), nn.Dropout()), "bn": Residual()}.items():
        sample = torch.randn(2, 4) if name == "dropout" else torch.randn(2, 3, 8, 8)
        torch.export.save(torch.export.export(network.train(), (sample,)), folder / f"{name}.pt2")
        with pytest.raises(SubjectError, match=r"training mode .* call model.eval\(\) before"):
            open_exported(folder / f"{name}.pt2")


def test_core_aten_and_half_precision(folder: Path) -> None:
    network = exported("cnn", folder)[0]
    sample = torch.randn(2, 3, 8, 8)
    program = torch.export.export(network, (sample,)).run_decompositions()
    torch.export.save(program, folder / "core.pt2")
    subject = open_exported(folder / "core.pt2")
    assert subject.samples is not None
    with torch.no_grad():
        torch.testing.assert_close(dense_outputs(subject), network(*subject.samples))
        half = copy.deepcopy(network).bfloat16()
        torch.export.save(torch.export.export(half, (sample.bfloat16(),)), folder / "half.pt2")
        subject = open_exported(folder / "half.pt2")
        assert subject.target("fc.weight").dtype == torch.bfloat16
        assert subject.samples is not None
        assert torch.equal(dense_outputs(subject), half(*subject.samples))
        # Criteria compute in float32, and so does the program then
        recipe = Recipe(criterion="gradient", amount=0.5)
        masks = [compute_masks(study(each, subject), recipe) for each in (subject.model, half)]
        assert all(map(torch.equal, masks[0].values(), masks[1].values()))


@pytest.mark.parametrize("dim", [0, 2, None])
def test_a_weight_that_is_normed_at_each_call_is_run(dim: int | None, folder: Path) -> None:
    torch.manual_seed(0)
    normed = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3), dim=dim)
    network = nn.Sequential(normed, nn.Flatten(), nn.Linear(24, 2)).eval()
    inputs = torch.randn(4, 3, 8)
    torch.export.save(torch.export.export(network, (inputs,)), folder / "normed.pt2")
    subject = open_exported(folder / "normed.pt2")
    assert torch.equal(subject.model(inputs), network(inputs))
    assert {target.module for target in subject.targets if target.role == "weight"} == {"2"}


def test_inputs_without_a_common_batch_are_refused(folder: Path) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.fc(x) + y.sum()

    torch.export.save(torch.export.export(Mixed(), (torch.randn(4, 3), torch.randn(5))), folder / "mixed.pt2")
    with pytest.raises(SubjectError, match=r"do not share a first dim for the samples \(x \[4, 3\]; y \[5\]\)"):
        open_exported(folder / "mixed.pt2")


def test_what_the_browser_saves_of_the_file_is_not_needed(folder: Path) -> None:
    """The sample inputs, a pickle, may be missing: they are never looked at."""
    exported("mlp", folder)
    bare = folder / "bare.pt2"
    with zipfile.ZipFile(folder / "mlp.pt2") as whole, zipfile.ZipFile(bare, "w") as archive:
        for name in whole.namelist():
            if "sample_inputs" not in name:
                archive.writestr(name, whole.read(name))
    assert open_exported(bare).sample_count == 32
    with zipfile.ZipFile(bare) as archive:
        assert json.loads(archive.read("mlp/models/model.json"))["schema_version"]["major"] == 8
