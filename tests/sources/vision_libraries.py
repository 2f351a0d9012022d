"""The real timm and torchvision beside the CPU build of torch, in a folder of their own.

Installed among the other packages, torchvision's compiled part would be looked for and not fit, and whatever imports
torchvision where it finds it would fail with it, transformers among them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ("timm==1.0.31", "torchvision==0.28.0")


def vision_folder() -> Path:
    """A folder to put on the path, filled once per environment: two wheels of 10 MB together."""
    folder = Path(sys.prefix) / "vision" / "-".join(PACKAGES).replace("==", "-")
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            target = Path(unfinished) / "packages"
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), *PACKAGES],
                check=True,
            )
            try:
                target.rename(folder)
            except OSError:  # another process was faster
                if not folder.exists():
                    raise
    return folder


def run_with_vision(
    code: str, *arguments: str, operators: bool = True, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run Python where timm and torchvision are found; nothing is downloaded, nor taken from anybody's cache.

    Args:
        operators: whether the operators are declared that torchvision's compiled part would bring, so that its
            Python parts can be imported. No classifier calls them.
    """
    root = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(vision_folder()), str(root)]),
        "HF_HUB_OFFLINE": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        **variables,
    }
    declare = f"from {__name__} import declare_operators\ndeclare_operators()\n" if operators else ""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", declare + code, *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def declare_operators() -> None:
    """Tell torch the names and the arguments of what torchvision's Python parts register more for."""
    import torch

    global _LIBRARY  # kept, as what it declares goes with it
    _LIBRARY = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        _LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
