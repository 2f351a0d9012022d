"""Nothing in a ``.pt2`` is executed, and none takes memory or time without bound; each bad one is refused in words."""

import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.sources.exported import archive as archive_module
from pruning_explorer.sources.exported import open_exported
from tests.sources.exported_files import (
    CONSTANTS,
    MODEL,
    ROOT,
    SAMPLES,
    WEIGHTS,
    Records,
    node,
    pickles,
    tensor,
    tiny_program,
    with_json,
    with_nodes,
    write,
)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return tiny_program(tmp_path_factory.mktemp("program") / f"{ROOT}.pt2")


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def refused(path: Path, match: str | None = None) -> str:
    with pytest.raises(SubjectError, match=match) as caught:
        open_exported(path)
    message = str(caught.value)
    assert message.startswith(f"{path.stem} cannot be opened: it")
    assert message.isascii()
    assert len(message) < 600
    return message


def test_the_program_itself_is_opened(records: Records, tmp_path: Path) -> None:
    subject = open_exported(write(tmp_path / "good.pt2", records))
    assert [target.name for target in subject.targets] == ["0.weight", "0.bias"]
    assert dense_outputs(subject).shape == (32, 2)


# Pickles


def test_the_bait_works_where_torch_loads_the_file(records: Records, tmp_path: Path, canary: Path) -> None:
    """Else that the canary never appears would prove nothing."""
    path = write(tmp_path / "bad.pt2", {**records, SAMPLES: pickles(canary)[1]})
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        torch.export.load(path)
    assert canary.exists()


def test_no_record_is_unpickled(records: Records, tmp_path: Path, canary: Path) -> None:
    for name in records:
        for bait in pickles(canary):
            path = write(tmp_path / "bad.pt2", {**records, name: bait})
            try:
                open_exported(path)
            except SubjectError as error:
                assert name not in (SAMPLES, "version", ".data/serialization_id"), error  # noqa: PT017
            assert not canary.exists(), name


@pytest.mark.parametrize(
    "name", ["weights/model.pt", "constants/model.pt", "constants/custom_obj_0", "constants/opaque_obj_0"]
)
def test_records_that_torch_unpickles_are_refused(name: str, records: Records, tmp_path: Path, canary: Path) -> None:
    for bait in pickles(canary):
        refused(write(tmp_path / "bad.pt2", {**records, f"data/{name}": bait}), "is a pickle, which is never opened")
    assert not canary.exists()


def test_a_weight_that_is_said_to_be_a_pickle_is_refused(records: Records, tmp_path: Path, canary: Path) -> None:
    def mark(content: Any) -> None:
        content["config"]["0.weight"]["use_pickle"] = True

    for bait in pickles(canary):
        changed = with_json({**records, "data/weights/weight_0": bait}, mark, WEIGHTS)
        refused(write(tmp_path / "bad.pt2", changed), "pickle, which is never opened")
    assert not canary.exists()


def test_a_file_that_is_a_pickle_or_torchscript_is_refused(tmp_path: Path, canary: Path) -> None:
    for bait in pickles(canary):
        (tmp_path / "bad.pt2").write_bytes(bait)
        refused(tmp_path / "bad.pt2")
    assert not canary.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "script.pt2")
    refused(tmp_path / "script.pt2", "none of an exported program's")


# Code


def every_text(content: Any, replace: Callable[[str, str], str | None], key: str = "") -> None:
    """Replace texts in JSON, in place."""
    for at, value in content.items() if isinstance(content, dict) else enumerate(content):
        name = at if isinstance(at, str) else key
        if isinstance(value, str):
            if (new := replace(name, value)) is not None:
                content[at] = new
        elif isinstance(value, dict | list):
            every_text(value, replace, name)


def test_no_text_of_the_graph_is_evaluated(records: Records, tmp_path: Path, canary: Path) -> None:
    """Expressions, guards, names, types, metadata, tree specs: each in turn, and all at once."""
    code = f"__import__('os').mkdir({str(canary)!r})"
    keys: set[str] = set()
    for name in (MODEL, WEIGHTS, CONSTANTS):
        with_json(records, lambda content: every_text(content, lambda key, _: keys.add(key)), name)
    assert {"expr_str", "guards_code", "nn_module_stack", "target", "name", "out_spec"} <= keys | {"guards_code"}
    shapes = (code, f"x={code}", f"x: {code} = 0", f"Symbol({code})", f"Integer(1) + {code}", f"[1, {code}]")
    for key in sorted(keys):
        for text in shapes:
            for name in (MODEL, WEIGHTS):
                changed = with_json(
                    records,
                    lambda content, k=key, t=text: every_text(content, lambda at, _: t if at == k else None),
                    name,
                )
                with suppress(SubjectError):
                    dense_outputs(open_exported(write(tmp_path / "bad.pt2", changed)))
                assert not canary.exists(), (key, text)
    guarded = with_json(records, lambda content: content.update(guards_code=[code, f"L[{code}]"]))
    dense_outputs(open_exported(write(tmp_path / "guarded.pt2", guarded)))
    assert not canary.exists()


def test_an_expression_of_a_size_is_no_code(records: Records, tmp_path: Path, canary: Path) -> None:
    code = f"__import__('os').mkdir({str(canary)!r})"

    def size(content: Any) -> None:
        metas = content["graph_module"]["graph"]["tensor_values"]
        metas["input"]["sizes"][0]["as_expr"]["expr_str"] = code

    # What cannot be read is taken as it was at the export: a batch of two
    assert open_exported(write(tmp_path / "size.pt2", with_json(records, size))).sample_count == 2
    assert not canary.exists()


def test_tree_specs_import_nothing(records: Records, tmp_path: Path, canary: Path) -> None:
    spec = (
        '[1, {"type": "collections.defaultdict", "context": "{\\"default_factory_module\\": \\"antigravity\\", '
        '\\"default_factory_name\\": \\"geohash\\", \\"dict_context\\": [\\"a\\"]}", '
        '"children_spec": [{"type": null, "context": null, "children_spec": []}]}]'
    )

    def change(content: Any) -> None:
        content["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = spec

    subject = open_exported(write(tmp_path / "tree.pt2", with_json(records, change)))
    assert dense_outputs(subject).shape == (32, 2)
    assert "antigravity" not in sys.modules


TARGETS = (
    *("os.system", "posix.system", "builtins.eval", "builtins.exec", "eval", "#aot:eval", "subprocess.run"),
    *("torch.hub.load", "torch.load", "torch.save", "torch.ops.load_library", "torch.classes.load_library"),
    *("torch._inductor.aoti_load_package", "torch.utils.cpp_extension.load", "torch.serialization.os.system"),
    *("_operator.methodcaller", "_operator.attrgetter", "_operator.call", "_operator.pow", "_operator.lshift"),
    *("_operator.__class__", "_operator.add.__self__", "math.factorial", "math.trunc.__self__", "torch.sym_sqrt"),
    *("torch.ops.aten.from_file.default", "torch.ops.aten.save.default", "torch.ops.aten._print.default"),
    *("torch.ops.aten.empty_like.default"),
    *("torch.ops.aten.set_.source_Storage", "torch.ops.aten.resize_.default", "torch.ops.aten.rand.default"),
    *("torch.ops.aten.add.out", "torch.ops.aten.add.str", "torch.ops.aten.add.t", "torch.ops.aten.mul.left_t"),
    *("torch.ops.aten.max.dim_max", "torch.ops.aten.item.default", "torch.ops.aten.nonzero.default"),
    *("torch.ops.aten.add.__class__", "torch.ops.aten.__class__.default", "torch.ops.aten.add.Tensor.__call__"),
    *("torch.ops.prim.Print.default", "torch.ops.inductor._alloc_from_pool.default", "torch.ops.mine.op.default"),
    *("torch.ops.higher_order.while_loop", "torch.ops.higher_order.cond", "torch.ops.higher_order.scan"),
    *("torch.ops.higher_order.map_impl", "torch.ops.higher_order.triton_kernel_wrapper_functional"),
    *("torch.ops.higher_order.call_torchbind", "torch.ops.higher_order.run_with_rng_state", "", "torch", "torch.ops"),
)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_no_operator_of_the_list_is_refused(
    target: str, records: Records, tmp_path: Path, canary: Path
) -> None:
    step = node(target, "more", ("self", {"as_string": f"mkdir {canary}"}))
    message = refused(write(tmp_path / "bad.pt2", with_nodes(records, step)), "uses the operator")
    assert "save its state_dict" in message
    assert not canary.exists()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("torch.ops.aten.nonzero.default", "is not run here: its result is as large as its values say"),
        ("torch.ops.aten.randn.default", "is not run here: it draws numbers at random"),
        ("torch.ops.aten.embedding_bag.default", "is not run here: its kernel trusts what it is given"),
        ("torch.ops.aten._cdist_forward.default", "is torch's own and not among those that are run here"),
        ("torch.ops.torchvision.nms.default", "is none of torch's own"),
    ],
)
def test_an_operator_is_refused_by_its_right_name(target: str, reason: str, records: Records, tmp_path: Path) -> None:
    step = node(target, "more", ("self", tensor("input")))
    assert f"it uses the operator {target!r}, which {reason}" in refused(
        write(tmp_path / "bad.pt2", with_nodes(records, step)), "uses the operator"
    )


def test_compiled_code_is_refused(records: Records, tmp_path: Path) -> None:
    for name in ("data/aotinductor/model/x.so", "data/aotinductor/model/x.cpp", "data/weights/weight_0.so", "x.dll"):
        refused(write(tmp_path / "bad.pt2", {**records, name: b"\x7fELF"}), "compiled code, which is never run here")


# The archive


def test_archives_that_are_not_what_torch_writes(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "bad.pt2"
    refused(write(path, records, compression=zipfile.ZIP_DEFLATED), "compressed")
    refused(write(path, {**records, "../../escape": b""}), "points out of the archive")
    refused(write(path, {**records, "data/weights/../../../x": b""}), "points out of the archive")
    refused(write(path, {**records, "else/thing": b""}), "none of an exported program's")
    refused(write(path, {**records, "data/weights/weight_\u2028": b""}), "pickle")
    refused(write(path, {**records, "models/other.json": b"{}"}), "holds 2 programs")
    refused(write(path, {name: each for name, each in records.items() if name != MODEL}), "holds 0 programs")
    refused(write(path, {**records, "byteorder": b"big"}), "big-endian")
    refused(write(path, {**records, "archive_format": b"pt3"}), "archive_format is not pt2")
    for name in (WEIGHTS, CONSTANTS, "data/weights/weight_0", "archive_version"):
        refused(write(path, {key: each for key, each in records.items() if key != name}), f"no record {name}")
    with zipfile.ZipFile(write(path, records), "a") as archive:
        archive.writestr("elsewhere/archive_format", b"pt2")
    refused(path, "lie in 2 folders")
    with warnings.catch_warnings(), zipfile.ZipFile(write(path, records), "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(f"{ROOT}/{MODEL}", b"{}")
    refused(path, "is there twice")


def test_a_table_of_contents_that_lies(records: Records, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.pt2", records)
    whole = path.read_bytes()
    end = whole.rindex(b"PK\5\6")
    directory = struct.unpack_from("<L", whole, end + 16)[0]
    entries = [at for at in range(directory, end) if whole[at : at + 4] == b"PK\1\2"]
    assert len(entries) == len(records)

    def entry(at: int, offset: int, shape: str, value: int) -> None:
        changed = bytearray(whole)
        struct.pack_into(shape, changed, at + offset, value)
        path.write_bytes(changed)

    offsets = [struct.unpack_from("<L", whole, at + 42)[0] for at in entries]
    entry(entries[1], 42, "<L", offsets[0])
    refused(path, "two names")
    entry(entries[0], 42, "<L", 7)
    refused(path, "not where it should be")
    for value in (len(whole) + 100, 0x7FFFFFFF):
        entry(entries[0], 42, "<L", value)
        refused(path)
    for field in (20, 24):
        changed = bytearray(whole)
        struct.pack_into("<L", changed, entries[0] + field, 1 << 30)
        path.write_bytes(changed)
        refused(path, "compressed")
    changed = bytearray(whole)
    for field in (20, 24):
        struct.pack_into("<L", changed, entries[0] + field, offsets[-1])
    path.write_bytes(changed)
    refused(path, "overlaps another or ends outside")
    entry(entries[0], 8, "<H", 1)
    refused(path, "encrypted")
    changed = bytearray(whole)
    struct.pack_into("<L", changed, end + 12, 1 << 30)
    path.write_bytes(changed)
    refused(path, "table of contents is more than")
    for size in (0, 1, 21, 22, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(path)


def test_large_json_is_not_parsed(records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bad.pt2"
    refused(write(path, {**records, MODEL: b"[" * 100_000}), "RecursionError")
    refused(write(path, {**records, MODEL: b'{"a": 1, "a": 2}'}), "a key stands twice")
    refused(write(path, {**records, MODEL: b'{"a": ' + b"9" * 5000 + b"}"}), "no JSON")
    refused(write(path, {**records, MODEL: b"\xff\xfe"}), "no UTF-8")
    refused(write(path, {**records, MODEL: b"[1]"}), "no JSON object")
    refused(write(path, {**records, MODEL: b"[" + b"[]," * 4_000_000 + b"0]"}), "more than 6000000 parts")
    monkeypatch.setattr(archive_module, "LARGEST_JSON", 1 << 10)
    refused(write(path, records), "MiB is the most")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("sizes", [{"as_int": 1 << 40}, {"as_int": 1 << 20}], "needs more than the 6 numbers"),
        ("sizes", [{"as_int": 3}, {"as_int": 3}], "needs more than the 6 numbers"),
        ("sizes", [{"as_int": -2}, {"as_int": -3}], "no whole number"),
        ("sizes", [{"as_int": 6}], "differ in number"),
        ("sizes", [{"as_expr": {"expr_str": "Integer(2)"}}, {"as_int": 3}], "KeyError"),
        ("strides", [{"as_int": 0}, {"as_int": 100}], "needs more than the 6 numbers"),
        ("strides", [{"as_int": True}, {"as_int": 1}], "TypeError"),
        ("storage_offset", {"as_int": 1}, "needs more than the 6 numbers"),
        ("dtype", 8, "needs more than the 3 numbers"),
        ("dtype", 9, "KeyError"),
        ("dtype", "7", "TypeError"),
        ("layout", 1, "sparse"),
    ],
)
def test_weights_that_lie(key: str, value: Any, match: str, records: Records, tmp_path: Path) -> None:
    def change(content: Any) -> None:
        content["config"]["0.weight"]["tensor_meta"][key] = value

    refused(write(tmp_path / "bad.pt2", with_json(records, change, WEIGHTS)), match)


def test_names_that_make_no_modules(records: Records, tmp_path: Path) -> None:
    for name in (
        "",
        ".",
        "a..b",
        "forward",
        "0.forward",
        "0.__class__",
        "x" * 500,
        ".".join("abcdefgh" * 10),
        "0.weight.x",
    ):

        def rename(content: Any, name: str = name) -> None:
            content["config"][name] = content["config"].pop("0.bias")

        refused(write(tmp_path / "bad.pt2", with_json(records, rename, WEIGHTS)))


# Work


def doubling(times: int) -> list[dict[str, Any]]:
    names = ["relu", *(f"d{at}" for at in range(times))]
    return [
        node(
            "torch.ops.aten.cat.default",
            after,
            ("tensors", {"as_tensors": [{"name": before}] * 2}),
            ("dim", {"as_int": 1}),
        )
        for before, after in pairwise(names)
    ]


def sizes(*values: int) -> dict[str, Any]:
    return {"as_ints": list(values)}


def test_growth_without_bound_is_refused_before_it_is_run(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "bad.pt2"
    refused(write(path, with_nodes(records, *doubling(70), returns="d69")), "more than is computed here")
    wide = node("torch.ops.aten.expand.default", "wide", ("self", tensor("relu")), ("size", sizes(1 << 40, -1, 2)))
    refused(write(path, with_nodes(records, wide, returns="wide")), "more than is computed here")
    zeros = node("torch.ops.aten.zeros.default", "zeros", ("size", sizes(1 << 38)))
    refused(write(path, with_nodes(records, zeros, returns="relu")), "more than is computed here")
    counted = node("torch.ops.aten.arange.default", "zeros", ("end", {"as_int": 1 << 60}))
    refused(write(path, with_nodes(records, counted)), "arange")
    hot = node("torch.ops.aten.one_hot.default", "hot", ("self", tensor("index")), ("num_classes", {"as_int": 1 << 50}))
    index = node("torch.ops.aten.argmax.default", "index", ("self", tensor("relu")), ("dim", {"as_int": 1}))
    refused(write(path, with_nodes(records, index, hot)))


def test_many_steps_of_time_are_refused(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "bad.pt2"
    long = node("torch.ops.aten.expand.default", "long", ("self", tensor("relu")), ("size", sizes(1 << 20, -1, 2)))
    apart = node(
        "torch.ops.aten.unbind.int",
        [{"as_tensors": [{"name": "part"}]}],
        ("self", tensor("long")),
        ("dim", {"as_int": 0}),
    )
    refused(write(path, with_nodes(records, long, apart)), "of more than 65536 steps")
    state = node("torch.ops.aten.zeros.default", "state", ("size", sizes(1, 32, 2)))
    weight = node("torch.ops.aten.zeros.default", "w", ("size", sizes(2, 2)))
    bias = node("torch.ops.aten.zeros.default", "b", ("size", sizes(2)))
    given = {
        "input": tensor("long"),
        "hx": tensor("state"),
        "params": {"as_tensors": [{"name": each} for each in ("w", "w", "b", "b")]},
        "has_biases": {"as_bool": True},
        "num_layers": {"as_int": 1},
        "dropout": {"as_float": 0.0},
        "train": {"as_bool": False},
        "bidirectional": {"as_bool": False},
        "batch_first": {"as_bool": False},
    }
    run = node("torch.ops.aten.rnn_tanh.input", [tensor("y"), tensor("h")], *given.items())
    refused(write(path, with_nodes(records, long, state, weight, bias, run)), "of more than 65536 steps")


def test_sizes_do_not_grow_without_bound(records: Records, tmp_path: Path) -> None:
    size = node(
        "torch.ops.aten.sym_size.int",
        [{"as_sym_int": {"as_name": "n0"}}],
        ("self", tensor("relu")),
        ("dim", {"as_int": 0}),
    )
    squares = [
        node(
            "_operator.mul",
            [{"as_sym_int": {"as_name": f"n{at + 1}"}}],
            *(("a", {"as_sym_int": {"as_name": f"n{at}"}}),) * 2,
        )
        for at in range(60)
    ]
    refused(write(tmp_path / "bad.pt2", with_nodes(records, size, *squares)), "a size of more than")


def test_arithmetic_is_of_numbers(records: Records, tmp_path: Path) -> None:
    many, text = ("b", {"as_int": 1 << 40}), ("a", {"as_string": "%1000000000000d"})
    for target, *inputs in (
        ("_operator.mul", ("a", sizes(1, 2, 3)), many),
        ("_operator.mul", text, many),
        ("_operator.mod", text, ("b", {"as_int": 1})),
        ("_operator.add", ("a", sizes(1, 2)), ("b", sizes(3))),
        ("torch.sym_max", ("a", text[1])),
    ):
        step = node(target, [{"as_sym_int": {"as_name": "n"}}], *inputs)
        refused(write(tmp_path / "bad.pt2", with_nodes(records, step)), "no number")
    zero = node("_operator.mod", [{"as_sym_int": {"as_name": "n"}}], ("a", {"as_int": 1}), ("b", {"as_int": 0}))
    refused(write(tmp_path / "bad.pt2", with_nodes(records, zero)), "modulo by zero")


def test_products_that_take_long_are_refused(records: Records, tmp_path: Path) -> None:
    square = node("torch.ops.aten.zeros.default", "square", ("size", sizes(30_000, 30_000)))
    product = node("torch.ops.aten.mm.default", "product", ("self", tensor("square")), ("mat2", tensor("square")))
    refused(write(tmp_path / "bad.pt2", with_nodes(records, square, product)), "more than is computed here")


def test_graphs_within_graphs_are_read_to_a_depth(records: Records, tmp_path: Path) -> None:
    graph: dict[str, Any] = {"inputs": [tensor("in")], "outputs": [tensor("in")], "nodes": []}
    for _ in range(40):
        step = node(
            "torch.ops.higher_order.wrap_with_set_grad_enabled",
            "out",
            ("", {"as_bool": False}),
            ("", {"as_graph": {"name": "g", "graph": graph}}),
            ("", tensor("in")),
        )
        graph = {"inputs": [tensor("in")], "outputs": [tensor("out")], "nodes": [step]}
    last = node(
        "torch.ops.higher_order.wrap_with_set_grad_enabled",
        "deep",
        ("", {"as_bool": False}),
        ("", {"as_graph": {"name": "g", "graph": graph}}),
        ("", tensor("relu")),
    )
    refused(write(tmp_path / "bad.pt2", with_nodes(records, last, returns="deep")), "graphs within graphs")


@pytest.mark.parametrize("through", ["p_0_weight", "view"])
def test_the_networks_own_tensors_are_not_written_to(through: str, records: Records, tmp_path: Path) -> None:
    view = node("torch.ops.aten.view.default", "view", ("self", tensor("p_0_weight")), ("size", sizes(-1)))
    fill = node("torch.ops.aten.zero_.default", "zero", ("self", tensor(through)))
    refused(write(tmp_path / "bad.pt2", with_nodes(records, view, fill)), "must stay as it is")


def test_kernels_that_trust_their_arguments_are_not_given_wrong_ones(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "bad.pt2"
    made = [
        node("torch.ops.aten.zeros.default", name, ("size", sizes(*shape)))
        for name, *shape in (
            ("image", 2, 1000, 4, 4),
            ("two", 2),
            ("query", 1, 1, 5, 4),
            ("short", 1, 1, 2, 4),
            ("input", 2, 3, 4),
            ("h", 1, 3, 6),
            ("wide", 24, 4),
            ("narrow", 24, 2),
            ("square", 24, 6),
            ("bias", 24),
        )
        if name != "input"
    ]
    numbers = [("momentum", {"as_float": 0.1}), ("eps", {"as_float": 1e-5})]
    norm = node(
        "torch.ops.aten._native_batch_norm_legit_no_training.default",
        [tensor("n0"), tensor("n1"), tensor("n2")],
        *zip(
            ("input", "weight", "bias", "running_mean", "running_var"),
            map(tensor, ("image", *("two",) * 4)),
            strict=True,
        ),
        *numbers,
    )
    refused(write(path, with_nodes(records, *made, norm)), "1000 channels with other numbers")
    attention = node(
        "torch.ops.aten.scaled_dot_product_attention.default",
        "attended",
        *zip(("query", "key", "value"), map(tensor, ("query", "query", "short")), strict=True),
    )
    refused(write(path, with_nodes(records, *made, attention)), "scaled_dot_product_attention of shapes")
    for magnitudes, dim in (("two", 0), ("narrow", 0), ("bias", 0), ("bias", 1), ("two", -1)):
        normed = node(
            "torch.ops.aten._weight_norm.default",
            "normed",
            *zip(("v", "g"), map(tensor, ("wide", magnitudes)), strict=True),
            ("dim", {"as_int": dim}),
        )
        refused(write(path, with_nodes(records, *made, normed)), "_weight_norm of \\[24, 4\\] with magnitudes of")
    sequence = node("torch.ops.aten.zeros.default", "sequence", ("size", sizes(2, 3, 4)))
    for weights in (
        ("narrow", "square", "bias", "bias"),
        ("wide", "square", "two", "two"),
        ("wide", "wide", "bias", "bias"),
    ):
        lstm = node(
            "torch.ops.aten.lstm.input",
            [tensor("l0"), tensor("l1"), tensor("l2")],
            ("input", tensor("sequence")),
            ("hx", {"as_tensors": [{"name": "h"}, {"name": "h"}]}),
            ("params", {"as_tensors": [{"name": each} for each in weights]}),
            ("has_biases", {"as_bool": True}),
            ("num_layers", {"as_int": 1}),
            ("dropout", {"as_float": 0.0}),
            ("train", {"as_bool": False}),
            ("bidirectional", {"as_bool": False}),
            ("batch_first", {"as_bool": False}),
        )
        refused(write(path, with_nodes(records, *made, sequence, lstm)), "lstm")


def test_batches_that_are_none_or_too_large_are_refused(records: Records, tmp_path: Path) -> None:
    for low, high in ((1 << 40, None), (5, 3), (3, 0), (-5, -1), (1 << 70, 1 << 71)):

        def limit(content: Any, low: int = low, high: int | None = high) -> None:
            for each in content["range_constraints"].values():
                each.update(min_val=low, max_val=high)

        refused(write(tmp_path / "bad.pt2", with_json(records, limit)))
