#!/usr/bin/env bash
# torch.load chooses its reader by the file's ending: what torch.save wrote under a name that ends in .safetensors cannot be
# loaded again, while the same bytes under any other name can.
# Exits 0 while torch behaves so, and 1 when it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6 safetensors==0.8.0

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import platform
import shutil
import sys

import safetensors
import torch

print(f"Python {platform.python_version()}, torch {torch.__version__}, safetensors {safetensors.__version__}")
torch.save({"weight": torch.ones(2, 2)}, "net.safetensors")
shutil.copy("net.safetensors", "net.pt")


def loaded(name):
    try:
        return f"{sorted(torch.load(name, weights_only=True))}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


expected, seen = loaded("net.pt"), loaded("net.safetensors")
print(f"expected, as of the same bytes in net.pt: {expected}")
print(f"seen, of net.safetensors:                 {seen}")
known = expected == "['weight']" and "header" in seen.lower()
print("as described" if known else "CHANGED")
sys.exit(0 if known else 1)
PYTHON
