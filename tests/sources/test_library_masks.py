"""Networks of libraries are pruned as torch prunes them, by the versions that the extras name."""

import tomllib
from pathlib import Path

import pytest

from tests.sources.vision_libraries import PACKAGES, run_with_vision

ROOT = Path(__file__).resolve().parents[2]

PRUNE = """
import sys
import torch
from torch.nn.utils import prune
from pruning_explorer import Recipe, compute_masks
from pruning_explorer.sources.by_name.library import load_by_name
from tests.prune.oracle import assert_same_up_to_ties

words, *names = sys.argv[1:]
subject = load_by_name(words)
model = subject.copy_model()
for name, mask in compute_masks(subject, Recipe(amount=0.3, targets=tuple(names))).items():
    layer = model.get_submodule(name.rpartition(".")[0])
    prune.l1_unstructured(layer, "weight", 0.3)
    assert_same_up_to_ties(mask, layer.weight_mask, subject.weight(name).abs())
    print(name, tuple(mask.shape), int((~mask).sum()))
"""

LAYERS = {
    # 0.3 of its 9,408 weights, 2,822.4, is 2,822, and so on
    "torchvision:resnet18": ("conv1.weight (64, 3, 7, 7) 2822", "layer4.1.conv2.weight (512, 512, 3, 3) 707789"),
    "timm:resnet50": ("conv1.weight (64, 3, 7, 7) 2822", "fc.weight (1000, 2048) 614400"),
    "timm:vit_base_patch16_224": (
        "patch_embed.proj.weight (768, 3, 16, 16) 176947",
        "blocks.11.attn.qkv.weight (2304, 768) 530842",
    ),
}


@pytest.mark.parametrize(("words", "lines"), LAYERS.items(), ids=LAYERS.keys())
def test_a_layer_is_masked_as_torch_masks_it(words: str, lines: tuple[str, ...]) -> None:
    seen = run_with_vision(PRUNE, f"{words},pretrained=false", *(line.partition(" ")[0] for line in lines))
    assert seen.returncode == 0, seen.stderr[-3000:]
    assert seen.stdout.splitlines() == list(lines)


def test_what_is_tested_is_what_the_extras_install() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {*extras["timm"], *extras["torchvision"]} == set(PACKAGES)
    assert set(extras["transformers"]) < set((ROOT / "tests/requirements.txt").read_text().split())
