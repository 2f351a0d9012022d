import math

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.errors import MaskError
from pruning_explorer.measure.agreement import COLUMNS, mask_agreement
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


@pytest.fixture
def subject() -> Subject:
    """Two layers of four weights."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    return Subject.from_module(model, torch.ones(1, 2))


def masks(subject: Subject, first: list[int], second: list[int] | None = None) -> Masks:
    named: dict[str, Tensor] = {"0.weight": torch.tensor(first).view(2, 2)}
    if second is not None:
        named["1.weight"] = torch.tensor(second).view(2, 2)
    return Masks.from_dict(subject, named)


def test_by_hand(subject: Subject) -> None:
    frame = mask_agreement([masks(subject, [1, 1, 0, 0], [1, 1, 1, 0]), masks(subject, [1, 0, 1, 0], [1, 1, 1, 0])])
    assert list(frame.columns) == COLUMNS
    assert frame["target"].tolist() == ["all", "0.weight", "1.weight"]
    assert frame["weights"].tolist() == [8, 4, 4]
    assert frame[["a", "b"]].drop_duplicates().to_numpy().tolist() == [[0, 1]]
    # 1 of 3; 3 of 3; together 4 of 6
    assert frame["jaccard"].tolist() == pytest.approx([4 / 6, 1 / 3, 1])
    # 2 and 2 of 4 meet on 1 and cover 3; 3 and 3 of 4 meet on 9/4 and cover 15/4; together 13/4 of 27/4
    assert frame["chance"].tolist() == pytest.approx([13 / 27, 1 / 3, 9 / 15])


def test_chance_is_what_random_masks_do() -> None:
    subject = Subject.from_module(nn.Linear(300, 300, bias=False))
    recipes = [Recipe("random", amount=0.3), Recipe("random", amount=0.8, seed=1)]
    row = mask_agreement([compute_masks(subject, recipe) for recipe in recipes]).iloc[0]
    assert row["jaccard"] == pytest.approx(row["chance"], abs=0.005)
    # 0.7 and 0.2 meet on 0.14 and cover 0.76
    assert row["chance"] == pytest.approx(0.14 / 0.76)


def test_only_what_both_prune_is_compared(subject: Subject) -> None:
    frame = mask_agreement([masks(subject, [1, 1, 0, 0], [0, 0, 0, 0]), masks(subject, [1, 1, 0, 0])])
    assert frame["target"].tolist() == ["all", "0.weight"]
    assert frame["weights"].tolist() == [4, 4]
    assert frame["jaccard"].tolist() == [1, 1]


def test_where_nothing_is_kept_or_compared_there_is_no_number(subject: Subject) -> None:
    nothing = masks(subject, [0, 0, 0, 0])
    assert mask_agreement([nothing, nothing])["jaccard"].isna().all()
    assert mask_agreement([nothing, masks(subject, [1, 0, 0, 0])])["jaccard"].tolist() == [0, 0]
    apart = Masks.from_dict(subject, {"1.weight": torch.ones(2, 2)})
    (row,) = mask_agreement([nothing, apart]).to_dict("records")
    assert (row["target"], row["weights"]) == ("all", 0)
    assert math.isnan(row["jaccard"])
    assert math.isnan(row["chance"])


def test_every_pair_once_and_positions_stay(subject: Subject) -> None:
    one = masks(subject, [1, 1, 0, 0])
    frame = mask_agreement([one, None, one, one])
    pairs = frame.loc[frame["target"] == "all", ["a", "b"]].to_numpy().tolist()
    assert pairs == [[0, 2], [0, 3], [2, 3]]
    assert mask_agreement([one]).empty
    assert list(mask_agreement([]).columns) == COLUMNS


def test_masks_of_two_networks_are_refused(subject: Subject) -> None:
    other = Subject.from_module(nn.Sequential(nn.Linear(3, 2, bias=False)))
    with pytest.raises(MaskError, match="masks of one network"):
        mask_agreement([masks(subject, [1, 1, 0, 0]), compute_masks(other, Recipe())])
