"""Layers of well-known networks, wherever a figure or a table names them: no two labels are the same, none is empty."""

import numpy as np
import pandas as pd
import pytest

from pruning_explorer import Recipe, compare
from pruning_explorer.cli.comparison_text import write_comparison
from pruning_explorer.figures.agreement_matrix import agreement_by_layer, agreement_matrix
from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.layer_drift import layer_drift_chart
from pruning_explorer.figures.mask_panels import mask_panels
from pruning_explorer.figures.short_names import LONGEST, short_layers
from pruning_explorer.figures.sparsity_lines import sparsity_lines
from pruning_explorer.sources.samples import load_sample

RESNET = [  # torchvision's resnet50
    "conv1",
    *[
        f"layer{stage}.{block}.{part}"
        for stage, blocks in enumerate((3, 4, 6, 3), start=1)
        for block in range(blocks)
        for part in ("conv1", "conv2", "conv3", *(["downsample.0"] if block == 0 else []))
    ],
    "fc",
]
VIT = [  # timm's vit_base_patch16_224
    "patch_embed.proj",
    *[f"blocks.{block}.{part}" for block in range(12) for part in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")],
    "head",
]
BERT = [  # transformers' bert-base-uncased for classes
    *[
        f"bert.encoder.layer.{layer}.{part}"
        for layer in range(12)
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "intermediate.dense",
            "output.dense",
        )
    ],
    "bert.pooler.dense",
    "classifier",
]
TRANSLATOR = [  # torch's nn.Transformer
    f"{side}.layers.{layer}.{part}"
    for side in ("encoder", "decoder")
    for layer in range(6)
    for part in ("self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.weight")
]
NETWORKS = {
    "resnet50": [f"{name}.weight" for name in RESNET],
    "vit-base": [f"{name}.weight" for name in VIT],
    "bert-base": [f"{name}.weight" for name in BERT],
    "nn.Transformer": TRANSLATOR,
    **{name: [each.name for each in load_sample(name).targets] for name in ("digits-vit", "digits-cnn", "digits-gru")},
}


def layers(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": names,
            "layer_type": "Linear",
            "shape": "10x10",
            "weights": 100,
            "kept": 50,
            "removed": 50,
            "requested": 0.5,
            "achieved": 0.5,
            "channels": 10,
            "dead_channels": 0,
        }
    )


def ticks(chart: Chart, axis: str) -> list[str]:
    return list(chart.figure.layout[axis].ticktext)


@pytest.fixture(params=NETWORKS)
def names(request: pytest.FixtureRequest) -> list[str]:
    return NETWORKS[request.param]


def test_labels_are_short_and_differ(names: list[str]) -> None:
    labels = short_layers(names)
    assert len(set(labels)) == len(names)
    assert all(labels)
    # so much that a phone has room for it below a chart
    assert max(map(len, labels)) <= 2 * LONGEST, labels


def test_axes_of_layers_name_each_of_them_once(names: list[str]) -> None:
    pairs = pd.DataFrame({"target": names, "a": 0, "b": 1, "jaccard": 0.5, "chance": 0.3, "weights": 100})
    modules = pd.DataFrame(
        {
            "module": [name.removesuffix(".weight") for name in names],
            "layer_type": "Linear",
            "cosine": 1.0,
            "l2_normalised": np.linspace(0.1, 1, len(names)),
            "sqnr_db": 20.0,
            "order": range(len(names)),
        }
    )
    axes = [
        ticks(sparsity_lines(layers(names).assign(recipe=0), ["A"]), "xaxis"),
        ticks(
            layer_drift_chart(modules), "xaxis2" if "xaxis2" in layer_drift_chart(modules).figure.layout else "xaxis"
        ),
        ticks(agreement_by_layer(pairs, ["A", "B"]), "yaxis"),
    ]
    for drawn in axes:
        bare = [label.removeprefix("<b>").removesuffix("</b>") for label in drawn]
        assert len(set(bare)) == len(bare) > 1
        assert set(bare) <= {*short_layers(names), *short_layers(list(modules["module"]))}


def test_titles_name_the_layer_so_that_it_can_be_told_from_the_others(names: list[str]) -> None:
    pairs = pd.DataFrame({"target": names, "a": 0, "b": 1, "jaccard": 0.5, "chance": 0.3, "weights": 100})
    masks = [np.ones((4, 4), dtype=bool)] * 2
    panels = [mask_panels(masks, ["A", "B"], name, names).figure.layout.title.text for name in names]
    squares = [agreement_matrix(pairs, ["A", "B"], name).figure.layout.title.text for name in names]
    assert len(set(panels)) == len(set(squares)) == len(names)


def test_the_table_in_a_terminal_names_each_layer_once() -> None:
    subject = load_sample("digits-vit")
    recipes = {"magnitude": Recipe(), "random": Recipe(criterion="random")}
    text = write_comparison(compare(subject, recipes, amounts=()), {})
    shapes = {"x".join(map(str, each.shape)) for each in subject.targets}
    rows = [line.split() for line in text.splitlines()]
    named = [row[0] for row in rows if len(row) > 1 and row[1] in shapes]
    assert len(named) == len(set(named)) > 8
