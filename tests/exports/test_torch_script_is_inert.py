"""Names in a stranger's file are words in a script, never code: its syntax tree is that of plain names."""

import ast
import itertools
import json
import tempfile
import tokenize
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, load_subject, write_script
from pruning_explorer.errors import SubjectError
from pruning_explorer.prune import own_scores
from tests.exports.test_torch_script import RECIPES

MARKER = 'a"); print("marker"); ("'
HOSTILE = (
    MARKER,
    "a'); print('marker'); ('",
    'a"""\nprint("marker")\n"""',
    "a\nprint('marker')\n#",
    "a\rprint('marker')",
    "a\x0cprint('marker')",
    "a\u2028print('marker')",
    "a\\",
    "{print('marker')}",
    "%s load_subject( = **.copy_model()",
    "coding: utf-7 +ACI-",
    "\N{RIGHT-TO-LEFT OVERRIDE}a",
    "\ud800",
    "\N{MATHEMATICAL BOLD SMALL A}",
    "class",
    "0",
)
NAMES = st.one_of(st.text(min_size=1), st.sampled_from(HOSTILE), st.text(st.sampled_from("'\"\\\n#()=a"), min_size=1))


class _Plain(ast.NodeTransformer):
    """The same tree with each constant as its type alone."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(type(node.value).__name__)


def tree(script: str) -> str:
    encoding, _ = tokenize.detect_encoding(BytesIO(script.encode()).readline)
    assert encoding == "utf-8"
    return ast.dump(_Plain().visit(ast.parse(script)))


class Named(nn.Module):
    """Layers under given names: one of each kind that a script writes in another way."""

    def __init__(self, name: str) -> None:
        super().__init__()
        attention = nn.MultiheadAttention(4, 2)
        tied = nn.Module()
        tied.register_parameter(f"{name}weight", attention.out_proj.weight)
        for number, module in enumerate((attention, tied, nn.Conv1d(4, 4, 2), nn.Linear(4, 4))):
            self.add_module(f"{name}{number}", module)


def named(name: str) -> Subject:
    torch.manual_seed(0)
    return Subject.from_module(Named(name), name=name)


ALL = {
    **RECIPES,
    "recalibrated": Recipe(amount=0.5, recalibrate=True),
    "several": Recipe("random", allocation="erk", amount=0.5),
    "N:M in rows": Recipe(granularity="n_m", scope="row", amount=0.5),
}
FORMS = {key: each for key, each in ALL.items() if not (each.targets or each.amounts or each.frozen)}


@cache
def plain_tree(form: str) -> str:
    return tree(write_script(named("a"), FORMS[form]))


def modules(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Such as can be a module's: without a dot, and not the name of what every module has."""
    return names.map(lambda name: name.replace(".", "-")).filter(lambda name: not hasattr(nn.Module(), f"{name}weight"))


@settings(max_examples=150, deadline=None)
@given(modules(NAMES), st.sampled_from([*FORMS]))
@example(MARKER, "l1")
def test_whatever_the_modules_are_called(name: str, form: str) -> None:
    assert tree(write_script(named(name), FORMS[form])) == plain_tree(form)


SCOPES = ("layer", "row", "global")


def about_targets(name: str, scope: str) -> list[str]:
    """Targets, frozen ones and amounts of single ones, in torch's words and in our own."""
    subject, target, other = named(name), f"{name}3.weight", f"{name}2.weight"
    criterion = "fpgm" if scope == "row" else "magnitude"
    chosen = Recipe(criterion, scope=scope, targets=(target, other), amounts={other: 0.3})  # type: ignore[arg-type]
    own = Recipe(granularity="n_m", amounts={target: 0.3}, frozen=(other,))
    return [tree(write_script(subject, each)) for each in (chosen, own)]


@settings(max_examples=60, deadline=None)
@given(modules(NAMES), st.sampled_from(SCOPES))
@example(MARKER, "row")
def test_whatever_a_recipe_names(name: str, scope: str) -> None:
    assert about_targets(name, scope) == about_targets("a", scope)


# Most names of any characters are refused before they go anywhere
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(NAMES, NAMES)
@example(MARKER, MARKER)
@example("a", "x = y")
def test_whatever_a_checkpoint_holds(name: str, file: str) -> None:
    """The name of a tensor, and of its file; in one file, in several, and with masks of an earlier pruning."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            plain, strange = (_checkpoints(Path(folder), *each) for each in (("a", "file"), (name, file)))
        except (SubjectError, ValueError, OSError, SafetensorError):
            assume(False)
        for one, other in zip(plain, strange, strict=True):
            assert tree(write_script(one, Recipe())) == tree(write_script(other, Recipe()))


_NUMBERS = itertools.count()


def _checkpoints(folder: Path, name: str, stem: str) -> list[Subject]:
    at = folder / str(next(_NUMBERS))
    at.mkdir()
    weight, saved = torch.arange(24.0).view(4, 3, 2), BytesIO()
    tensors: dict[str, Tensor] = {f"{name}.weight": weight, f"{name}.bias": torch.ones(4)}
    torch.save({"model": tensors}, saved)
    files = {
        f"{stem}.safetensors": save(tensors),
        f"{stem}-pruned.safetensors": save({f"{name}.weight_orig": weight, f"{name}.weight_mask": weight > 3}),
        f"{stem}.pt": saved.getvalue(),
    }
    parts = {f"{stem}-{number}.safetensors": key for number, key in enumerate(tensors)}
    index = json.dumps({"weight_map": {key: part for part, key in parts.items()}}).encode()
    for file, content in {**files, "model.safetensors.index.json": index}.items():
        (at / file).write_bytes(content)
    for part, key in parts.items():
        (at / part).write_bytes(save({key: tensors[key]}))
    return [load_subject(str(at / file)) for file in (*files, "model.safetensors.index.json")]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_script_with_such_a_name_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    subject = named(name.replace(".", "-"))
    for key, recipe in FORMS.items():
        model = subject.copy_model()
        exec(compile(write_script(subject, replace(recipe, recalibrate=False)), "script", "exec"), {"model": model})
        assert sum(map(prune.is_pruned, model.children())) == len(list(model.children())), key
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("file", HOSTILE)
def test_whatever_a_link_says_that_the_scores_are(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id in an address names scores that are loaded here; whatever it is, it stays a word."""
    subject, scripts = named("a"), []
    scores = {target.name: torch.ones(target.shape) for target in subject.targets if target.role == "weight"}
    for each in ("a", file.replace(",", "").strip() or "b"):
        monkeypatch.setitem(own_scores._HELD, each, MappingProxyType(scores))
        scripts.append(tree(write_script(subject, Recipe(f"scores:file={each}", amount=0.5))))
    assert scripts[0] == scripts[1]


def test_what_makes_the_whole_subject_is_taken_from_its_loading() -> None:
    sample = replace(load_subject("digits-cnn"), name=MARKER)
    script = write_script(sample, Recipe(granularity="n_m", recalibrate=True))
    assert "subject = load_subject('digits-cnn')\n" in script
    assert "calibration = load_subject('digits-cnn').calibration\n" in script
    ast.parse(script)
