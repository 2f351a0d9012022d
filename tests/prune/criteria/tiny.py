"""Networks of a few weights that one sets by hand, and their scores."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pruning_explorer.prune.criteria import CRITERIA, Scoring
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.subject import Subject

Numbers = Sequence["float | Numbers"]


def linear(weights: Numbers, bias: Numbers | None = None) -> nn.Linear:
    """A layer of these weights ``[out, in]``."""
    values = torch.tensor(weights, dtype=torch.float32)
    layer = nn.Linear(values.shape[1], values.shape[0], bias=bias is not None)
    layer.weight = nn.Parameter(values)
    if bias is not None:
        layer.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float32))
    return layer


def scores_of(
    subject: Subject,
    criterion: str,
    target: str,
    granularity: str = "element",
    masks: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Scores of one target's groups, float64, of the shape that the granularity says."""
    found = CRITERIA.read(criterion)
    assert found.missing(subject) is None
    chosen = subject.target(target)
    assert found.refuse(subject, chosen) is None
    scoring = Scoring(subject, GRANULARITIES.read(granularity).grouping, (), 0, found.values, masks or {})
    scores = found.score(scoring, chosen)
    assert tuple(scores.shape) == scoring.granularity.group_shape(chosen.shape)
    assert bool(scores.isfinite().all())
    assert bool((scores >= 0).all())
    return scores.double()


def assert_scores(found: Tensor, expected: Numbers, rtol: float = 1e-6) -> None:
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=rtol, atol=1e-12)
