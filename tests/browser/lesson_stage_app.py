"""A small app of one stage that has every kind of panel, computed by the engine: ``?start=20&network=spirals-mlp``."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torch.func import functional_call

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.figures.numbers import percent
from pruning_explorer.lessons.amounts import AMOUNT_SLIDER, AMOUNTS, leaves_by_amount
from pruning_explorer.lessons.panels import (
    Bars,
    Code,
    Curves,
    Edges,
    Figure,
    Figures,
    Matrix,
    Network,
    Pictures,
    Regions,
    Series,
    Table,
)
from pruning_explorer.lessons.scene import Stage
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.ui.learn.stage import draw_panels, draw_stage, released_stop

STOPS = len(AMOUNTS)
EXTENT = (-1.2, 1.2, -1.2, 1.2)
SIDE = 48


def answers(subject: Subject, inputs: Tensor, gone: list[Tensor]) -> np.ndarray:
    """The class of each input at every stop, uint8 [stops, N]; ``gone``: the stop at which each weight leaves."""
    weights = {name: each.detach() for name, each in subject.model.named_parameters()}
    names = [name for name in weights if name.endswith("weight")]
    frames = []
    for stop in range(STOPS):
        masked = {name: weights[name] * (leaves > stop) for name, leaves in zip(names, gone, strict=True)}
        with torch.no_grad():
            logits = functional_call(subject.model, {**weights, **masked}, (inputs,))
        frames.append(logits.argmax(dim=1).numpy().astype(np.uint8))
    return np.stack(frames)


@st.cache_resource
def build_stage() -> Stage:
    """Spirals drawn whole, and the tutorial's matrix."""
    small, spirals = load_subject("tutorial-mlp"), load_subject("spirals-mlp")
    matrix = leaves_by_amount(rank_targets(small, Recipe(targets=("fc1.weight",))))[0]
    weight = small.weight("fc1.weight").detach().numpy()
    layers = tuple(target for target in spirals.targets if target.role == "weight")
    leaves = leaves_by_amount(rank_targets(spirals, Recipe(scope="global", targets=tuple(t.name for t in layers))))
    gone = [torch.as_tensor(each) for each in leaves]
    assert spirals.samples is not None
    assert spirals.labels is not None
    points, labels = spirals.samples[0], spirals.labels
    axis = torch.linspace(-1.2, 1.2, SIDE)
    plane = torch.cartesian_prod(axis, axis).flip(1)
    regions = answers(spirals, plane, gone).reshape(STOPS, SIDE, SIDE)
    right = (answers(spirals, points, gone) == labels.numpy()).mean(axis=1) * 100
    removed = np.array([[(each <= stop).mean() for each in leaves] for stop in range(STOPS)])
    count = [(matrix <= stop).sum() for stop in range(STOPS)]
    sizes = [2, 16, 16, 3]
    columns = tuple(
        tuple(f"{name}{i}" for i in range(n)) for name, n in zip(("x", "a", "b", "arm "), sizes, strict=True)
    )
    names = [f"{target.name}" for target in layers]
    pictures = np.stack([np.where(leaves[1].reshape(16, 4, 4)[:6] > stop, 1.0, 0.0) for stop in range(STOPS)])
    small_names = tuple(f"out {i}" for i in range(4)), tuple(f"in {i}" for i in range(5))
    big = spirals.weight("fc2.weight").detach().numpy()
    return Stage(
        AMOUNT_SLIDER,
        (
            Figures(
                (
                    Figure("Removed", tuple(str(each) for each in count), "Of 20 weights, over the whole matrix."),
                    Figure("Accuracy", tuple(f"{each:.1f} %" for each in right), "Higher is better."),
                    Figure("Shape", ("4 × 5",), "It never changes."),
                )
            ),
            Matrix("weight_orig", weight, matrix, "struck", 2, 0, *small_names, "Still stored."),
            Matrix("weight_mask", weight, matrix, "mask", 2, 0, *small_names),
            Matrix("weight", weight, matrix, "zeroed", 2, 0, *small_names),
            Network(
                "spirals-mlp",
                columns,
                tuple(
                    Edges(name, spirals.weight(name).detach().numpy(), each)
                    for name, each in zip(names, leaves, strict=True)
                ),
                "All weights in one ranking.",
            ),
            Regions("Decision regions", regions, EXTENT, points.numpy(), labels.numpy(), spirals.output_names),
            Curves(
                "Accuracy",
                (
                    Series("magnitude", tuple(right.tolist())),
                    Series(
                        "half of it",
                        tuple((right / 2).tolist()),
                        tuple((right / 2 - 8).tolist()),
                        tuple((right / 2 + 8).tolist()),
                    ),
                ),
                "accuracy (%)",
                (0.0, 100.0),
                growing=True,
                lines={"guessing": 100 / 3},
                better="higher",
            ),
            Curves(
                "Loss",
                (Series("training", (1.0, 0.1, 0.01, 0.0, 0.001, None)), Series("test", (1.2, 0.7, 0.6, 0.58))),
                "loss (nats)",
                x_title="epoch",
                x=(0.0, 1.0, 2.0, 3.0, 4.0, 5.0),
                better="lower",
                note="No line where it is 0.",
                log=True,
            ),
            Bars("What is left", tuple(names), 1 - removed, tuple(target.numel for target in layers), 0.9),
            Table(
                "Methods",
                ("method", "removed", "accuracy"),
                tuple(
                    (("magnitude", percent(float(removed[stop].mean())), f"{right[stop]:.1f} %"), ("random", "–", "–"))
                    for stop in range(STOPS)
                ),
            ),
            Pictures(
                "Masks of six neurons",
                pictures,
                tuple(tuple(f"b{n}: {int(each.sum())} kept" for n, each in enumerate(frame)) for frame in pictures),
                0.0,
                1.0,
                tuple(tuple(bool(each.sum() < 4) for each in frame) for frame in pictures),
            ),
            Matrix("fc2.weight", big[:4], leaves[1][:4], "struck", 2, 4, note="Groups of four."),
            Code("The same in torch", tuple(f"prune.l1_unstructured(fc1, 'weight', amount={a:g})" for a in AMOUNTS)),
        ),
        {},
        lambda stop: Recipe(amount=AMOUNTS[stop]),
    )


def follow() -> None:
    released = released_stop("lesson")
    st.session_state.heard = [*st.session_state.get("heard", []), released and released.stop]


def main() -> None:
    st.set_page_config(page_title="Stage", layout="wide")
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    start = int(st.query_params.get("start", "20"))
    if st.sidebar.button("Start over"):
        st.session_state.offset = st.session_state.get("offset", 0) + 1
    start += st.session_state.get("offset", 0)
    stage = build_stage()
    if st.sidebar.toggle("Only the matrix"):
        stage = Stage(stage.slider, stage.panels[1:2], stage.facts, stage.recipe)
    stop = draw_stage(
        stage, key="lesson", label="Amount", help="Fraction of all weights to remove.", start=start, on_release=follow
    )
    st.write(f"Python sees stop {stop}, run {st.session_state.runs}, heard {st.session_state.get('heard', [])}")
    draw_panels(stage.panels[1:2], key="check")


if __name__ == "__main__":
    main()
