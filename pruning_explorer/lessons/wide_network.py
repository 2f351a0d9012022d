"""A network so wide that its layers take longer than what is around them."""

from collections import OrderedDict
from functools import lru_cache
from itertools import pairwise
from math import sqrt

import torch
from torch import nn
from torch.nn.utils import skip_init

from pruning_explorer.prune.subject import Subject

WIDTHS = (1024, 2048, 2048, 10)
SAMPLES = 64
SEED = 0


@lru_cache(maxsize=1)
def wide_network() -> Subject:
    """Three Linear layers of :data:`WIDTHS` with ReLU between them, called fc1, fc2 and fc3; always the same.

    Weights are drawn as torch draws them for a new Linear, uniform in +-1 / sqrt(in_features), and its samples are
    standard normal noise. It knows nothing, so only its size and its time mean anything.
    """
    generator = torch.Generator().manual_seed(SEED)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (inputs, outputs) in enumerate(pairwise(WIDTHS), 1):
        layer = skip_init(nn.Linear, inputs, outputs)
        with torch.no_grad():
            for parameter in (layer.weight, layer.bias):
                parameter.uniform_(-1 / sqrt(inputs), 1 / sqrt(inputs), generator=generator)
        layers[f"fc{number}"] = layer
        if number < len(WIDTHS) - 1:
            layers[f"relu{number}"] = nn.ReLU()
    return Subject.from_module(
        nn.Sequential(layers),
        torch.randn(SAMPLES, WIDTHS[0], generator=generator),
        name="wide-mlp",
        about=f"{' -> '.join(map(str, WIDTHS))}, with random weights, on noise: it knows nothing, and is only wide.",
    )
