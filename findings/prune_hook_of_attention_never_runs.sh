#!/usr/bin/env bash
# torch.nn.MultiheadAttention reads out_proj.weight and never calls out_proj, so the hook that torch.nn.utils.prune puts on
# that layer never runs: its mask is applied once, when it is pruned, and the second step of training fails.
# Exits 0 while torch behaves so, and 1 when it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import platform
import sys

import torch
from torch import nn
from torch.nn.utils import prune

print(f"Python {platform.python_version()}, torch {torch.__version__}")
torch.manual_seed(0)
inputs = torch.randn(2, 5, 8)


def two_steps(model, call):
    """Train; say what happened, and whether the weight in use is weight_orig times weight_mask afterwards."""
    layer = prune.l1_unstructured(getattr(model, "out_proj", model), "weight", amount=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    try:
        for _ in range(2):
            optimizer.zero_grad()
            call(model).square().mean().backward()
            optimizer.step()
        call(model)
    except RuntimeError as error:
        return f"RuntimeError: {str(error).partition('(')[0].strip()}"
    fresh = torch.equal(layer.weight, layer.weight_orig * layer.weight_mask)
    return f"two steps, and weight is {'' if fresh else 'NOT '}weight_orig * weight_mask"


expected = two_steps(nn.Linear(8, 8), lambda model: model(inputs))
seen = two_steps(nn.MultiheadAttention(8, 2, batch_first=True), lambda model: model(inputs, inputs, inputs)[0])
print(f"expected, as of a Linear by itself: {expected}")
print(f"seen, of out_proj of attention:     {seen}")
known = expected == "two steps, and weight is weight_orig * weight_mask" and seen.startswith("RuntimeError: Trying to backward")
print("as described" if known else "CHANGED")
sys.exit(0 if known else 1)
PYTHON
