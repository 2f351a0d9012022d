#!/usr/bin/env bash
# nncf.prune puts its hooks into the network as one more child module. nn.Sequential calls all its children, and this one
# has no forward: so a plain Sequential cannot be pruned, while the same layers within a class of one's own can.
# Exits 0 while NNCF behaves so, and 1 when it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6 nncf==3.4.0

"$folder/venv/bin/python" - <<'PYTHON'
import platform
import sys

import nncf
import torch
from torch import nn

print(f"Python {platform.python_version()}, torch {torch.__version__}, nncf {nncf.__version__}")


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, inputs):
        return self.layers(inputs)


def pruned(model):
    """Share of zeros in its masks, or the error."""
    mode = nncf.PruneMode.UNSTRUCTURED_MAGNITUDE_LOCAL
    try:
        model = nncf.prune(model, mode=mode, ratio=0.5, examples_inputs=torch.randn(2, 16))
    except NotImplementedError as error:
        return f"NotImplementedError: {error}"
    masks = [each for name, each in model.state_dict().items() if name.endswith(".binary_mask")]
    removed = 1 - sum(each.sum().item() for each in masks) / max(sum(each.numel() for each in masks), 1)
    return f"{len(masks)} masks, {removed:.0%} removed"


expected, seen = pruned(Own()), pruned(Own().layers)
print(f"expected, as within a class of one's own: {expected}")
print(f"seen, of the same layers as Sequential:   {seen}")
known = expected == "2 masks, 50% removed" and "HookStorage" in seen
print("as described" if known else "CHANGED")
sys.exit(0 if known else 1)
PYTHON
