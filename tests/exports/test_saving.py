"""What is saved is what the page showed, to the bit, and plain torch loads it."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Masks, Recipe, Subject, compute_masks, export, load_subject
from pruning_explorer.errors import ExportError
from pruning_explorer.exports.contents import WHATS, What, contents_of
from pruning_explorer.exports.pruned_models import masked_model, permanent_model
from pruning_explorer.exports.safetensors_format import SafetensorsFile
from pruning_explorer.exports.saving import AlreadyThereError, Export
from pruning_explorer.exports.tensor_values import PIECE
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.measure.report import report_of
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.own_scores import add
from pruning_explorer.sources import networks
from pruning_explorer.sources.words import open_file
from tests.sources.exported_files import tiny_program
from tests.sources.files_of_torch import Language, same_tensors

ENDINGS = (".safetensors", ".pt")
NETWORKS: dict[str, type[nn.Module]] = {
    "digits-cnn": networks.DigitsCNN,
    "digits-vit": networks.DigitsViT,
    "digits-gru": networks.DigitsGRU,
    "adder-transformer": networks.AdderTransformer,
}
RECIPES = {
    "digits-cnn": Recipe(amount=0.85, scope="global", recalibrate=True),
    "digits-vit": Recipe(amount=0.5, biases=True),
    "digits-gru": Recipe(amount=0.5, granularity="n_m:n=2,m=4"),
    "adder-transformer": Recipe(criterion="wanda", scope="row", schedule="cubic:steps=2", amount=0.4),
}


def read(path: Path) -> dict[str, Tensor]:
    """By the library alone."""
    loaded: dict[str, Tensor] = load_file(path) if path.suffix == ".safetensors" else torch.load(path)
    return loaded


def same_bits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    def bits(tensor: Tensor) -> Tensor:
        return tensor.detach().contiguous().reshape(-1).view(torch.uint8)

    return found.keys() == expected.keys() and all(
        found[name].dtype == each.dtype
        and found[name].shape == each.shape
        and torch.equal(bits(found[name]), bits(each))
        for name, each in expected.items()
    )


def unsigned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With one kind of zero only."""
    return {name: each + 0 if each.is_floating_point() else each for name, each in tensors.items()}


def loaded(model: nn.Module, lines: str) -> nn.Module:
    """Run the lines that a person is told to run, where nothing of ours is imported."""
    exec(compile(lines, "loading", "exec"), {"model": model, "__name__": "__main__"})
    return model


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("name", NETWORKS)
def test_plain_torch_loads_it_and_finds_what_the_page_says(
    name: str, what: What, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = report_of(load_subject(name), replace(RECIPES[name], recalibrate=name == "digits-cnn" and what != "masks"))
    subject, masks = shown.subject, shown.masks
    saved = Export(subject, masks, what, ending).save(tmp_path / f"saved{ending}")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)  # a fresh network knows nothing
    model = NETWORKS[name]().eval()
    if what == "masks":
        model.load_state_dict(subject.model.state_dict())
    model = loaded(model, saved.loading)
    assert subject.samples is not None
    with torch.no_grad():
        outputs = model(*subject.samples)
    assert torch.allclose(outputs, masked_outputs(subject, masks), atol=1e-5, rtol=1e-4)
    assert shown.quality is not None
    assert quality_of(subject, outputs) == shown.quality["pruned"].iloc[0]
    if what == "prune":
        for _ in range(2):
            model(*subject.samples).square().mean().backward()
            for parameter in model.parameters():
                parameter.data -= 0.01 * parameter.grad


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_bit_is_that_of_torchs_own_state_dict(name: str, ending: str, tmp_path: Path) -> None:
    subject = load_subject(name)
    masks = compute_masks(subject, RECIPES[name])
    expected: dict[What, Mapping[str, Tensor]] = {
        "weights": permanent_model(subject, masks).state_dict(),
        "prune": masked_model(subject, masks).state_dict(),
        "masks": dict(masks),
    }
    for what, tensors in expected.items():
        path = tmp_path / f"{what}{ending}"
        saved = export(subject, masks, path, what)
        found = read(path)
        if what == "weights":  # prune.remove multiplies, so that its zeros may have a sign
            found, tensors = unsigned(found), unsigned(tensors)
        assert same_bits(found, tensors)
        assert (saved.path, saved.nbytes, saved.tensors) == (path, path.stat().st_size, len(tensors))
        size = Export(subject, masks, what, ending).nbytes
        assert size == saved.nbytes if ending == ".safetensors" else abs(size - saved.nbytes) < 0.05 * saved.nbytes


def test_own_scores_go_out_like_all_others(tmp_path: Path) -> None:
    subject = load_subject("tutorial-mlp")
    scores = {"fc1.weight": torch.arange(20.0).reshape(4, 5), "fc2.weight": torch.arange(12.0).reshape(3, 4)}
    recipe = Recipe(criterion=f"scores:file={add(scores)}", amount=0.5)
    export(subject, recipe, tmp_path / "m.safetensors", "masks")
    upper = {name: each >= each.numel() / 2 for name, each in scores.items()}
    assert same_bits(read(tmp_path / "m.safetensors"), upper)


class Odd(nn.Module):
    """Tensors of every kind, among them what a product with 0 would spoil."""

    def __init__(self, *, later: bool) -> None:
        super().__init__()
        for name in ("float64", "float32", "float16", "bfloat16"):
            values = torch.tensor([[-1.0, 2.0, -0.0], [torch.inf, -torch.inf, torch.nan]], dtype=getattr(torch, name))
            layer = nn.Linear(3, 2, bias=False)
            layer.weight = nn.Parameter(values)
            self.add_module(f"of_{name}", layer)
        self.turned = nn.Linear(3, 3, bias=False)
        self.turned.weight = nn.Parameter(torch.arange(9.0).reshape(3, 3).t())
        for name in ("int64", "int32", "int16", "int8", "uint8", "bool", "float8_e5m2", "complex64"):
            self.register_buffer(f"a_{name}", torch.tensor([0, 1, 1]).to(getattr(torch, name)))
        self.register_buffer("number", torch.tensor(3.0))
        self.register_buffer("nothing", torch.zeros(0, 4))
        self.register_buffer("not_saved", torch.ones(2), persistent=False)
        if later:
            self.register_buffer("a_uint16", torch.tensor([65535], dtype=torch.uint16))
            self.register_buffer("a_complex128", torch.tensor([1j], dtype=torch.complex128))


@pytest.mark.parametrize("ending", ENDINGS)
def test_dtypes_and_odd_numbers_stay(ending: str, tmp_path: Path) -> None:
    subject = Subject.from_module(Odd(later=ending == ".pt"), runnable=False)
    removing = {t.name: torch.tensor([[0, 1, 1], [0, 1, 1]]) for t in subject.targets if t.module != "turned"}
    masks = Masks.from_dict(subject, {**removing, "turned.weight": torch.eye(3)})
    export(subject, masks, tmp_path / f"x{ending}")
    expected = dict(subject.model.state_dict())
    for name, mask in masks.items():
        expected[name] = expected[name].clone()
        expected[name][~mask] = 0
    assert same_bits(read(tmp_path / f"x{ending}"), expected)
    with pytest.raises(ExportError, match="infinite or NaN weights that its mask removes"):
        export(subject, masks, tmp_path / f"pairs{ending}", "prune")
    assert not (tmp_path / f"pairs{ending}").exists()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("what", WHATS)
def test_tied_weights_stay_tied(what: What, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = Language()
    subject = Subject.from_module(dense, name="language")
    masks = compute_masks(subject, Recipe(amount=0.5, embeddings=True))
    saved = export(subject, masks, tmp_path / f"x{ending}", what)
    monkeypatch.chdir(tmp_path)
    model = Language()
    if what == "masks":
        model.load_state_dict(dense.state_dict())
    loaded(model, saved.loading)
    wanted = permanent_model(subject, masks)
    for name in ("token_embedding", "lm_head"):
        if what != "weights":
            prune.remove(model.get_submodule(name), "weight")  # as its hook makes it
        assert torch.equal(model.get_submodule(name).weight, wanted.get_submodule(name).weight)
    if what == "weights":
        assert model.lm_head.weight is model.token_embedding.weight
    if what == "weights" and ending == ".pt":
        tensors = read(saved.path)
        assert tensors["lm_head.weight"].data_ptr() == tensors["token_embedding.weight"].data_ptr()
    if what != "masks":
        again = open_file(saved.path)
        assert same_tensors(again.model.state_dict(), wanted.state_dict())
    if what == "weights":
        assert again.target("lm_head.weight").aliases == ("lm_head.weight",)


def test_the_recipe_and_where_it_comes_from_stand_in_the_file(tmp_path: Path) -> None:
    subject = replace(load_subject("digits-mlp"), name='<b>"a" \udcff\n', origin="héros")
    recipe = Recipe(amount=0.3, scope="global")
    export(subject, recipe, tmp_path / "x.safetensors")
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        said = file.metadata()
    assert Recipe.from_json(said["pruning_explorer.recipe"]) == recipe
    assert said["pruning_explorer.network"] == '<b>"a" ?\n'
    assert said["pruning_explorer.network_origin"] == "héros"
    assert (said["format"], said["pruning_explorer.saved"]) == ("pt", "weights")
    assert "pruning_explorer.batchnorm_recalibrated" not in said
    masks = compute_masks(load_subject("digits-cnn"), Recipe(recalibrate=True))
    export(load_subject("digits-cnn"), masks, tmp_path / "y.safetensors")
    with safe_open(tmp_path / "y.safetensors", "pt") as file:
        assert file.metadata()["pruning_explorer.recipe"] == Recipe(recalibrate=True).to_json()
        assert file.metadata()["pruning_explorer.batchnorm_recalibrated"] == "true"


def test_the_same_result_is_the_same_file(tmp_path: Path) -> None:
    save_file({"a.weight": torch.ones(2, 2)}, tmp_path / "in.safetensors", {f"key {n}": "" for n in range(50)})
    files = []
    for place in range(3):
        subject = open_file(tmp_path / "in.safetensors", name="in")
        files.append(export(subject, Recipe(amount=0.5), tmp_path / f"{place}.safetensors").path.read_bytes())
    assert len(set(files)) == 1


def test_an_exported_program_goes_out_by_the_names_of_its_state_dict(tmp_path: Path) -> None:
    tiny_program(tmp_path / "tiny.pt2")
    program = torch.export.load(tmp_path / "tiny.pt2")
    saved = export(open_file(tmp_path / "tiny.pt2"), Recipe(amount=0.5), tmp_path / "x.pt")
    found = read(saved.path)
    assert found.keys() == program.state_dict.keys()
    model = torch.export.unflatten(program)
    model.load_state_dict(found)
    assert int(torch.count_nonzero(model.get_parameter("0.weight"))) == 3


class Quantised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 1)
        self.fc = nn.Linear(2, 2)


class Extra(nn.Linear):
    def get_extra_state(self) -> Any:
        return {"seen": 3}


def test_what_cannot_be_saved_says_why(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="quantization"):
        quantised = torch.ao.quantization.quantize_dynamic(Quantised(), {nn.Linear})
    cases: dict[str, tuple[nn.Module, str]] = {
        "no tensor but dict": (nn.Sequential(Extra(2, 2)), "0._extra_state of my-model is no tensor but dict"),
        "packed": (quantised, r"fc\.\S+ of my-model is "),
        "lazy": (nn.Sequential(nn.Linear(2, 2), nn.LazyLinear(2)), "1.weight of my-model is not initialised yet"),
        "meta": (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta")), "1.weight .* is on the meta device"),
        "a pair already": (Paired(2, 2), "has a tensor weight_mask already"),
    }
    for name, (module, reason) in cases.items():
        subject = Subject.from_module(module, identity=b"")
        masks = compute_masks(subject, Recipe(amount=0.5, targets=(subject.targets[0].name,)))
        with pytest.raises(ExportError, match=reason):
            export(subject, masks, tmp_path / "x.pt", "prune")
        export(subject, masks, tmp_path / f"{name}.safetensors", "masks")
    subject = Subject.from_module(Odd(later=True), runnable=False)
    with pytest.raises(ExportError, match=r"a_uint16 is torch.uint16, which .safetensors cannot hold; save it as .pt"):
        export(subject, Recipe(targets=("turned.weight",)), tmp_path / "x.safetensors")
    square, wide = (Subject.from_module(nn.Linear(2, size)) for size in (2, 3))
    with pytest.raises(ExportError, match="another network"):
        export(wide, compute_masks(square, Recipe()), tmp_path / "x.pt")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.safetensors" for name in cases)


class Paired(nn.Linear):
    """Has a buffer by the very name that a pair would have."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.register_buffer("weight_mask", torch.ones(2))


# ---- the file itself ----


def test_nothing_is_written_over_unless_told_to(tmp_path: Path) -> None:
    subject, recipe = load_subject("tutorial-mlp"), Recipe()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    link, dangling = tmp_path / "link.pt", tmp_path / "dangling.pt"
    link.symlink_to(elsewhere)
    dangling.symlink_to(tmp_path / "nowhere")
    for path in (link, dangling):
        with pytest.raises(AlreadyThereError, match="is there already; name another file, or give overwrite=True"):
            export(subject, recipe, path)
    export(subject, recipe, link, overwrite=True)
    assert elsewhere.read_text() == "mine"
    assert not link.is_symlink()
    assert not (tmp_path / "nowhere").exists()
    assert sorted(read(link)) == sorted(subject.model.state_dict())


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("", "it is a folder; name a file in it"),
        ("none/x.pt", "there is no folder"),
        ("x.bin", "no ending that says what to write; end it in .safetensors or .pt"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_said(place: str, reason: str, tmp_path: Path) -> None:
    wanted = Export(load_subject("tutorial-mlp"), Recipe(), ending=".pt")
    with pytest.raises(ExportError, match=reason):
        wanted.save(tmp_path / place)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_what_was_there(ending: str, tmp_path: Path) -> None:
    """A limit on files' sizes stops the same call in the same place as a full disk does."""
    resource = pytest.importorskip("resource")
    path = tmp_path / f"x{ending}"
    path.write_text("before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    wanted = Export(load_subject("digits-mlp"), Recipe(), ending=ending)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        with pytest.raises(ExportError, match=r"the disk is full, and the file needs 0\.2 MiB"):
            wanted.save(path, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == [path.name]
    wanted.save(path, overwrite=True)
    assert len(read(path)) == 6


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("at", [0.1, 0.8])
def test_whoever_stops_it_leaves_nothing(at: float, ending: str, tmp_path: Path) -> None:
    heard: list[float] = []

    def tell(share: float) -> None:
        heard.append(share)
        if share > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Export(load_subject("digits-mlp"), Recipe(), ending=ending).save(tmp_path / f"x{ending}", tell=tell)
    assert heard == sorted(heard)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_one_bit_that_is_wrong_is_found(what: What, ending: str, tmp_path: Path) -> None:
    """In the file's every part: no checksum is asked, the tensors are compared."""
    wanted = Export(load_subject("tutorial-mlp"), Recipe(amount=0.5), what, ending)
    path = wanted.save(tmp_path / f"x{ending}").path
    content = path.read_bytes()
    own = [name for name in read(path) if name.endswith(("weight", "weight_orig", "weight_mask"))]
    for name in own:
        needle = read(path)[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        at = content.index(needle) + len(needle) // 2
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(ExportError, match="in the file is not what was computed"):
            wanted.check(path)
    path.write_bytes(content)
    wanted.check(path)


def test_a_file_with_other_tensors_is_found(tmp_path: Path) -> None:
    subject = load_subject("tutorial-mlp")
    one = Recipe(targets=("fc1.weight",))
    for ending in ENDINGS:
        path = export(subject, one, tmp_path / f"x{ending}", "masks").path
        with pytest.raises(ExportError, match=r"has not the tensors that it should have \('fc2.weight'\)"):
            Export(subject, Recipe(), "masks", ending).check(path)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(ExportError, match="cannot open what was written"):
            Export(subject, one, "masks", ending).check(path)


# ---- layer by layer ----


@pytest.mark.parametrize("scope", ["layer", "row"])
@pytest.mark.parametrize("criterion", [name for name, each in CRITERIA.items() if each.needs == "weights"])
def test_masks_made_in_turn_are_those_made_at_once(criterion: str, scope: str, tmp_path: Path) -> None:
    subject = load_subject("digits-vit")
    amounts = {"head.weight": 0.9}
    frozen = ("patches.weight",)
    if "file" in {setting.name for setting in CRITERIA[criterion].settings}:
        criterion += f":file={add({target.name: subject.weight(target.name) != 0 for target in subject.targets})}"
    recipe = Recipe(criterion=criterion, scope=scope, amount=0.6, amounts=amounts, frozen=frozen, seed=5)  # type: ignore[arg-type]
    export(subject, recipe, tmp_path / "x.safetensors", "masks")
    assert same_bits(read(tmp_path / "x.safetensors"), dict(compute_masks(subject, recipe)))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(amount=0.6, biases=True),
        Recipe(amount=0.7, scope="global", amounts={"head.weight": 0.2}),
        Recipe(amount=0.5, allocation="erk", scope="row"),
        Recipe(criterion="lamp", scope="global", amount=0.8, cap=0.85),
        Recipe(criterion="random", scope="global", seed=3),
        Recipe(granularity="channel:dim=1", scope="global", amount=0.3),
        Recipe(granularity="n_m:n=2,m=4"),
    ],
)
def test_a_file_of_a_recipe_is_that_of_its_masks(recipe: Recipe, what: What, ending: str, tmp_path: Path) -> None:
    subject = load_subject("digits-vit")
    made = Export(subject, recipe, what, ending).save(tmp_path / f"made{ending}")
    shown = Export(subject, compute_masks(subject, recipe), what, ending)
    assert made.path.read_bytes() == shown.save(tmp_path / f"shown{ending}").path.read_bytes()


def test_no_more_than_a_piece_is_made_at_once() -> None:
    layer = nn.Linear(3 * PIECE // 1024, 1024, bias=False)
    subject = Subject.from_module(layer, identity=b"large")
    masks = Masks.from_dict(subject, {"weight": torch.ones(1024, 3 * PIECE // 1024)})
    file = SafetensorsFile(contents_of(subject, masks.targets, masks, "weights"))
    assert [len(each) for each in file.pieces()][1:] == [4 * PIECE] * 3
