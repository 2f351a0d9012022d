"""A checkpoint alone: its weights are those that were saved, whatever it was saved by, and nothing more is read."""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import ScoreError, SubjectError
from pruning_explorer.measure.inventory import take_inventory
from pruning_explorer.measure.sparsity import sparsity_totals
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from tests.sources.files_of_torch import Language, Residual, safetensors, same_tensors, saved, write

Writer = Callable[[dict[str, Tensor]], bytes]
WRITERS: dict[str, Writer] = {
    "safetensors": lambda tensors: save({name: each.clone() for name, each in tensors.items()}),
    "torch": saved,
    "torch before 1.6": lambda tensors: saved(tensors, legacy=True),
    "training checkpoint": lambda tensors: saved({"epoch": 3, "model": tensors, "lr": [0.1, 0.01]}),
}


@pytest.mark.parametrize("network", [Residual, Language])
@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS.keys())
def test_what_was_saved_is_what_is_opened_and_masked(tmp_path: Path, network: type[nn.Module], writer: Writer) -> None:
    torch.manual_seed(0)
    model = network()
    state = model.state_dict()
    subject = open_checkpoint(write(tmp_path, "net.bin", writer(state)))
    assert not subject.runnable
    assert same_tensors(subject.model.state_dict(), state)
    masks = compute_masks(subject, Recipe(amount=0.5))
    assert set(masks) == {target.name for target in subject.targets if target.role == "weight"}
    for name, mask in masks.items():
        layer, leaf = model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
        prune.l1_unstructured(layer, leaf, 0.5)
        assert torch.equal(mask, layer.get_buffer(f"{leaf}_mask").bool()), name


def test_roles_and_types_are_those_of_the_network(tmp_path: Path) -> None:
    """They are guessed; of these networks every guess is right."""
    for network in (Residual(), Language()):
        known = Subject.from_module(network)
        state = {target.name: known.weight(target.name) for target in known.targets}
        running = {name: each for name, each in network.state_dict().items() if "running" in name}
        found = open_checkpoint(write(tmp_path, "net.pt", saved({**state, **running})))
        for target in known.targets:
            guessed = found.target(target.name)
            assert (guessed.role, guessed.layer_type) == (target.role, target.layer_type)
            assert guessed.out_dim == target.out_dim


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.spectral_norm, nn.utils.weight_norm])
def test_what_a_norm_makes_weights_of_is_offered_nowhere(norm: Callable[..., nn.Module], tmp_path: Path) -> None:
    """In a file as in the module; and what is only called alike is a parameter like any other."""
    alike = {"mix.q_g": torch.rand(5, 4), "mix.q_v": torch.rand(4, 6), "mix.weight_u": torch.rand(4, 4)}
    network = nn.ModuleDict({"c": norm(nn.Conv2d(3, 8, 3)), "m": norm(nn.LSTM(3, 4), "weight_hh_l0")})
    stored = open_checkpoint(write(tmp_path, "n.pt", saved({**network.state_dict(), **alike})))
    live = Subject.from_module(network)
    assert {target.name for target in stored.targets} == {target.name for target in live.targets} | set(alike)
    name = norm.__name__
    made = {"c.weight_orig", "c.weight_u", "c.weight_v"} if name == "spectral_norm" else {"c.weight_g", "c.weight_v"}
    made |= {each.replace("c.weight", "m.weight_hh_l0") for each in made}
    assert set(stored.refused) == made
    assert set(live.refused) == made & set(dict(network.named_parameters()))
    assert all(why.startswith(f"{name} computes the weight anew") for why in (stored.refused | live.refused).values())
    vectors = sum(len(each) for key, each in network.named_buffers() if key.endswith(("_u", "_v")))
    parameters = sum(each.numel() for each in network.parameters()) + sum(each.numel() for each in alike.values())
    assert take_inventory(stored).parameters == parameters
    assert vectors == (8 + 27 + 16 + 4 if name == "spectral_norm" else 0)


def test_buffers_are_no_parameters(tmp_path: Path) -> None:
    """By hand: 12 + 4 are learnt; masks, places, statistics and the tables of quantisation are not."""
    learnt = {"fc.weight": torch.rand(4, 3), "fc.bias": torch.rand(4)}
    buffers = {
        "bn.running_mean": torch.zeros(4),
        "bn.num_batches_tracked": torch.tensor(7),
        "embeddings.position_ids": torch.arange(5)[None],
        "attn.relative_position_index": torch.zeros(49, 49, dtype=torch.long),
        "attn.bias": torch.ones(1, 1, 8, 8),
        "attn.masked_bias": torch.tensor(-1e4),
        "attn_mask": torch.zeros(2, 4, 4),
        "rotary.inv_freq": torch.rand(4),
        "fc.g_idx": torch.zeros(3, dtype=torch.int32),
        "fc.scales": torch.rand(1, 4).half(),
        "fc.qzeros": torch.zeros(1, 1, dtype=torch.int32),
    }
    packed = {"q.qweight": torch.zeros(2, 4, dtype=torch.int32)}
    stored = open_checkpoint(write(tmp_path, "b.pt", saved({**learnt, **buffers, **packed})))
    inventory = take_inventory(stored)
    assert inventory.parameters == 12 + 4 + 8, "packed weights are weights"
    assert inventory.dtypes == ("float32", "int32")
    assert [target.name for target in stored.targets] == list(learnt)
    assert sparsity_totals(stored, compute_masks(stored, Recipe(amount=0.5)))["parameters"] == 24
    assert "a buffer of int64 and no parameter" in stored.refused["attn.relative_position_index"]
    assert "bn.running_mean" not in stored.refused
    assert same_tensors(stored.model.state_dict(), {**learnt, **buffers, **packed})


WORDS = (
    "layer_type",
    "recorded_type",
    "dtype",
    "device",
    "shape",
    "name",
    "weight",
    "program",
    "calls",
    "misfit",
    "kind",
)


def test_a_name_may_be_any_word_but_those_of_torch_itself(tmp_path: Path) -> None:
    state = {f"{word}.{word}.x": torch.rand(3, 4) for word in WORDS} | {f"a.{word}": torch.rand(2, 2) for word in WORDS}
    subject = open_checkpoint(write(tmp_path, "n.pt", saved(state)))
    assert sorted(target.name for target in subject.targets) == sorted(state)
    assert len(compute_masks(subject, Recipe(amount=0.5, targets=tuple(state)))) == len(state)
    for word in ("T_destination", "parameters", "to", "type"):
        assert hasattr(nn.Module(), word)
        with pytest.raises(SubjectError, match=f"every module of torch has a '{word}'"):
            open_checkpoint(write(tmp_path, "n.pt", saved({f"{word}.weight": torch.rand(2, 2)})))


def test_embeddings_are_known_by_their_names(tmp_path: Path) -> None:
    """By those of the networks that people bring; a layer that computes is none."""
    looked_up = [
        "model.embed_tokens.weight",
        "wte.weight",
        "shared.weight",
        "position.weight",
        "tok_embeddings.weight",
        "emb.0.weight",
        "embeddings.position_embeddings.weight",
        "relative_attention_bias.weight",
    ]
    computed = ["patch_embed.proj.weight", "time_embedding.linear_1.weight", "lm_head.weight", "tokens_to_q.weight"]
    computed += ["embed_out.weight", "embedding_projection.weight", "text_embed_dim_proj.weight"]
    tensors = {name: torch.rand(6, 4) for name in (*looked_up, *computed)}
    subject = open_checkpoint(write(tmp_path, "e.pt", saved(tensors)))
    roles = {target.name: target.role for target in subject.targets}
    assert roles == {**dict.fromkeys(looked_up, "embedding"), **dict.fromkeys(computed, "weight")}


TABLES = {
    "pos_embed": (torch.rand(1, 5, 4), "positions"),
    "encoder.pe": (torch.rand(50, 1, 4), "positions"),
    "visual.positional_embedding": (torch.rand(5, 4), "positions"),
    "cls_token": (torch.rand(1, 1, 4), "a token of the network's own"),
    "det.anchors": (torch.rand(3, 2), "anchors"),
    "conv1.weight_mask": (torch.ones(4, 3), "a mask"),
    "rope.cos_table": (torch.rand(8, 4), "a table that is computed"),
    "block.relative_position_bias_table": (torch.rand(9, 2), "biases of relative positions"),
    "norm_in.shift": (torch.rand(1, 3, 1, 1), "a scale or a shift"),
    "norm_in.scale": (torch.rand(1, 3, 1, 1), "a scale or a shift"),
    "codebook": (torch.rand(6, 4), "a parameter of no layer, or a table"),
}


def test_what_no_layer_calls_a_weight_is_pruned_only_where_it_is_named(tmp_path: Path) -> None:
    tensors = {"fc.weight": torch.rand(4, 3), **{name: tensor for name, (tensor, _) in TABLES.items()}}
    subject = open_checkpoint(write(tmp_path, "t.pt", saved(tensors)))
    assert set(compute_masks(subject, Recipe(embeddings=True, biases=True, norms=True))) == {"fc.weight"}
    assert subject.refused.keys() == TABLES.keys()
    for name, (tensor, kind) in TABLES.items():
        assert f"most likely {kind}; name it" in subject.refused[name]
        masks = compute_masks(subject, Recipe(amount=0.25, targets=(name,)))
        assert list(masks) == [name]
        assert masks.kept(name) == tensor.numel() - round(tensor.numel() / 4)
    table = take_inventory(subject).table
    assert set(table.loc[~table["offered"], "parameter"]) == TABLES.keys()


def test_weights_that_onnx_names_by_their_operator_are_weights(tmp_path: Path) -> None:
    """``x @ W`` has W as ``[in, out]``."""
    shapes = {"onnx::MatMul_7": (3, 4), "onnx::Gemm_8": (4, 3), "onnx::GRU_9": (1, 6, 3), "onnx::GRU_10": (1, 12)}
    tensors = {name: torch.rand(shape) for name, shape in shapes.items()}
    subject = open_checkpoint(write(tmp_path, "t.pt", saved({"fc.weight": torch.rand(4, 3), **tensors})))
    roles = {target.name: (target.role, target.out_dim) for target in subject.targets}
    assert roles == {
        "fc.weight": ("weight", 0),
        "onnx::MatMul_7": ("weight", 1),
        "onnx::Gemm_8": ("weight", 0),
        "onnx::GRU_9": ("weight", 0),
        "onnx::GRU_10": ("other", 0),
    }


def test_where_nothing_is_called_a_weight_all_is_offered(tmp_path: Path) -> None:
    tensors = {"W1": torch.rand(4, 3), "b1": torch.rand(4), "pos_emb": torch.rand(5, 3)}
    subject = open_checkpoint(write(tmp_path, "t.pt", saved(tensors)))
    assert {target.name: target.role for target in subject.targets} == {
        "W1": "weight",
        "b1": "norm",
        "pos_emb": "embedding",
    }
    assert not subject.refused


def test_tied_weights_are_one_target_of_both_names(tmp_path: Path) -> None:
    for legacy in (False, True):
        subject = open_checkpoint(write(tmp_path, "t.pt", saved(Language().state_dict(), legacy=legacy)))
        target = subject.target("lm_head.weight")
        assert target.name == "token_embedding.weight"
        assert target.aliases == ("lm_head.weight",)


def test_views_of_one_storage_are_targets_of_their_own(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    state = {"a.weight": whole[:, :2], "b.weight": whole[:, 2:], "c.weight": whole.t()}
    subject = open_checkpoint(write(tmp_path, "v.pt", saved(state)))
    assert same_tensors(subject.model.state_dict(), state)
    assert [target.name for target in subject.targets] == ["a.weight", "b.weight", "c.weight"]


def test_about_origin_and_loading_say_what_it_is(tmp_path: Path) -> None:
    model = Residual()
    path = write(tmp_path, "run 1.ckpt", saved({"state_dict": model.state_dict(), "epoch": 3, "optimizer": {}}))
    subject = open_checkpoint(path)
    assert subject.name == "run 1.ckpt"
    assert subject.origin == f"state_dict of torch.save, {path.stat().st_size / 1024:.1f} KiB"
    assert f"{len(model.state_dict())} tensors of float32 and int64. Outputs need the network itself." in subject.about
    assert "What else is in the file is left aside: epoch, optimizer." in subject.about
    assert open_checkpoint(path, name="mine").name == "mine"


def run_loading(subject: Subject, folder: Path, model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    exec(subject.loading, {"model": model})


def test_the_lines_of_loading_load_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = Residual().state_dict()
    for name, writer in WRITERS.items():
        fresh = Residual()
        run_loading(open_checkpoint(write(tmp_path, f"{name}.pt'", writer(state))), tmp_path, fresh, monkeypatch)
        assert same_tensors(fresh.state_dict(), state)


def test_a_name_stays_a_name_in_the_code(tmp_path: Path) -> None:
    subject = open_checkpoint(write(tmp_path, "a.pt", saved(Residual().state_dict())), name='x")\nimport os #\u202e')
    assert subject.name == 'x")?import os #?'
    assert not [line for line in subject.loading.splitlines() if line.startswith("import os")]


def pruned_before() -> nn.Module:
    torch.manual_seed(1)
    model = Residual()
    prune.l1_unstructured(model.conv1, "weight", 0.25)
    prune.random_unstructured(model.fc, "weight", 0.5)
    prune.l1_unstructured(model.fc, "bias", 2)
    return model


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS.keys())
def test_what_came_pruned_is_what_the_network_computes_with(
    tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = pruned_before()
    subject = open_checkpoint(write(tmp_path, "p.pt", writer(model.state_dict())))
    for name, layer in (("conv1", model.conv1), ("fc", model.fc)):
        assert torch.equal(subject.weight(f"{name}.weight"), layer.weight)
    assert torch.equal(subject.weight("fc.bias"), model.fc.bias)
    assert not [target.name for target in subject.targets if target.name.endswith(("_orig", "_mask"))]
    # 54 of 216, 40 of 80 and 2 of 10
    assert (
        "It came pruned (torch.nn.utils.prune): masks of 3 parameters remove 31.4% of their 306 weights."
        in subject.about
    )
    fresh = Residual()
    run_loading(subject, tmp_path, fresh, monkeypatch)
    assert torch.equal(fresh.conv1.weight, model.conv1.weight)


def test_what_a_mask_removes_is_zero_whatever_it_was(tmp_path: Path) -> None:
    state = {
        "a.weight_orig": torch.tensor([[float("inf"), 1.0], [float("nan"), 2.0]]).bfloat16(),
        "a.weight_mask": torch.tensor([[False, True], [False, True]]),
        "b.weight_mask": torch.ones(2, 2),
    }
    subject = open_checkpoint(write(tmp_path, "p.pt", saved(state)))
    assert subject.weight("a.weight").tolist() == [[0, 1], [0, 2]]
    assert [target.name for target in subject.targets] == ["a.weight", "b.weight_mask"]


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    weight = torch.ones(2, 3)
    with pytest.raises(SubjectError, match=r"'a.weight_mask' in p.pt does not fit its weights: \(3, 2\) and \(2, 3\)"):
        open_checkpoint(write(tmp_path, "p.pt", saved({"a.weight_orig": weight, "a.weight_mask": weight.t()})))
    with pytest.raises(SubjectError, match="holds other numbers than 0 and 1"):
        open_checkpoint(write(tmp_path, "p.pt", saved({"a.weight_orig": weight, "a.weight_mask": weight / 2})))
    shared = torch.ones(1000, 1000)
    many = {f"{i}.weight_{part}": shared for i in range(20) for part in ("orig", "mask")}
    with pytest.raises(SubjectError, match="masks for more weights than it has bytes"):
        open_checkpoint(write(tmp_path, "p.pt", saved(many)))


def test_numbers_that_cannot_be_pruned_are_listed_with_the_reason(tmp_path: Path) -> None:
    state = {
        "good.weight": torch.ones(2, 2).half(),
        "whole.weight": torch.ones(2, 2, dtype=torch.int8),
        "small.weight": torch.ones(2, 2).to(torch.float8_e4m3fn),
        "complex.weight": torch.ones(2, 2, dtype=torch.complex64),
        "empty.weight": torch.ones(0, 2),
        "elsewhere.weight": torch.ones(2, 2, device="meta"),
        "old.weight_g": torch.ones(2, 1),
        "old.weight_v": torch.ones(2, 3),
    }
    subject = open_checkpoint(write(tmp_path, "n.pt", saved(state)))
    assert [target.name for target in subject.targets] == ["good.weight", "small.weight"]
    reasons = {name: reason.split(" ")[0] for name, reason in subject.refused.items()}
    assert reasons == {
        "whole.weight": "int8",
        "complex.weight": "complex64",
        "empty.weight": "empty:",
        "elsewhere.weight": "on",
        "old.weight_g": "weight_norm",
        "old.weight_v": "weight_norm",
    }


def test_weights_that_are_not_finite_are_refused_where_they_are_ranked(tmp_path: Path) -> None:
    state = {"a.weight": torch.tensor([[1.0, float("nan")]]), "b.weight": torch.tensor([[1.0, 2.0]])}
    for content in (save(state), saved(state)):
        subject = open_checkpoint(write(tmp_path, "n.pt", content))
        compute_masks(subject, Recipe(targets=("b.weight",)))
        with pytest.raises(ScoreError, match=r"a\.weight"):
            compute_masks(subject, Recipe(targets=("a.weight",)))


def test_blocks_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    subject = open_checkpoint(write(tmp_path, "l.safetensors", save(Residual().state_dict())))
    assert subject.targets[0].name.startswith("bn1")
    state = {f"blocks.{i}.weight": torch.ones(1, 1) for i in (0, 2, 10)}
    subject = open_checkpoint(write(tmp_path, "l.safetensors", save(state)))
    assert [target.name for target in subject.targets] == list(state)


def test_the_same_content_has_the_same_id_and_other_content_another(tmp_path: Path) -> None:
    state = Residual().state_dict()
    first = open_checkpoint(write(tmp_path, "a.safetensors", save(state)), name="n").id
    assert open_checkpoint(write(tmp_path, "b.safetensors", save(state)), name="n").id == first
    state["fc.bias"][3] += 1
    assert open_checkpoint(write(tmp_path, "a.safetensors", save(state)), name="n").id != first


def write_shards(folder: Path, state: dict[str, Tensor]) -> Path:
    """In two files with an index, as Hugging Face writes them."""
    names = list(state)
    weight_map = {}
    for part in range(2):
        file = f"model-0000{part + 1}-of-00002.safetensors"
        save_file({name: state[name] for name in names[part::2]}, folder / file)
        weight_map.update(dict.fromkeys(names[part::2], file))
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    return write(folder, "model.safetensors.index.json", json.dumps(index).encode())


def test_shards_are_one_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bert"
    folder.mkdir()
    state = Residual().state_dict()
    index = write_shards(folder, state)
    write(folder, "config.json", b"{}")
    for path in (index, folder):
        subject = open_checkpoint(path)
        assert subject.name == "bert"
        assert same_tensors(subject.model.state_dict(), state)
        assert "in 2 files" in subject.origin
        fresh = Residual()
        run_loading(subject, folder, fresh, monkeypatch)
        assert same_tensors(fresh.state_dict(), state)
    for part in folder.glob("*.safetensors"):
        tensors = open_checkpoint(part).model.state_dict()
        part.write_bytes(saved(dict(tensors)))
    index.write_text(index.read_text().replace(".safetensors", ".bin"))
    for part in folder.glob("*.safetensors"):
        part.rename(part.with_suffix(".bin"))
    assert same_tensors(open_checkpoint(index).model.state_dict(), state)


def test_a_folder_holds_one_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="holds no checkpoint"):
        open_checkpoint(tmp_path)
    write(tmp_path, "some.ckpt", saved(Residual().state_dict()))
    assert open_checkpoint(tmp_path).name == tmp_path.name
    write(tmp_path, "training_args.bin", b"")
    with pytest.raises(SubjectError, match=re.escape("more than one checkpoint (some.ckpt, training_args.bin)")):
        open_checkpoint(tmp_path)
    write(tmp_path, "model.safetensors", save(Residual().state_dict()))
    assert open_checkpoint(tmp_path).origin.startswith(".safetensors")


def test_the_cache_of_the_hub_is_a_folder_like_others(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "blobs").mkdir()
    write(tmp_path / "blobs", "123", save(Residual().state_dict()))
    (snapshot / "model.safetensors").symlink_to("../../blobs/123")
    assert open_checkpoint(snapshot).origin.startswith(".safetensors")


def test_what_is_not_looked_at_takes_no_memory(tmp_path: Path) -> None:
    """Three files of 4 GiB, most of it a hole: opening them and pruning one layer of each takes less than 400 MiB."""
    hole, rows = 4 << 30, 1024 * 1024
    shapes = {"small.weight": [rows // 1024, 1024], "large.weight": [hole // 4096, 1024]}
    header, start = {}, 0
    for name, shape in shapes.items():
        end = start + shape[0] * shape[1] * 4
        header[name], start = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}, end
    text = json.dumps(header).encode()
    with (tmp_path / "big.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + torch.ones(rows).numpy().tobytes())
        file.truncate(8 + len(text) + start)
    with torch.serialization.skip_data():
        state = {name: torch.empty(shape) for name, shape in shapes.items()}
        torch.save(state, tmp_path / "big.pt")
        torch.save({"deep": {"model": state}}, tmp_path / "nested.pt")
    seen = subprocess.run(
        [sys.executable, "-c", LOOK, *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True, check=False
    )
    assert seen.returncode == 0, seen.stderr
    sums = dict(line.split() for line in seen.stdout.splitlines())
    assert sums == {"big.pt": "0.0", "big.safetensors": str(float(rows)), "nested.pt": "0.0"}


LOOK = """
import resource, sys
from pathlib import Path
from pruning_explorer import Recipe, compute_masks
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

before = peak()
for path in map(Path, sys.argv[1:]):
    subject = open_checkpoint(path)
    assert compute_masks(subject, Recipe(amount=0.5, targets=("small.weight",)))["small.weight"].sum() == 1 << 19
    print(path.name, float(subject.weight("small.weight").sum()))
assert peak() - before < 400, f"{peak()} MiB at most, {before} before"
"""


def test_names_that_no_network_has_are_refused(tmp_path: Path) -> None:
    for name, why in {
        "": "a part of the name is empty",
        "a..weight": "a part of the name is empty",
        "forward.weight": "every module of torch has a 'forward'",
        "training": "every module of torch has a 'training'",
        "_parameters.weight": "every module of torch has a '_parameters'",
        "a\nb.weight": r"'a\?b.weight', which cannot be read",
        "a" * 600: "or is too long",
        ".".join("a" * 200): "or is too long",
    }.items():
        for content in (save({name: torch.ones(2, 2)}), saved({name: torch.ones(2, 2)})):
            with pytest.raises(SubjectError, match=why):
                open_checkpoint(write(tmp_path, "n.pt", content))
    with pytest.raises(SubjectError, match=r"'a\.weight' in n\.pt is a tensor and holds tensors too"):
        open_checkpoint(write(tmp_path, "n.pt", saved({"a.weight": torch.ones(2), "a.weight.x": torch.ones(2, 2)})))


def test_odd_names_are_names(tmp_path: Path) -> None:
    state = {"weight": torch.ones(2, 2), "0.Ünïcode-1/x.weight": torch.ones(2, 2), "a b.'": torch.ones(2, 2)}
    for content in (save(state), saved(state)):
        subject = open_checkpoint(write(tmp_path, "n.pt", content))
        assert {target.name for target in subject.targets} == set(state)
        assert set(compute_masks(subject, Recipe(amount=0.5, targets=tuple(state)))) == set(state)


def test_more_tensors_and_modules_than_a_page_can_list_are_refused(tmp_path: Path) -> None:
    header = {f"{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_001)}
    with pytest.raises(SubjectError, match="holds 20,001 tensors, and 20,000 is the most"):
        open_checkpoint(write(tmp_path, "n.safetensors", safetensors(header)))
    deep = {f"{i}{'.a' * 62}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(1000)}
    with pytest.raises(SubjectError, match="make more than 50,000 modules"):
        open_checkpoint(write(tmp_path, "n.safetensors", safetensors(deep)))
