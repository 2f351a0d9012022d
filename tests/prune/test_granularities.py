"""Every granularity names a method of the library's kind, and the method cuts what the engine cuts."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.prune.granularities import GRANULARITIES

OTHERS = ["channel:dim=1,n=1", "channel:dim=-1,n=inf", "n_m:n=1,m=4", "block:rows=2,cols=3,n=1", "block:rows=5,cols=1"]
AMOUNTS = [0.0, 0.3, 0.5, 1.0]


def layer() -> nn.Linear:
    """10 x 12, of distinct magnitudes and of distinct norms in every group: no ties."""
    weight = torch.randn(10, 12, generator=torch.Generator().manual_seed(0))
    linear = nn.Linear(12, 10, bias=False)
    linear.weight = nn.Parameter(weight)
    return linear


def engines_mask(granularity: str, amount: float) -> Tensor:
    subject = Subject.from_module(nn.Sequential(layer()))
    return compute_masks(subject, Recipe(granularity=granularity, amount=amount))["0.weight"]


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("granularity", [*GRANULARITIES.built_in, *OTHERS])
def test_the_method_of_a_granularity_cuts_what_the_engine_cuts(granularity: str, amount: float) -> None:
    method = GRANULARITIES.read(granularity).grouping.method(amount)
    assert isinstance(method, prune.BasePruningMethod)
    scores = layer().weight.detach().abs()
    theirs = method.compute_mask(scores, torch.ones_like(scores))
    assert torch.equal(theirs.bool(), engines_mask(granularity, amount))
