"""Criteria that watch the network run on inputs: what goes into its products and what comes out of its channels."""

from collections.abc import Mapping

from torch import Tensor, nn

from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.criteria.spread import spread_channels
from pruning_explorer.prune.network import require_calibration, widen
from pruning_explorer.prune.observe import Observed, observe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import Target, layer_class

ON_CALIBRATION: SubjectCache[Observed] = SubjectCache(
    512 << 20, lambda seen: seen.nbytes, "activations on the calibration inputs"
)
ON_EXAMPLE: SubjectCache[Observed] = SubjectCache(64 << 20, lambda seen: seen.nbytes, "activations on one input")

_CALLED = {"bias": "a bias", "norm": "a norm parameter", "other": "what belongs to no layer"}
UNSEEN = "no product with it was seen as the network ran: it is looked up, unused, or inside a fused kernel"


def wanda(scoring: Scoring, target: Target) -> Tensor:
    """|w| x ||x||, the norm of all inputs that the weight multiplies, over samples and positions (arXiv 2306.11695).

    The paper prunes linear layers, and so is it here: embeddings are refused, with an output layer that is tied to one.
    A convolution is a linear layer of what its kernel reaches, so each weight of a kernel has its own inputs; the gates
    of recurrent layers are linear, too.
    """
    squares = scoring.once(ON_CALIBRATION, _on_calibration).squares[target.name]
    return scoring.granularity.group_scores((widen(scoring.weight(target)).abs() * squares.sqrt()).contiguous())


def mean_activation(scoring: Scoring, target: Target) -> Tensor:
    """Mean |output| of a channel, over samples and positions (Molchanov et al., arXiv 1611.06440).

    After the BatchNorm and the activation function that follow directly, where they do.
    """
    return _of_channels(scoring, target, scoring.once(ON_CALIBRATION, _on_calibration).activation[target.name])


def apoz(scoring: Scoring, target: Target) -> Tensor:
    """1 - APoZ: the share of a channel's outputs that are above 0 (Hu et al., arXiv 1607.03250).

    After the BatchNorm and the activation function that follow directly. Behind ReLU what is not above 0 is zero, as
    in the paper; behind others, or none, values below 0 count as zeros.
    """
    return _of_channels(scoring, target, 1 - scoring.once(ON_CALIBRATION, _on_calibration).off[target.name])


def bn_scale(scoring: Scoring, target: Target) -> Tensor:
    """|gamma| of the BatchNorm that follows the channel (Network Slimming, arXiv 1708.06519)."""
    return _of_channels(scoring, target, scoring.once(ON_EXAMPLE, _on_example).norms[target.name][1])


def _of_channels(scoring: Scoring, target: Target, channels: Tensor) -> Tensor:
    mask = scoring.masks.get(target.name)
    if mask is not None:
        # A channel that is gone may still give a constant
        channels = channels * mask.transpose(0, target.out_dim).flatten(1).any(dim=1)
    spread = spread_channels(scoring.granularity, target, channels, target.out_dim)
    return spread.to(scoring.precision(target))


def _on_calibration(subject: Subject, masks: Mapping[str, Tensor]) -> Observed:
    return observe(subject, require_calibration(subject), masks)


def _on_example(subject: Subject, masks: Mapping[str, Tensor]) -> Observed:
    return observe(subject, subject.example or (), masks)


def without_products(subject: Subject, target: Target) -> str | None:
    """Why no inputs of a target's weights can be watched; None if they can."""
    if target.role == "embedding":
        return "its rows are looked up, and an output layer that shares them goes with it: linear layers are judged"
    if target.experts:
        return "each expert sees other inputs, those that are sent to it, and these are not watched"
    if not target.is_weight:
        return f"{_CALLED[target.role]} is in no product with inputs"
    if subject.calibration is None:
        return None
    seen = ON_CALIBRATION.get(subject, lambda: _on_calibration(subject, {}))
    return None if target.name in seen.squares else UNSEEN


def without_channels(subject: Subject, target: Target) -> str | None:
    """Why no outputs of a target's channels can be watched; None if they can."""
    if reason := without_products(subject, target):
        return reason
    if issubclass(layer_class(subject.model.get_submodule(target.module)), nn.RNNBase | nn.RNNCellBase):
        return "its products are parts of gates, not channels"
    if subject.calibration is None:
        return None
    seen = ON_CALIBRATION.get(subject, lambda: _on_calibration(subject, {}))
    return None if target.name in seen.activation else "its products are not whole output channels"


def without_batchnorm(subject: Subject, target: Target) -> str | None:
    """Why no scale of a BatchNorm stands for a target's channels; None if one does."""
    if not target.is_weight or target.experts:
        what = "an expert" if target.experts else _CALLED[target.role]
        return f"{what} has no channels that a BatchNorm follows"
    if subject.example is None:
        return None
    seen = ON_EXAMPLE.get(subject, lambda: _on_example(subject, {}))
    return None if target.name in seen.norms else "no BatchNorm follows it"


WANDA = Criterion(
    "wanda",
    "Wanda",
    "Small weights that meet small inputs go first: |w| times the norm of its inputs.",
    wanda,
    paper="arXiv 2306.11695",
    needs="inputs",
    advice="Its paper ranks within each output row: choose that scope.",
    refuse=without_products,
)
MEAN_ACTIVATION = Criterion(
    "mean-activation",
    "Mean activation",
    "Channels whose output is smallest on average go first.",
    mean_activation,
    paper="arXiv 1611.06440",
    needs="inputs",
    channels=True,
    advice="Made for whole channels: choose that granularity.",
    refuse=without_channels,
)
APOZ = Criterion(
    "apoz",
    "APoZ",
    "Channels that are off most often go first: by the average percentage of zeros.",
    apoz,
    paper="arXiv 1607.03250",
    needs="inputs",
    channels=True,
    advice="Made for whole channels: choose that granularity.",
    refuse=without_channels,
)
BN_SCALE = Criterion(
    "bn-scale",
    "BatchNorm scale",
    "Channels that the BatchNorm behind them scales down most go first.",
    bn_scale,
    paper="arXiv 1708.06519",
    needs="example",
    static=True,
    channels=True,
    advice="Made for whole channels: choose that granularity.",
    refuse=without_batchnorm,
)
