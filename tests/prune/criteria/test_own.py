"""Scores and masks of one's own: what fits is used as it is, what does not is told with both shapes."""

import re

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import MaskError, PruningExplorerError, RecipeError, ScoreError
from pruning_explorer.prune import own_scores
from pruning_explorer.prune.criteria import CRITERIA, Scoring
from pruning_explorer.prune.granularities import GRANULARITIES
from tests.prune.criteria.tiny import assert_scores, linear, scores_of

SCORES = torch.tensor([[0.5, 9.0], [3.0, 4.0]])
MASK = torch.tensor([[True, False], [False, False]])


@pytest.fixture
def subject() -> Subject:
    return Subject.from_module(nn.Sequential(linear([[1, 2], [3, 4]]), linear([[5, 6]])), name="mine")


def test_scores_are_taken_as_they_are(subject: Subject) -> None:
    text = f"scores:file={own_scores.add({'0.weight': SCORES})}"
    assert_scores(scores_of(subject, text, "0.weight"), [[0.5, 9], [3, 4]])
    assert_scores(scores_of(subject, text, "0.weight", "channel:dim=0,n=1"), [9.5, 7])
    assert_scores(scores_of(subject, text, "0.weight", "channel:dim=0,n=inf"), [9, 4])


def test_a_recipe_of_ones_own_scores_prunes_what_the_file_has(subject: Subject) -> None:
    recipe = Recipe(criterion=f"scores:file={own_scores.add({'0.weight': SCORES})}", amount=0.5)
    masks = compute_masks(subject, recipe)
    assert {name: mask.tolist() for name, mask in masks.items()} == {"0.weight": [[False, True], [False, True]]}
    why = recipe.criterion.refuse(subject, subject.target("1.weight"))
    assert why == "the file has no scores for it"


def test_torchs_importance_scores_are_the_oracle(subject: Subject) -> None:
    model = subject.copy_model()
    nn.utils.prune.l1_unstructured(model[0], "weight", 0.5, importance_scores=SCORES)
    masks = compute_masks(subject, Recipe(criterion=f"scores:file={own_scores.add({'0.weight': SCORES})}", amount=0.5))
    assert torch.equal(masks["0.weight"], model[0].weight_mask.bool())


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.int64])
def test_a_mask_at_full_amount_is_custom_from_mask(subject: Subject, dtype: torch.dtype) -> None:
    recipe = Recipe(criterion=f"mask:file={own_scores.add({'0.weight': MASK.to(dtype)})}", amount=1.0)
    model = subject.copy_model()
    nn.utils.prune.custom_from_mask(model[0], "weight", MASK)
    masks = compute_masks(subject, recipe)
    assert list(masks) == ["0.weight"]
    assert torch.equal(masks["0.weight"], model[0].weight_mask.bool())


def test_a_mask_names_what_it_prunes_and_scores_judge_what_is_switched_on() -> None:
    layers = Subject.from_module(nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 2)))
    given = {"0.weight": torch.eye(4)[:, :2], "1.bias": torch.tensor([0.0, 1.0])}
    file = own_scores.add(given)
    assert list(compute_masks(layers, Recipe(criterion=f"mask:file={file}", amount=1.0))) == list(given)
    with pytest.raises(RecipeError, match=r"scores:file=\w+: the file has no scores for it"):
        compute_masks(layers, Recipe(criterion=f"scores:file={file}"))
    assert list(compute_masks(layers, Recipe(criterion=f"scores:file={file}", embeddings=True))) == ["0.weight"]


def test_less_than_the_mask_removes_leaves_some_of_it(subject: Subject) -> None:
    file = own_scores.add({"0.weight": MASK})
    masks = compute_masks(subject, Recipe(criterion=f"mask:file={file}", amount=0.5))
    assert masks["0.weight"].tolist() == [[True, False], [False, True]]


def test_a_group_stays_if_the_mask_keeps_any_weight_of_it(subject: Subject) -> None:
    criterion = CRITERIA.read(f"mask:file={own_scores.add({'0.weight': MASK})}")
    assert criterion.protect is not None
    expected = {"element": MASK.tolist(), "channel:dim=0": [True, False], "channel:dim=1": [True, False]}
    for text, kept in expected.items():
        scoring = Scoring(subject, GRANULARITIES.read(text).grouping, (), 0, criterion.values)
        assert criterion.protect(scoring, subject.target("0.weight")).tolist() == kept
        everything = compute_masks(subject, Recipe(str(criterion), text, amount=1.0))["0.weight"]
        assert torch.equal(everything, scoring.granularity.expand(torch.tensor(kept), (2, 2)))


BAD_SCORES: dict[str, tuple[Tensor, str]] = {
    "shape": (torch.ones(2, 3), r"scores of 0.weight in the file have shape (2, 3), the weight (2, 2); was it made"),
    "transposed": (torch.ones(4), "have shape (4,), the weight (2, 2)"),
    "NaN": (torch.tensor([[1, 2], [3, torch.nan]]), "scores of 0.weight hold NaN or infinite values"),
    "infinite": (torch.tensor([[1, 2], [3, torch.inf]]), "hold NaN or infinite values"),
    "negative": (torch.tensor([[1.0, 2], [3, -1]]), "scores of 0.weight hold negative values"),
}


@pytest.mark.parametrize(("scores", "message"), BAD_SCORES.values(), ids=BAD_SCORES.keys())
def test_scores_that_do_not_fit(subject: Subject, scores: Tensor, message: str) -> None:
    with pytest.raises(ScoreError, match=re.escape(message)):
        compute_masks(subject, Recipe(criterion=f"scores:file={own_scores.add({'0.weight': scores})}"))


BAD_MASKS: dict[str, tuple[Tensor, str]] = {
    "shape": (torch.ones(2, 3), "mask of 0.weight in the file has shape (2, 3), the weight (2, 2)"),
    "a half": (torch.tensor([[0, 1], [1, 0.5]]), "mask of 0.weight has values other than 0 and 1"),
    "NaN": (torch.tensor([[0, 1], [1, torch.nan]]), "mask of 0.weight has values other than 0 and 1"),
}


@pytest.mark.parametrize(("mask", "message"), BAD_MASKS.values(), ids=BAD_MASKS.keys())
def test_masks_that_do_not_fit(subject: Subject, mask: Tensor, message: str) -> None:
    with pytest.raises(MaskError, match=re.escape(message)):
        compute_masks(subject, Recipe(criterion=f"mask:file={own_scores.add({'0.weight': mask})}"))


def test_names_that_the_network_lacks_are_told(subject: Subject) -> None:
    file = own_scores.add({"0.weight": SCORES, "conv.weight": SCORES})
    for name in ("scores", "mask"):
        reason = str(CRITERIA.read(f"{name}:file={file}").missing(subject))
        assert "for conv.weight, and mine has no such parameter" in reason
        assert "its first is 0.weight" in reason
        with pytest.raises(RecipeError, match=r"conv\.weight"):
            compute_masks(subject, Recipe(criterion=f"{name}:file={file}"))


def test_a_named_layer_that_the_file_lacks_is_refused(subject: Subject) -> None:
    file = own_scores.add({"0.weight": SCORES})
    with pytest.raises(RecipeError, match="the file has no scores for it"):
        compute_masks(subject, Recipe(criterion=f"scores:file={file}", targets=("1.weight",)))


def test_a_file_that_is_not_loaded_is_asked_for(subject: Subject) -> None:
    recipe = Recipe(criterion="scores:file=0123456789ab")
    with pytest.raises(PruningExplorerError, match="'0123456789ab' are not loaded here; load the file again"):
        compute_masks(subject, recipe)
    with pytest.raises(ScoreError, match="load the file again"):
        own_scores.get("0123456789ab")
    assert "no file is chosen" in str(CRITERIA.read("mask").missing(subject))


def test_tied_names_are_one() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    text = f"scores:file={own_scores.add({'1.weight': SCORES})}"
    assert_scores(scores_of(Subject.from_module(model), text, "0.weight"), [[0.5, 9], [3, 4]])


def test_the_id_is_made_of_the_content() -> None:
    first = own_scores.add({"a": SCORES, "b": MASK})
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert own_scores.add({"b": MASK.clone(), "a": SCORES.clone()}) == first
    assert own_scores.add({"a": SCORES.T.contiguous().T, "b": MASK}) == first
    others = [{"a": SCORES}, {"a": SCORES, "c": MASK}, {"a": SCORES + 1, "b": MASK}, {"a": SCORES.double(), "b": MASK}]
    assert len({first, *(own_scores.add(each) for each in others)}) == 5


def test_what_was_loaded_stays_as_it_was() -> None:
    tensor = SCORES.clone()
    file = own_scores.add({"a": tensor})
    tensor.zero_()
    assert torch.equal(own_scores.get(file)["a"], SCORES)


def test_what_cannot_be_scores_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(ScoreError, match="there are no scores in it"):
        own_scores.add({})
    with pytest.raises(ScoreError, match="a is no dense tensor of real numbers"):
        own_scores.add({"a": torch.ones(1, dtype=torch.complex64)})
    with pytest.raises(ScoreError, match="a is no dense tensor"):
        own_scores.add({"a": [1.0]})  # type: ignore[dict-item]


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_scores, "LIMIT", 100)
    monkeypatch.setattr(own_scores, "_HELD", type(own_scores._HELD)())
    files = [own_scores.add({"a": torch.full((10,), float(i))}) for i in range(3)]
    assert own_scores.get(files[2])["a"][0] == 2
    assert own_scores.get(files[1])["a"][0] == 1
    with pytest.raises(ScoreError, match="load the file again"):
        own_scores.get(files[0])
    with pytest.raises(ScoreError, match="more than the"):
        own_scores.add({"a": torch.zeros(26)})


def test_how_it_is_written() -> None:
    assert str(CRITERIA.read("scores: file=ab12")) == "scores:file=ab12"
    assert CRITERIA.read("scores").text(defaults=False) == "scores"
    with pytest.raises(RecipeError, match="has no setting 'x=1'; its settings: file"):
        str(CRITERIA.read("mask:x=1"))
