"""Quantised checkpoints as their tools write them: packed weights are named, whole numbers with scales are computed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pruning_explorer import Recipe, compute_masks
from pruning_explorer.errors import ExportError
from pruning_explorer.exports.contents import contents_of
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.checkpoints import quantised
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint

OUT, IN = 64, 128
Q = "l.0.q_proj."


def uint8(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def int32(*shape: int) -> Tensor:
    return torch.randint(-(2**31), 2**31 - 1, shape, dtype=torch.int32)


def int8(*shape: int) -> Tensor:
    return torch.randint(-127, 128, shape, dtype=torch.int8)


def float8(*shape: int) -> Tensor:
    return torch.randn(shape).to(torch.float8_e4m3fn)


def opened(tensors: dict[str, Tensor], path: Path) -> Subject:
    save_file({**tensors, "lm_head.weight": torch.randn(32, IN).bfloat16()}, path / "m.safetensors")
    return open_checkpoint(path / "m.safetensors")


PACKED: dict[str, tuple[dict[str, Tensor], str]] = {
    "GPTQ": (
        {
            f"{Q}qweight": int32(IN // 8, OUT),
            f"{Q}qzeros": int32(1, OUT // 8),
            f"{Q}scales": torch.randn(1, OUT).half(),
            f"{Q}g_idx": torch.zeros(IN, dtype=torch.int32),
        },
        "GPTQ, 4 bits",
    ),
    "AWQ": (
        {
            f"{Q}qweight": int32(IN, OUT // 8),
            f"{Q}qzeros": int32(1, OUT // 8),
            f"{Q}scales": torch.randn(1, OUT).half(),
        },
        "AWQ, 4 bits",
    ),
    "compressed-tensors": (
        {
            f"{Q}weight_packed": int32(OUT, IN // 8),
            f"{Q}weight_scale": torch.randn(OUT, 4),
            f"{Q}weight_zero_point": int32(OUT // 8, 4),
            f"{Q}weight_shape": torch.tensor([OUT, IN]),
        },
        "compressed-tensors, 4 bits",
    ),
    "NVFP4": (
        {
            f"{Q}weight_packed": uint8(OUT, IN // 2),
            f"{Q}weight_scale": float8(OUT, IN // 16),
            f"{Q}weight_global_scale": torch.ones(1),
        },
        "NVFP4",
    ),
    "NVFP4 of ModelOpt": (
        {
            f"{Q}weight": uint8(OUT, IN // 2),
            f"{Q}weight_scale": float8(OUT, IN // 16),
            f"{Q}weight_scale_2": torch.ones(()),
            f"{Q}input_scale": torch.ones(()),
        },
        "NVFP4",
    ),
    "MXFP4": ({f"{Q}weight_blocks": uint8(OUT, 4, 16), f"{Q}weight_scales": uint8(OUT, 4)}, "MXFP4"),
    "bitsandbytes": (
        {
            f"{Q}weight": uint8(OUT * IN // 2, 1),
            f"{Q}weight.absmax": uint8(OUT * IN // 64),
            f"{Q}weight.quant_map": torch.randn(16),
            f"{Q}weight.nested_absmax": torch.randn(1),
            f"{Q}weight.nested_quant_map": torch.randn(256),
            f"{Q}weight.quant_state.bitsandbytes__nf4": uint8(168),
        },
        "bitsandbytes, nf4",
    ),
    "quanto": (
        {
            f"{Q}weight._data._data": uint8(OUT // 2, IN),
            f"{Q}weight._scale": torch.randn(OUT, 1),
            f"{Q}weight._shift": torch.randn(OUT, 1),
            f"{Q}input_scale": torch.ones(()),
            f"{Q}output_scale": torch.ones(()),
        },
        "quanto, uint8",
    ),
    "MLX": (
        {
            f"{Q}weight": int32(OUT, IN // 8).view(torch.uint32),
            f"{Q}scales": torch.randn(OUT, 2).half(),
            f"{Q}biases": torch.randn(OUT, 2).half(),
        },
        "MLX",
    ),
    "HQQ": (
        {f"{Q}W_q": uint8(OUT // 2, IN), f"{Q}scale": torch.randn(OUT, 1), f"{Q}zero": torch.randn(OUT, 1)},
        "HQQ",
    ),
    "AQLM": (
        {
            f"{Q}codes": torch.zeros(OUT, IN // 8, 1, dtype=torch.int16),
            f"{Q}codebooks": torch.randn(1, 256, 1, 8).half(),
            f"{Q}scales": torch.randn(OUT, 1, 1, 1).half(),
        },
        "AQLM",
    ),
    "packed bytes": ({f"{Q}weight": uint8(OUT // 4, IN), f"{Q}weight_scale": torch.ones(1)}, "packed as uint8"),
    "a bitmask of other weights": (
        {
            f"{Q}bitmask": torch.zeros(OUT, IN // 8, dtype=torch.uint8),
            f"{Q}compressed": torch.randn(OUT, IN // 2),
            f"{Q}shape": torch.tensor([OUT, IN]),
        },
        "compressed-tensors, sparse bitmask that does not fit its weights",
    ),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_weight_is_named_and_its_scales_are_no_weights(kind: str, tmp_path: Path) -> None:
    tensors, scheme = PACKED[kind]
    subject = opened({f"{Q}bias": torch.zeros(OUT), **tensors}, tmp_path)
    assert set(compute_masks(subject, Recipe(amount=0.5))) == {"lm_head.weight"}
    assert {target.name for target in subject.targets} == {"lm_head.weight", f"{Q}bias"}
    assert list(subject.refused) == [f"{Q}weight"]
    assert subject.refused[f"{Q}weight"].startswith(f"quantised ({scheme}): ")
    assert f"one weight ({scheme}); these are left as they are" in subject.about
    with pytest.raises(ExportError, match="save the masks instead"):
        contents_of(subject, subject.targets[:1], {}, "weights")


BLOCKS = torch.rand(2, 4) + 0.5
ROWS = torch.rand(OUT, 1) + 0.5
W8, F8 = int8(OUT, IN), float8(OUT, IN)
SCALED: dict[str, tuple[dict[str, Tensor], Tensor, str]] = {
    "FP8, one scale": (
        {f"{Q}weight": F8, f"{Q}weight_scale": torch.tensor([0.25]), f"{Q}input_scale": torch.ones(())},
        F8.float() * 0.25,
        "float8_e4m3fn with scales",
    ),
    "FP8, block scales": (
        {f"{Q}weight": F8, f"{Q}weight_scale_inv": BLOCKS},
        F8.float() * BLOCKS.repeat_interleave(32, 0).repeat_interleave(32, 1),
        "float8_e4m3fn with block scales",
    ),
    "FP8, blocks that are cut off": (
        {f"{Q}weight": F8[:40, :100].contiguous(), f"{Q}weight_scale_inv": BLOCKS},
        F8[:40, :100].float() * BLOCKS.repeat_interleave(20, 0).repeat_interleave(25, 1),
        "float8_e4m3fn with block scales",
    ),
    "FP8 alone": ({f"{Q}weight": F8}, F8.bfloat16(), "float8_e4m3fn"),
    "int8": ({f"{Q}weight": W8, f"{Q}weight_scale": ROWS}, W8.float() * ROWS, "int8 with scales"),
    "int8 with zeros": (
        {
            f"{Q}weight": W8,
            f"{Q}weight_scale": ROWS,
            f"{Q}weight_zero_point": torch.full((OUT, 1), 3, dtype=torch.int8),
        },
        (W8.float() - 3) * ROWS,
        "int8 with scales",
    ),
    "bitsandbytes": (
        {f"{Q}weight": W8, f"{Q}SCB": ROWS[:, 0].contiguous(), f"{Q}weight_format": uint8()},
        W8.float() * (ROWS / 127),
        "bitsandbytes, int8",
    ),
    "quanto": (
        {f"{Q}weight._data": W8, f"{Q}weight._scale": ROWS, f"{Q}output_scale": torch.ones(())},
        W8.float() * ROWS,
        "quanto, int8",
    ),
    "torchao": (
        {
            f"{Q}_weight_qdata": W8,
            f"{Q}_weight_scale": ROWS,
            f"{Q}_weight_zero_point": torch.zeros(OUT, 1, dtype=torch.int8),
        },
        W8.float() * ROWS,
        "torchao, int8",
    ),
    "experts": (
        {f"{Q}weight": F8.view(4, 16, IN), f"{Q}weight_scale": torch.full((4, 1, 1), 2.0)},
        F8.view(4, 16, IN).float() * 2,
        "float8_e4m3fn with scales",
    ),
}


@pytest.mark.parametrize("kind", SCALED)
def test_whole_numbers_with_scales_are_the_weights_that_they_stand_for(kind: str, tmp_path: Path) -> None:
    tensors, expected, scheme = SCALED[kind]
    subject = opened(tensors, tmp_path)
    assert {target.name for target in subject.targets} == {f"{Q}weight", "lm_head.weight"}
    assert not subject.refused
    assert torch.equal(subject.weight(f"{Q}weight"), expected)
    assert f"one weight ({scheme}); these are computed" in subject.about
    assert "# load it by the library that wrote them" in subject.loading


def test_a_plain_weight_of_the_same_name_stays(tmp_path: Path) -> None:
    plain = torch.randn(OUT, IN)
    parts = {f"{Q}_weight_qdata": W8, f"{Q}_weight_scale": ROWS, f"{Q}weight": plain}
    assert torch.equal(opened(parts, tmp_path).weight(f"{Q}weight"), plain)


def test_more_than_the_disk_shall_hold_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised, "EXPANDED_MOST", OUT * IN * 4)
    subject = opened(
        {"a.weight": W8, "a.weight_scale": ROWS, "b.weight": W8.clone(), "b.weight_scale": ROWS.clone()}, tmp_path
    )
    assert {target.name for target in subject.targets} == {"a.weight", "lm_head.weight"}
    assert "of such weights are not computed here" in subject.refused["b.weight"]


@pytest.mark.parametrize("flat", [False, True], ids=["sparse-24-bitmask", "sparse-bitmask"])
def test_a_bitmask_puts_each_weight_in_its_place(flat: bool, tmp_path: Path) -> None:
    dense = torch.randn(OUT, IN).bfloat16()
    kept = torch.zeros(OUT, IN // 4, 4, dtype=torch.bool)
    kept.scatter_(-1, dense.view(OUT, IN // 4, 4).abs().topk(2, -1).indices, True)
    kept = kept.view(OUT, IN)
    values = dense[kept]
    bits = torch.from_numpy(np.packbits(kept.numpy(), axis=1, bitorder="little"))
    tensors = {f"{Q}bitmask": bits, f"{Q}compressed": values if flat else values.view(OUT, -1)}
    tensors[f"{Q}shape"] = torch.tensor([OUT, IN]) if flat else torch.tensor([[OUT], [IN]])
    if flat:
        tensors[f"{Q}row_offsets"] = torch.arange(OUT) * IN // 2
    subject = opened(tensors, tmp_path)
    assert torch.equal(subject.weight(f"{Q}weight"), dense * kept)
    assert "It came pruned: one weight (compressed-tensors, sparse bitmask)" in subject.about
    assert "33.3% of its weights are zero" in subject.about  # half of 64 x 128, and none of 32 x 128
    assert {target.name for target in subject.targets} == {f"{Q}weight", "lm_head.weight"}


def test_whole_numbers_without_scales_stay_what_they_are(tmp_path: Path) -> None:
    subject = opened({f"{Q}weight": W8, "logit_scale": torch.ones(())}, tmp_path)
    assert subject.refused[f"{Q}weight"] == "int8 weights have no magnitude that can be ranked here"
    assert "quantised" not in subject.about
