"""What wraps a network is taken off; the names in it stay those of its state_dict."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, build_report, compute_masks, write_script
from pruning_explorer.errors import SubjectError

INPUTS = torch.randn(8, 12, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4)).eval()


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module, backend="eager")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("wrap", "inner"),
    [
        (nn.DataParallel, ["module"]),
        (compiled, ["_orig_mod"]),
        (lambda m: compiled(nn.DataParallel(m)), ["_orig_mod", "module"]),
    ],
)
def test_a_wrapped_network_is_the_one_inside(wrap: type[nn.Module], inner: list[str]) -> None:
    wrapped = wrap(network())
    plain, studied = Subject.from_module(network(), INPUTS), Subject.from_module(wrapped, INPUTS)
    recipe = Recipe(scope="global", amount=0.5)
    assert studied.id == plain.id
    assert [target.name for target in studied.targets] == ["1.weight", "1.bias", "3.weight", "3.bias"]
    of_both = [build_report(each, compute_masks(each, recipe)).to_dict() for each in (plain, studied)]
    assert of_both[0] == of_both[1]
    taken_out = [line.partition("  #")[0] for line in studied.loading.splitlines()[1:]]
    assert taken_out == [f"model = model.{name}" for name in inner]
    names = {"model": wrapped}
    exec(write_script(studied, recipe), names)
    assert prune.is_pruned(names["model"])
    assert isinstance(names["model"], nn.Sequential)


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head = compiled(network()), nn.DataParallel(nn.Linear(4, 3))

    def forward(self, x: Tensor) -> Tensor:
        assert self.body.get_submodule("1").out_features == 8  # as a compiled module hands on what is asked of it
        return self.head(self.body(x)) + self.head.module.bias


def test_wrapped_parts_keep_the_names_of_the_state_dict() -> None:
    model = Parts()
    studied = Subject.from_module(model, INPUTS)
    names = [target.name for target in studied.targets]
    assert names == list(model.state_dict())
    assert names[0] == "body._orig_mod.1.weight"
    recipe = Recipe(amount=0.5)
    masks = compute_masks(studied, recipe)
    assert build_report(studied, masks).totals["drift"]["kl_nats"] > 0
    exec(write_script(studied, recipe), {"model": model})
    assert torch.equal(model.get_submodule("head.module").weight_mask.bool(), masks["head.module.weight"])


def test_a_network_compiled_in_place_is_run_as_it_is() -> None:
    model = network()
    model.compile(backend="eager")
    studied = Subject.from_module(model, INPUTS)
    assert build_report(studied, compute_masks(studied, Recipe(amount=0.5))).drift is not None


@pytest.mark.parametrize("where", ["my-model", "1"])
@pytest.mark.parametrize("make", [torch.jit.script, lambda module: torch.jit.trace(module, INPUTS)])
def test_torchscript_is_refused_in_words(make: type[nn.Module], where: str) -> None:
    script = make(network())
    model = script if where == "my-model" else nn.Sequential(nn.Identity(), script)
    with pytest.raises(SubjectError, match=f"^{where}( in my-model)? is TorchScript .*; give the Python module"):
        Subject.from_module(model, INPUTS)
