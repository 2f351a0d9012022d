"""What the libraries that networks are loaded from have in common: each is imported when asked for, not before."""

import importlib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError

NOISE_COUNT = 8
NOISE = f"Its {NOISE_COUNT} inputs are noise: they show drift, and nothing of what it knows."
SEED = 0
UNTRAINED = "random weights: it was never trained"
MOST_PARAMETERS = 1_000_000_000
"""Most parameters of a network that a visitor may ask for: 4 GB in float32."""
PATIENCE = 3.0
"""Seconds to wait for a host that holds weights before it counts as out of reach."""


def import_library(package: str) -> Any:
    """An optional library.

    Raises:
        SubjectError: it is not installed, or cannot be imported; then with its own reason.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name == package:
            raise SubjectError(f"{package} is not installed here; `pip install {package}`, and start again") from None
        raise broken_library(package, error) from error
    except Exception as error:
        raise broken_library(package, error) from error


def broken_library(package: str, error: Exception) -> SubjectError:
    """That a library is there and does not work, in its own words."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return SubjectError(
        f"{package} is installed and cannot be imported ({one_line(cause)}); install a {package}, and what it needs, "
        f"that fits torch {torch.__version__}, and start again"
    )


def one_line(error: BaseException, number: int = -1) -> str:
    """A line of what an exception says, by default the last, or its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[number] if lines else type(error).__name__)[:300]


def no_weights(words: str, reason: str) -> SubjectError:
    """That trained weights cannot be had, and how to go on."""
    return SubjectError(
        f"the trained weights of {words} cannot be had: {reason}; write {words},pretrained=false for random "
        "weights, or load it once where the internet can be reached, which keeps them in the cache"
    )


def hub_answers() -> bool:
    """Whether the Hugging Face hub can be asked from here: its client itself would go on trying for half a minute."""
    hub = import_library("huggingface_hub")
    if hub.constants.HF_HUB_OFFLINE:
        return False
    try:
        hub.get_session().head(hub.constants.ENDPOINT, timeout=PATIENCE)
    except Exception:  # of a client that is another one from version to version
        return False
    return True


def can_load(url: str) -> bool:
    """Whether a file is in torch's cache, or its host answers: torch itself waits for as long as the system does."""
    parts = urlsplit(url)
    if Path(torch.hub.get_dir(), "checkpoints", Path(parts.path).name).is_file():
        return True
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{parts.scheme}://{parts.netloc}", method="HEAD"), timeout=PATIENCE
        ).close()
    except urllib.error.HTTPError:
        return True  # that is an answer, too
    except OSError:
        return False
    return True


def build_seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose random weights are the same each time; what the caller draws next is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return build()


def noise(*shape: int) -> Tensor:
    """Standard normal numbers float32 ``[8, *shape]``, always the same."""
    return torch.randn(NOISE_COUNT, *shape, generator=torch.Generator().manual_seed(SEED))


def check_size(build: Callable[[], nn.Module], words: str) -> None:
    """Build a network without memory for its weights, to see how large it would be.

    Raises:
        SubjectError: it is larger than a visitor may ask for.
    """
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in build().parameters())
    if count > MOST_PARAMETERS:
        raise SubjectError(
            f"{words} has {count:,} parameters, and {MOST_PARAMETERS:,} is the most that is loaded from a page; choose "
            "a smaller one, or start the program with it: --subject"
        )
