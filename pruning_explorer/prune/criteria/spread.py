"""From scores of channels to scores of groups."""

from torch import Tensor

from pruning_explorer.prune.grouping import Granularity
from pruning_explorer.prune.targets import Target


def channel_dim(granularity: Granularity, target: Target) -> int:
    """The dim that a granularity of whole channels takes channels of, in [0, rank); else the target's output dim."""
    return target.out_dim if granularity.channel_dim is None else granularity.channel_dim % len(target.shape)


def spread_channels(granularity: Granularity, target: Target, channels: Tensor, dim: int) -> Tensor:
    """Scores ``[shape[dim]]`` of the channels along ``dim`` -> scores of a granularity's groups.

    Of experts they are ``[E, shape[dim]]``, of each matrix its own.

    Where the groups are these channels, their scores as they are. Else each weight carries its channel's, and the
    granularity groups those.
    """
    if granularity.channel_dim is not None and channel_dim(granularity, target) == dim:
        return channels
    broadcast = [1] * len(target.shape)
    broadcast[dim] = target.shape[dim]
    if target.experts:
        broadcast[0] = target.experts
    return granularity.group_scores(channels.view(broadcast).expand(target.shape).contiguous())
