"""Criteria that estimate how much the loss, or the flow through the network, depends on a weight."""

from torch import Tensor

from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.gradients import Gradients, mean_gradients, squared_gradients, synaptic_flow
from pruning_explorer.prune.network import widen
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import Target

GRADIENTS: SubjectCache[Gradients] = SubjectCache(512 << 20, lambda found: found.nbytes, "gradients")
FISHER: SubjectCache[Gradients] = SubjectCache(512 << 20, lambda found: found.nbytes, "Fisher information")
FLOW: SubjectCache[Gradients] = SubjectCache(512 << 20, lambda found: found.nbytes, "synaptic flow")

LARGEST = 1e20
"""Value of the largest score above which scores are scaled: below it float32 can hold sums over a group."""


def gradient(scoring: Scoring, target: Target) -> Tensor:
    """|w x dL/dw|: what the loss changes, to first order, if the weight goes.

    SNIP's connection sensitivity (arXiv 1810.02340) up to its normalisation, and the first-order Taylor expansion of
    Molchanov et al. (arXiv 1611.06440, 1906.10771), for each weight by itself.
    """
    slope = scoring.once(GRADIENTS, mean_gradients).by_target[target.name]
    return scoring.granularity.group_scores((widen(scoring.weight(target)) * slope).abs().contiguous())


def fisher(scoring: Scoring, target: Target) -> Tensor:
    """w^2 x E[g^2]: what the loss changes, to second order, if the weight goes.

    With the diagonal of the empirical Fisher information in place of the Hessian's (Theis et al., arXiv 1801.05787).
    """
    squares = scoring.once(FISHER, squared_gradients).by_target[target.name]
    return scoring.granularity.group_scores((widen(scoring.weight(target)).square() * squares).contiguous())


def synflow(scoring: Scoring, target: Target) -> Tensor:
    """|theta x dR/dtheta|, R the flow of ones through the network of absolute weights (arXiv 2006.05467).

    Where float32 could not hold the scores, those of all layers are scaled to a largest of 1. Behind LayerNorm, which
    takes the mean of ones away, the flow says little: the paper's networks have BatchNorm.
    """
    flow = scoring.once(FLOW, synaptic_flow).by_target
    most = scoring.memo("largest flow", lambda: max(float(each.max()) for each in flow.values()))
    scores = flow[target.name] / most if LARGEST < most < float("inf") else flow[target.name]
    return scoring.granularity.group_scores(scores.contiguous())


def takes_ones(subject: Subject) -> str | None:
    """Why no input of ones can be sent through; None if it can."""
    if any(not each.is_floating_point() for each in subject.example or ()):
        return f"it sends an input of ones through, and {subject.name} reads whole numbers, such as tokens"
    return None


GRADIENT = Criterion(
    "gradient",
    "Gradient × weight",
    "Weights go first whose removal changes the loss least, to first order.",
    gradient,
    paper="arXiv 1810.02340",
    needs="labels",
)
FISHER_INFORMATION = Criterion(
    "fisher",
    "Fisher",
    "Weights go first whose removal changes the loss least, by their squared gradients.",
    fisher,
    paper="arXiv 1801.05787",
    needs="labels",
)
SYNFLOW = Criterion(
    "synflow",
    "SynFlow",
    "Weights go first through which the least flows from inputs to outputs; it looks at no data.",
    synflow,
    paper="arXiv 2006.05467",
    needs="example",
    advice="Its paper prunes in 100 geometric steps: choose that schedule. Behind LayerNorm its flow says little.",
    lacks=takes_ones,
)
