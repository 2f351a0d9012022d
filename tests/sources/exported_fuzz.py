"""Open thousands of broken exported programs under a limit of memory; run as a program of its own.

``python -m tests.sources.exported_fuzz HOW MANY [SEED]`` prints how many were opened and how many refused.
"""

import json
import random
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.sources.exported import open_exported
from tests.sources.exported_files import CONSTANTS, MODEL, ROOT, WEIGHTS, Records, tiny_program, write

MEMORY = 1 << 30
"""Address space beyond what the imports take."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 33, 2**31, 2**40, 2**63 - 1, 2**63, -(2**63), 10**30, 0.5, -1e300, 1e309),
    *("", "input", "p_0_weight", "relu", "..", "\x00", "\ud800", "Infinity", "x" * 5000, "torch.ops.aten.relu.default"),
    *([], {}, [[]], [1, 2], {"as_int": 5}, {"as_tensor": {"name": "relu"}}, {"as_ints": [2**40, 3]}, {"as_none": True}),
)
TARGETS = (
    "view",
    "reshape",
    "cat",
    "zeros",
    "expand",
    "mm",
    "conv2d",
    "unbind",
    "softmax",
    "embedding",
    "_weight_norm",
    "fft_rfft",
    "empty",
    "where",
    "add_",
)


def changed_json(content: Any, dice: random.Random) -> Any:
    """JSON with one to three of its places changed."""
    for _ in range(dice.randint(1, 3)):
        places: list[tuple[Any, Any]] = []
        collect(content, places)
        if not places:
            break
        holder, key = dice.choice(places)
        what = dice.random()
        if what < 0.2:
            del holder[key]
        elif what < 0.35:
            other, place = dice.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
        elif what < 0.45 and isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(holder[key])))
        elif what < 0.55 and isinstance(holder[key], str):
            holder[key] = f"torch.ops.aten.{dice.choice(TARGETS)}.default"
        else:
            holder[key] = json.loads(json.dumps(dice.choice(VALUES)))
    return content


def collect(content: Any, places: list[tuple[Any, Any]]) -> None:
    for key in list(content) if isinstance(content, dict) else range(len(content)):
        places.append((content, key))
        if isinstance(content[key], dict | list):
            collect(content[key], places)


def changed_bytes(content: bytes, dice: random.Random) -> bytes:
    """Bytes of which some are changed, put in, or left out."""
    found = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(found) + 1)
        what = dice.randrange(4)
        if what == 0:
            found[at : at + 1] = dice.randbytes(1)
        elif what == 1:
            found[at : at + 4] = dice.choice((b"\xff" * 4, b"\0" * 4, b"PK\1\2", b"PK\3\4", b"\0\0\0\x80"))
        elif what == 2:
            del found[at : at + dice.randint(1, 40)]
        else:
            found[at:at] = found[: dice.randint(1, 40)]
    return bytes(found)


def mutant(path: Path, records: Records, whole: bytes, dice: random.Random) -> Path:
    kind = dice.random()
    if kind < 0.3:
        path.write_bytes(changed_bytes(whole, dice))
        return path
    changed = dict(records)
    if kind < 0.4:
        name = dice.choice(sorted(changed))
        changed[name] = changed_bytes(changed[name], dice)
    else:
        name = dice.choice((MODEL, MODEL, MODEL, WEIGHTS, CONSTANTS))
        changed[name] = json.dumps(changed_json(json.loads(changed[name]), dice)).encode()
    return write(path, changed)


def bare(content: Any) -> Any:
    """The graph without what is not read, so that changes fall on what is."""
    for step in content["graph_module"]["graph"]["nodes"]:
        step["metadata"] = {"nn_module_stack": step["metadata"]["nn_module_stack"]}
    return content


def fuzz(times: int, first: int | None) -> dict[str, int]:
    counts = {"opened": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{ROOT}.pt2"
        records = tiny_program(path)
        records[MODEL] = json.dumps(bare(json.loads(records[MODEL]))).encode()
        whole = write(path, records).read_bytes()
        dense_outputs(open_exported(path))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))

        @settings(
            max_examples=times,
            deadline=None,
            database=None,
            derandomize=first is None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.integers(0, 2**64 - 1))
        def one(number: int) -> None:
            try:
                dense_outputs(open_exported(mutant(path, records, whole, random.Random(number))))
            except SubjectError:
                counts["refused"] += 1
            else:
                counts["opened"] += 1

        (one if first is None else seed(first)(one))()
    return counts


if __name__ == "__main__":
    print(json.dumps(fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)))
