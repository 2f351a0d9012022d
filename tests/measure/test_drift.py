import math

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure import drift
from pruning_explorer.measure.drift import DriftFrom, drift_totals, measure_drift, sample_drift, top1
from pruning_explorer.measure.forward import dense_outputs, layer_outputs, masked_outputs
from pruning_explorer.measure.layer_drift import COLUMNS, Step, drift_frame, layer_drift
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

NAN, INF = math.nan, math.inf

logits = st.tuples(st.integers(1, 5), st.integers(2, 4)).flatmap(
    lambda shape: st.tuples(*[arrays(np.float32, shape, elements=st.floats(-50, 50, width=32))] * 2)
)


def test_drift_by_hand() -> None:
    # Softmax of ln 3 and 0 is 3/4 and 1/4; of 0 and 0, 1/2 each
    dense = torch.tensor([[math.log(3), 0.0], [3.0, 4.0], [1.0, 2.0]], dtype=torch.float64)
    pruned = torch.tensor([[0.0, 0.0], [4.0, 3.0], [1.0, 2.0]], dtype=torch.float64)
    frame = sample_drift(dense, pruned)
    assert list(frame.columns) == [
        "sample",
        "kl_nats",
        "agrees",
        "cosine",
        "l2_normalised",
        "sqnr_db",
        "dense_top1",
        "pruned_top1",
        "dense_probability",
        "pruned_probability",
    ]
    e = math.e
    assert frame["kl_nats"].tolist() == pytest.approx(
        [0.75 * math.log(1.5) + 0.25 * math.log(0.5), (e - 1) / (e + 1), 0]
    )
    assert frame["agrees"].tolist() == [True, False, True]
    assert frame["cosine"].tolist() == pytest.approx([NAN, 24 / 25, 1], nan_ok=True)
    assert frame["l2_normalised"].tolist() == pytest.approx([1, math.sqrt(2) / 5, 0])
    assert frame["sqnr_db"].tolist() == pytest.approx([0, 10 * math.log10(25 / 2), INF])
    assert frame["dense_top1"].tolist() == [0, 1, 1]
    assert frame["pruned_top1"].tolist() == [0, 0, 1]
    assert frame["dense_probability"].tolist() == pytest.approx([0.75, e / (1 + e), e / (1 + e)])
    assert frame["pruned_probability"].tolist() == pytest.approx([0.5, e / (1 + e), e / (1 + e)])
    totals = drift_totals(dense[1:], pruned[1:])
    assert totals == {
        "kl_nats": pytest.approx((e - 1) / (e + 1) / 2),
        "agreement": 0.5,
        "cosine": pytest.approx(0.98),
        "l2_normalised": pytest.approx(math.sqrt(2 / 30)),
        "sqnr_db": pytest.approx(10 * math.log10(30 / 2)),
        "flipped": 1,
        "unanswered": 0,
        "samples": 2,
    }


def test_kl_has_a_direction() -> None:
    dense, pruned = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
    there = F.kl_div(pruned.log_softmax(-1), dense.log_softmax(-1), log_target=True, reduction="batchmean")
    back = F.kl_div(dense.log_softmax(-1), pruned.log_softmax(-1), log_target=True, reduction="batchmean")
    assert drift_totals(dense, pruned)["kl_nats"] == pytest.approx(float(there), rel=1e-6)
    assert abs(float(there - back)) > 0.1


@settings(deadline=None)
@given(logits)
def test_torch_is_the_oracle(pair: tuple[np.ndarray, np.ndarray]) -> None:
    dense, pruned = torch.from_numpy(pair[0]), torch.from_numpy(pair[1])
    frame = sample_drift(dense, pruned)
    d, p = dense.double(), pruned.double()
    kl = F.kl_div(p.log_softmax(-1), d.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    assert frame["kl_nats"].to_numpy() == pytest.approx(kl.numpy(), abs=1e-12)
    assert frame["agrees"].tolist() == (d.argmax(-1) == p.argmax(-1)).tolist()
    nonzero = (d.norm(dim=-1) > 1e-6) & (p.norm(dim=-1) > 1e-6)
    assert frame["cosine"].to_numpy()[nonzero.numpy()] == pytest.approx(
        F.cosine_similarity(d, p, dim=-1)[nonzero].numpy(), abs=1e-9
    )
    assert frame["dense_probability"].to_numpy() == pytest.approx(d.softmax(-1).amax(-1).numpy())


@settings(deadline=None)
@given(logits)
def test_ranges(pair: tuple[np.ndarray, np.ndarray]) -> None:
    totals = drift_totals(torch.from_numpy(pair[0]), torch.from_numpy(pair[1]))
    assert totals["kl_nats"] >= 0
    assert 0 <= totals["agreement"] <= 1
    assert totals["agreement"] == pytest.approx(1 - totals["flipped"] / totals["samples"])
    assert math.isnan(totals["cosine"]) or -1 <= totals["cosine"] <= 1
    assert totals["l2_normalised"] >= 0


@settings(deadline=None)
@given(logits)
def test_equal_outputs_have_no_drift(pair: tuple[np.ndarray, np.ndarray]) -> None:
    dense = torch.from_numpy(pair[0])
    totals = drift_totals(dense, dense.clone())
    assert (totals["kl_nats"], totals["agreement"], totals["l2_normalised"]) == (0, 1, 0)
    assert totals["sqnr_db"] == INF
    cosine = sample_drift(dense, dense)["cosine"][dense.norm(dim=1).numpy() > 1e-3]
    assert bool((cosine == 1).all())


def test_sequences_take_the_mean_over_positions_and_agree_at_all_of_them() -> None:
    dense = torch.tensor([[[math.log(3), 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64)
    pruned = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    frame = sample_drift(dense, pruned)
    first = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert frame["kl_nats"].tolist() == pytest.approx([first / 2, (math.e - 1) / (math.e + 1) / 2])
    assert frame["agrees"].tolist() == [True, False]
    assert frame["dense_top1"].tolist() == [(0, 0), (1, 0)]
    assert frame["pruned_top1"].tolist() == [(0, 0), (1, 1)]
    likely = math.e / (1 + math.e)
    assert frame["dense_probability"].tolist() == pytest.approx([0.75 * likely, likely**2])


@pytest.mark.parametrize("broken", [[NAN, 1.0, 2.0], [INF, 1.0, 2.0], [-INF, -INF, -INF]])
def test_no_answer_is_never_perfect(broken: list[float]) -> None:
    dense, pruned = torch.tensor([[0.0, 1.0, 2.0]] * 2), torch.tensor([[0.0, 1.0, 2.0], broken])
    frame = sample_drift(dense, pruned)
    assert frame["agrees"].tolist() == [True, False]
    assert frame["pruned_top1"].tolist() == [2, -1]
    for column in ("kl_nats", "cosine", "l2_normalised", "sqnr_db", "pruned_probability"):
        assert np.isnan(frame[column]).tolist() == [False, True], column
    totals = drift_totals(dense, pruned)
    assert (totals["agreement"], totals["flipped"], totals["unanswered"]) == (0.5, 1, 1)
    assert all(math.isnan(totals[key]) for key in ("kl_nats", "cosine", "l2_normalised", "sqnr_db"))
    both = drift_totals(pruned[1:], pruned[1:])
    assert both["agreement"] == 0
    assert all(math.isnan(both[key]) for key in ("kl_nats", "cosine", "l2_normalised", "sqnr_db"))


def test_a_class_that_is_ruled_out_is_an_answer() -> None:
    dense = torch.tensor([[0.0, 0.0, -INF]])
    assert drift_totals(dense, torch.tensor([[1.0, 1.0, -INF]]))["kl_nats"] == 0
    assert drift_totals(dense, torch.tensor([[0.0, -INF, -INF]]))["kl_nats"] == INF
    assert top1(dense).tolist() == [0]


def test_one_output_has_no_classes() -> None:
    totals = drift_totals(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [-9.0]]))
    assert math.isnan(totals["kl_nats"])
    assert math.isnan(totals["agreement"])
    assert math.isnan(totals["flipped"])
    assert totals["l2_normalised"] == pytest.approx(11 / math.sqrt(5))


def test_bad_outputs_are_errors() -> None:
    with pytest.raises(SubjectError, match="no drift"):
        sample_drift(torch.zeros(0, 3), torch.zeros(0, 3))
    with pytest.raises(SubjectError, match="no drift"):
        drift_totals(torch.zeros(3), torch.zeros(3))
    with pytest.raises(SubjectError, match=r"\[2, 3\], pruned ones \[2, 4\]"):
        sample_drift(torch.zeros(2, 3), torch.zeros(2, 4))


@pytest.mark.parametrize("chunk", [drift.CHUNK_ELEMENTS, 2 * 7 * 3 * 4, 8])
@pytest.mark.parametrize("shape", [(7, 4), (7, 3, 4), (7, 1)])
def test_many_at_once_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch, chunk: int, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    dense, *pruned = (torch.randn(shape, generator=generator) for _ in range(6))
    pruned[2][1] = NAN
    alone = [sample_drift(dense, each) for each in pruned]
    monkeypatch.setattr(drift, "CHUNK_ELEMENTS", chunk)
    drifts = DriftFrom(dense).measure_all(pruned)
    for each, expected in zip(drifts, alone, strict=True):
        pd.testing.assert_frame_equal(each.frame(), expected)
    assert DriftFrom(dense).measure_all([]) == []


def test_large_outputs_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    dense, pruned = torch.randn(7, 4, generator=generator), torch.randn(7, 4, generator=generator)
    whole = sample_drift(dense, pruned)
    monkeypatch.setattr(drift, "CHUNK_ELEMENTS", 8)
    pd.testing.assert_frame_equal(sample_drift(dense, pruned), whole)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    dense, pruned = torch.tensor([[30000.0, 30000.0]], dtype=dtype), torch.tensor([[-30000.0, 30000.0]], dtype=dtype)
    totals = drift_totals(dense, pruned)
    assert totals["cosine"] == 0
    assert totals["l2_normalised"] == pytest.approx(math.sqrt(2))


def test_totals_follow_from_the_frame(everything: Subject) -> None:
    masks = compute_masks(everything, Recipe(amount=0.4))
    drifted = measure_drift(dense_outputs(everything), masked_outputs(everything, masks))
    frame, totals = drifted.frame(), drifted.totals()
    assert totals["kl_nats"] == pytest.approx(frame["kl_nats"].mean())
    assert totals["agreement"] == pytest.approx(frame["agrees"].mean())
    assert totals["cosine"] == pytest.approx(frame["cosine"].mean())


def test_layer_drift_by_hand(by_hand: Subject) -> None:
    # d = (2, 0), (0, 1), (6, 1) and p = (0, 0), (0, 1), (0, 1)
    frame = layer_drift(by_hand, Masks.from_dict(by_hand, {"weight": torch.tensor([[0, 1], [1, 1]])}))
    assert list(frame.columns) == COLUMNS
    row = frame.iloc[0]
    assert (row["module"], row["layer_type"], row["order"]) == ("", "Linear", 0)
    assert row["cosine"] == pytest.approx(2 / math.sqrt(42 * 2))
    assert row["l2_normalised"] == pytest.approx(math.sqrt(40 / 42))
    assert row["sqnr_db"] == pytest.approx(10 * math.log10(42 / 40))


def test_layer_drift_begins_at_the_pruned_layer(everything: Subject) -> None:
    masks = compute_masks(everything, Recipe(amount=0.5, targets=("attention.out_proj.weight",)))
    frame = layer_drift(everything, masks).set_index("module")
    assert frame.index.tolist() == ["conv", "bn", "relu", "attention", "gru", "head"]
    assert frame["order"].tolist() == list(range(6))
    assert frame["layer_type"].tolist() == ["Conv2d", "BatchNorm2d", "ReLU", "MultiheadAttention", "GRU", "Linear"]
    before, after = ["conv", "bn", "relu"], ["attention", "gru", "head"]
    assert (frame.loc[before, "l2_normalised"] == 0).all()
    assert (frame.loc[before, "sqnr_db"] == INF).all()
    assert (frame.loc[before, "cosine"] == 1).all()
    assert (frame.loc[after, "l2_normalised"] > 0).all()
    dense, pruned = layer_outputs(everything, None), layer_outputs(everything, masks)
    for module in after:
        d, p = dense[module].double(), pruned[module].double()
        assert frame.loc[module, "l2_normalised"] == pytest.approx(float((p - d).norm() / d.norm()), rel=1e-5)
        assert frame.loc[module, "cosine"] == pytest.approx(
            float(F.cosine_similarity(d.flatten(), p.flatten(), dim=0)), rel=1e-5
        )


def test_layer_drift_is_told_as_it_comes(everything: Subject) -> None:
    masks = compute_masks(everything, Recipe(amount=0.5))
    told: list[Step] = []
    frame = layer_drift(everything, masks, told.append)
    modules = ["conv", "bn", "relu", "attention", "gru", "head"]
    assert [(step.module, step.dense) for step in told] == [
        (each, dense) for dense in (True, False) for each in modules
    ]
    assert all(step.row is None for step in told[:6])
    pd.testing.assert_frame_equal(drift_frame(step.row for step in told[6:] if step.row is not None), frame)


def test_the_last_layer_drifts_as_the_outputs_do(everything: Subject) -> None:
    masks = compute_masks(everything, Recipe(amount=0.6))
    last = layer_drift(everything, masks).iloc[-1]
    totals = drift_totals(dense_outputs(everything), masked_outputs(everything, masks))
    assert last["sqnr_db"] == pytest.approx(totals["sqnr_db"], rel=1e-5)
    assert last["l2_normalised"] == pytest.approx(totals["l2_normalised"], rel=1e-5)


def test_a_layer_of_nan_has_no_number(everything: Subject) -> None:
    weight: Tensor = everything.weight("gru.weight_ih_l0")
    masks = Masks.from_dict(everything, {"gru.weight_ih_l0": torch.ones_like(weight, dtype=torch.bool)})
    layer_drift(everything, masks)  # dense outputs are held from here on
    weight[0, 0] = NAN
    frame = layer_drift(everything, masks).set_index("module")
    assert frame.loc["attention", "l2_normalised"] == 0
    assert frame.loc["gru", ["cosine", "l2_normalised", "sqnr_db"]].isna().all()
