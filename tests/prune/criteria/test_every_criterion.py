"""What holds for all criteria: on every sample subject, under every granularity, from any number of threads."""

import gc
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks, load_subject, sample_names
from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.behaviour import behaviour_of
from pruning_explorer.prune.criteria import CRITERIA, Criterion, Scoring, sensitivity
from pruning_explorer.prune.criteria import watched as watched_criteria
from pruning_explorer.prune.granularities import GRANULARITIES
from tests.prune.criteria.tiny import scores_of

pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")  # which the package mutes by itself

# What each sample lacks, or which layers a criterion cannot judge
LACKS = {
    ("tutorial-mlp", "gradient"): "needs the labels",
    ("tutorial-mlp", "fisher"): "needs the labels",
    ("adder-transformer", "synflow"): "reads whole numbers",
}
UNJUDGED = {
    ("digits-cnn", "bn-scale"): {"block1.shortcut.weight", "fc.weight"},
    ("digits-gru", "mean-activation"): {"gru.weight_ih_l0", "gru.weight_hh_l0"},
    ("digits-gru", "apoz"): {"gru.weight_ih_l0", "gru.weight_hh_l0"},
}
OF_THEMSELVES = [name for name in CRITERIA if name not in ("scores", "mask")]


@pytest.mark.parametrize("criterion", OF_THEMSELVES)
@pytest.mark.parametrize("name", sample_names())
def test_every_sample_is_scored_or_told_why_not(name: str, criterion: str) -> None:
    subject, found = load_subject(name), CRITERIA.read(criterion)
    reason = found.missing(subject)
    if (name, criterion) in LACKS:
        assert LACKS[name, criterion] in str(reason)
        with pytest.raises(RecipeError, match=re.escape(str(reason))):
            compute_masks(subject, Recipe(criterion=criterion))
        return
    assert reason is None
    weights = [target for target in subject.targets if target.role == "weight"]
    judged = [target for target in weights if found.refuse(subject, target) is None]
    if criterion == "bn-scale" and name != "digits-cnn":
        assert not judged
        return
    assert {t.name for t in weights} - {t.name for t in judged} == UNJUDGED.get((name, criterion), set())
    for target in judged:
        for granularity in ("element", f"channel:dim={target.out_dim},n=1"):
            scores = scores_of(subject, criterion, target.name, granularity)
            assert float(scores.max()) > 0
            # One score for all would be no choice at all
            assert len(scores.unique()) > 1


@pytest.mark.parametrize("criterion", OF_THEMSELVES)
@pytest.mark.parametrize("granularity", [*GRANULARITIES.built_in, "channel:dim=1,n=inf"])
def test_every_granularity_takes_its_scores(criterion: str, granularity: str) -> None:
    subject = load_subject("digits-cnn")
    masks = compute_masks(subject, Recipe(criterion=criterion, granularity=granularity, amount=0.5))
    assert len(masks) >= 4
    assert all(0 < masks.kept(target.name) < target.numel for target in masks.targets if target.shape[1] > 1)


@pytest.mark.parametrize("criterion", [name for name in OF_THEMSELVES if name != "random"])
def test_what_earlier_steps_removed_has_no_score(criterion: str) -> None:
    subject = load_subject("digits-cnn")
    stream = torch.Generator().manual_seed(0)
    masks = {t.name: torch.rand(t.shape, generator=stream) > 0.5 for t in subject.targets if t.role == "weight"}
    whole = "block1.conv1.weight"
    masks[whole][:4] = False
    found = scores_of(subject, criterion, whole, masks=masks)
    what = f"{criterion} scores what an earlier step removed; make it 0 where scoring.masks says that it is gone"
    assert not bool(found[:4].any()), what
    if not CRITERIA[criterion].channels:
        assert not bool(found[~masks[whole]].any()), what
    assert bool(found[masks[whole]].any())


@pytest.mark.parametrize("criterion", [name for name in OF_THEMSELVES if CRITERIA[name].static])
def test_a_static_criterion_ranks_what_is_left_as_before(criterion: str) -> None:
    subject, name = load_subject("digits-cnn"), "block1.conv1.weight"
    dense = scores_of(subject, criterion, name)
    masks = {name: dense > dense.flatten().kthvalue(dense.numel() // 2).values}
    left = scores_of(subject, criterion, name, masks=masks)
    torch.testing.assert_close(
        left[masks[name]],
        dense[masks[name]],
        rtol=1e-12,
        atol=0,
        msg=lambda found: f"{criterion} scores anew what is left, so it is not static; leave static=True out\n{found}",
    )


@pytest.mark.parametrize("criterion", ["gradient", "fisher", "wanda", "synflow", "apoz", "mean-activation"])
def test_a_criterion_that_watches_sees_what_is_left(criterion: str) -> None:
    """Half of the first layer changes what the others score, so these are not static."""
    subject = load_subject("digits-mlp")
    assert not CRITERIA[criterion].static
    masks = {"fc1.weight": torch.arange(300 * 64).view(300, 64) % 2 == 0}
    dense, left = (scores_of(subject, criterion, "fc2.weight", masks=each) for each in ({}, masks))
    assert not torch.allclose(dense, left, rtol=1e-2)


NEEDY = ("gradient", "fisher", "wanda", "apoz", "bn-scale", "synflow")
CACHES = (
    sensitivity.GRADIENTS,
    sensitivity.FISHER,
    sensitivity.FLOW,
    watched_criteria.ON_CALIBRATION,
    watched_criteria.ON_EXAMPLE,
)


def test_threads_give_what_one_gives() -> None:
    """Eight at once on one network, each criterion several times: a shared module would race."""
    subject = load_subject("digits-cnn")
    alone = {name: scores_of(subject, name, "block1.conv1.weight") for name in NEEDY}
    weights = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    for cache in CACHES:
        cache.clear()

    def score(name: str) -> tuple[str, Tensor]:
        masks = {"fc.weight": torch.ones(10, 32, dtype=torch.bool)}  # which is never kept, so each is made anew
        return name, scores_of(subject, name, "block1.conv1.weight", masks=masks)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(score, NEEDY * 4))
    for name, scores in found:
        torch.testing.assert_close(scores, alone[name], rtol=1e-3, atol=1e-5 * float(alone[name].max()))
    assert all(torch.equal(tensor, weights[key]) for key, tensor in subject.model.state_dict().items())


def test_the_network_runs_once_for_all_targets_and_threads() -> None:
    calls = []

    class Counted(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            calls.append(len(inputs))
            return super().forward(inputs)

    model = nn.Sequential(Counted(4, 4), nn.ReLU(), nn.Linear(4, 3))
    subject = Subject.from_module(
        model, calibration=torch.randn(5, 4), calibration_labels=torch.tensor([0, 1, 2, 0, 1])
    )
    behaviour_of(subject)  # for which it runs on a few inputs, once for all
    for criterion in ("wanda", "gradient"):
        calls.clear()
        once = partial(CRITERIA.read(criterion).score, Scoring(subject, GRANULARITIES.read("element").grouping, (), 0))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(once, [subject.target("0.weight"), subject.target("2.weight")] * 4))
        assert calls == [5]
        dense = CRITERIA.read(criterion)
        dense.score(Scoring(subject, GRANULARITIES.read("channel").grouping, (), 0), subject.target("0.weight"))
        assert calls == [5]
        masked = Scoring(
            subject, GRANULARITIES.read("element").grouping, (), 0, masks={"2.weight": torch.eye(3, 4) > 0}
        )
        for name in ("0.weight", "2.weight"):
            dense.score(masked, subject.target(name))
        assert calls == [5, 5]


def test_what_is_kept_goes_with_its_subject_and_says_its_size() -> None:
    subject = Subject.from_module(
        nn.Linear(4, 3), calibration=torch.randn(5, 4), calibration_labels=torch.tensor([0, 1, 2, 0, 1])
    )
    before = [len(cache) for cache in CACHES]
    for criterion in ("gradient", "fisher", "wanda", "synflow"):
        scores_of(subject, criterion, "weight")
    assert [len(cache) for cache in CACHES] == [n + m for n, m in zip(before, (1, 1, 1, 1, 0), strict=True)]
    assert sensitivity.mean_gradients(subject, {}).nbytes == (12 + 3) * 4
    # Squares [1, 4] in float32; activation and share for each of three channels in float64
    assert watched_criteria._on_calibration(subject, {}).nbytes == 4 * 4 + 2 * 3 * 8
    del subject
    gc.collect()
    assert [len(cache) for cache in CACHES] == before


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA.keys())
def test_a_person_is_told_what_it_is(criterion: Criterion) -> None:
    assert len(criterion.title) <= 18, "it stands on a button of the sidebar"
    assert re.fullmatch(r"[A-Z][^\n]+\.", criterion.help)
    assert re.fullmatch(r"(arXiv \d{4}\.\d{4,5})?", criterion.paper)
    assert not criterion.advice or criterion.advice.endswith(".")


def test_a_criterion_is_found_by_how_it_is_written() -> None:
    assert CRITERIA.read("wanda") == CRITERIA["wanda"]
    assert CRITERIA.read("scores:file=ab").values == {"file": "ab"}
    with pytest.raises(RecipeError, match="unknown criterion 'wandas'; choose one of magnitude, random"):
        CRITERIA.read("wandas")
    with pytest.raises(RecipeError, match=r"^criterion must be a word, not 3"):
        CRITERIA.read(3)  # type: ignore[arg-type]
