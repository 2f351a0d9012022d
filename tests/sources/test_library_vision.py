"""Networks of the real timm and torchvision, by the versions that the extras name.

They are pruned as torch prunes them, explored whole, and take trained weights from a cache; what is said without is
said in words.
"""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.sources.vision_libraries import PACKAGES, run_with_vision

ROOT = Path(__file__).resolve().parents[2]

# All that is asked of one network, in one process: to import a library and to build a network take longest
EXPLORE = """
import json, sys
from torch.nn.utils import prune
from pruning_explorer import Recipe, build_report, compute_masks
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.sources.by_name.library import load_by_name
from tests.prune.oracle import assert_same_up_to_ties

words, scope, *names = sys.argv[1:]
subject = load_by_name(words)
masked, model = [], subject.copy_model()
for name, mask in compute_masks(subject, Recipe(amount=0.3, targets=tuple(names))).items():
    layer = model.get_submodule(name.rpartition(".")[0])
    prune.l1_unstructured(layer, "weight", 0.3)
    assert_same_up_to_ties(mask, layer.weight_mask, subject.weight(name).abs())
    masked.append([name, list(mask.shape), int((~mask).sum())])
offered = list(subject.samples[0].shape)
subject = subject.with_samples(subject.samples[0][:2], about=subject.about_samples)
masks = compute_masks(subject, Recipe(amount=0.5, scope=scope))
totals = build_report(subject, masks).totals
layers = layer_drift(subject, masks)
script = {}
exec(subject.loading, script)
name = next(target.name for target in subject.targets)
print(json.dumps({
    "name": subject.name, "about": subject.description, "origin": subject.origin, "refused": list(subject.refused),
    "samples": offered, "masked": masked, "parameters": totals["sparsity"]["parameters"],
    "achieved": totals["sparsity"]["achieved"], "macs": totals["cost"]["macs_dense"], "drift": totals["drift"],
    "layers": len(layers), "worst": float(layers["l2_normalised"].max()),
    "loaded": bool((script["model"].get_parameter(name) == subject.weight(name)).all()),
}))
"""

LOAD = """
import sys
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.library import load_by_name
for words in sys.argv[1:]:
    try:
        subject = load_by_name(words, browser=True)
    except SubjectError as error:
        print(error)
    else:
        weight = subject.weight(subject.targets[0].name)
        values = float(weight.min()), float(weight.max())
        print(subject.name, "|", subject.description, "|", *values, subject.output_names[:2])
"""

# Parameters and multiply-adds as the libraries' own tables have them
NETWORKS = {
    "timm:resnet50,pretrained=false": ("global", 25_557_032, 4.09e9, 224),
    "timm:vit_tiny_patch16_224,pretrained=false": ("layer", 5_717_416, 1.26e9, 224),
    "torchvision:resnet18,pretrained=false": ("global", 11_689_512, 1.81e9, 224),
}
LAYERS = {
    # 0.3 of its 9,408 weights, 2,822.4, is 2,822, and so on
    "timm:resnet50,pretrained=false": [
        ["conv1.weight", [64, 3, 7, 7], 2_822],
        ["fc.weight", [1000, 2048], 614_400],
    ],
    "timm:vit_tiny_patch16_224,pretrained=false": [
        ["patch_embed.proj.weight", [192, 3, 16, 16], 44_237],
        ["blocks.11.attn.qkv.weight", [576, 192], 33_178],
    ],
    "torchvision:resnet18,pretrained=false": [
        ["conv1.weight", [64, 3, 7, 7], 2_822],
        ["layer4.1.conv2.weight", [512, 512, 3, 3], 707_789],
    ],
}


@pytest.mark.parametrize(("words", "known"), NETWORKS.items(), ids=NETWORKS.keys())
def test_a_network_is_masked_as_torch_masks_it_and_explored_whole(
    words: str, known: tuple[str, int, float, int]
) -> None:
    scope, parameters, macs, size = known
    seen = run_with_vision(EXPLORE, words, scope, *(str(name) for name, _, _ in LAYERS[words]))
    assert seen.returncode == 0, seen.stderr[-3000:]
    found = json.loads(seen.stdout.splitlines()[-1])
    assert found["masked"] == LAYERS[words]
    assert found["name"] == words
    assert found["samples"] == [8, 3, size, size]
    assert found["parameters"] == parameters
    assert found["macs"] == pytest.approx(macs, rel=0.01)
    assert found["achieved"] == pytest.approx(0.5, abs=1e-3)
    assert found["drift"]["samples"] == 2
    assert 0.05 < found["drift"]["l2_normalised"] < 2
    assert found["layers"] > 40
    assert found["worst"] > 0.05
    assert found["loaded"]
    assert "random weights: it was never trained" in found["about"]
    assert "noise: they show drift, and nothing of what it knows" in found["about"]
    assert {"timm": "timm 1.0.31", "torchvision": "torchvision 0.28.0"}[words.partition(":")[0]] in found["origin"]


WITHOUT = {
    "timm:resnet18": "the trained weights of timm:resnet18 cannot be had: they are not in the cache, and",
    "torchvision:resnet18": "the trained weights of torchvision:resnet18 cannot be had: they are not in the cache, and",
    "timm:resnet9000": "timm has no network called 'resnet9000'; did you mean resnet",
    "timm:resnet18.nobody": "timm has no network called 'resnet18.nobody'; did you mean resnet18",
    "timm:hf-hub:somebody/net": "timm has no network called 'hf-hub:somebody/net'",
    "timm:local-dir:/etc": "timm has no network called 'local-dir:/etc'",
    "timm:vit_7b_patch16_dinov3": "has 6,716,030,976 parameters, and 1,000,000,000 is the most that is loaded",
    "torchvision:resnet": "torchvision has no network called 'resnet'; did you mean resnet",
    "torchvision:fcn_resnet50": "fcn_resnet50 of torchvision is no image classifier",
}


def test_what_cannot_be_had_is_told_with_a_way_on(tmp_path: Path) -> None:
    seen = run_with_vision(LOAD, *WITHOUT, HF_HUB_CACHE=str(tmp_path), TORCH_HOME=str(tmp_path))
    assert seen.returncode == 0, seen.stderr[-3000:]
    lines = seen.stdout.splitlines()
    assert len(lines) == len(WITHOUT)
    for line, message in zip(lines, WITHOUT.values(), strict=True):
        assert message in line
    assert all("pretrained=false for random weights" in line for line in lines[:2])


SAVE = """
import sys, torch, timm, torchvision
from safetensors.torch import save_file
of_timm, of_torchvision, *sys.argv[1:] = sys.argv[1:]
for build, path in ((timm.create_model, of_timm), (torchvision.models.get_model, of_torchvision)):
    state = {name: torch.full_like(each, 0.25) for name, each in build("resnet18").state_dict().items()}
    save_file(state, path) if path.endswith(".safetensors") else torch.save(state, path)
"""


def caches(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    """Where the two libraries look for the trained weights of their resnet18, and how they are told."""
    repository = folder / "hub" / "models--timm--resnet18.a1_in1k"
    snapshot = repository / "snapshots" / ("0" * 40)
    checkpoints = folder / "torch" / "hub" / "checkpoints"
    for each in (repository / "refs", snapshot, checkpoints):
        each.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    variables = {"HF_HUB_CACHE": str(folder / "hub"), "TORCH_HOME": str(folder / "torch")}
    return snapshot / "model.safetensors", checkpoints / "resnet18-f37072fd.pth", variables


def test_trained_weights_come_from_the_cache(tmp_path: Path) -> None:
    of_timm, of_torchvision, variables = caches(tmp_path)
    words = "timm:resnet18", "torchvision:resnet18"
    seen = run_with_vision(SAVE + LOAD, str(of_timm), str(of_torchvision), *words, **variables)
    assert seen.returncode == 0, seen.stderr[-3000:]
    timm, torchvision = seen.stdout.splitlines()
    assert timm.startswith("timm:resnet18 | resnet18 of timm, with the weights resnet18.a1_in1k.")
    assert torchvision.startswith("torchvision:resnet18 | resnet18 of torchvision, with the weights ResNet18_Weights.")
    assert all("| 0.25 0.25 ('tench" in line for line in (timm, torchvision))


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_cached_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    of_timm, of_torchvision, variables = caches(tmp_path)
    for path in (of_timm.with_name("pytorch_model.bin"), of_torchvision):
        torch.save({"conv1.weight": Canary(tmp_path / "sung")}, path)
    seen = run_with_vision(LOAD, "timm:resnet18", "torchvision:resnet18", **variables)
    assert seen.returncode == 0, seen.stderr[-3000:]
    assert seen.stdout.count("cannot be had") == 2
    assert not (tmp_path / "sung").exists()


WHY = """
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.library import load_by_name
for words in ("timm:resnet18", "torchvision:resnet18", "hf:bert-base-uncased"):
    try:
        load_by_name(words)
    except SubjectError as error:
        print(error)
"""


def test_where_a_library_cannot_be_imported_its_own_reason_is_given() -> None:
    """As for everybody who installs it beside a CPU build of torch."""
    seen = run_with_vision(WHY, operators=False)
    lines = seen.stdout.splitlines()
    assert len(lines) == 3, seen.stderr[-3000:]
    for package, line in zip(("timm", "torchvision", "transformers"), lines, strict=True):
        assert line.startswith(
            f"{package} is installed and cannot be imported (operator torchvision::nms does not exist); install a "
        )


FIT = """
import sys
from pathlib import Path
from pruning_explorer.sources.by_name.library import load_by_name
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
for words in sys.argv[2:]:
    subject = fit_samples(load_by_name(words), read_samples(Path(sys.argv[1])))
    print([round(number, 3) for number in subject.samples[0][0, :, 0, 0].tolist()], subject.description)
"""


def test_images_are_normalised_as_the_libraries_do(tmp_path: Path) -> None:
    """White is (1 - mean) / deviation of ImageNet's, by channel."""
    from PIL import Image

    Image.new("RGB", (30, 20), (255, 255, 255)).save(tmp_path / "white.png")
    words = ("timm:resnet18,pretrained=false", "torchvision:resnet18,pretrained=false")
    seen = run_with_vision(FIT, str(tmp_path), *words)
    assert seen.returncode == 0, seen.stderr[-3000:]
    for line in seen.stdout.splitlines():
        assert line.startswith("[2.249, 2.429, 2.64] resnet18 of ")
        assert "mean 0.485, 0.456, 0.406, deviation 0.229, 0.224, 0.225" in line
    assert len(seen.stdout.splitlines()) == 2


def test_what_is_tested_is_what_the_extras_install() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {*extras["timm"], *extras["torchvision"]} == set(PACKAGES)
    assert set(extras["transformers"]) < set((ROOT / "tests/requirements.txt").read_text().split())
