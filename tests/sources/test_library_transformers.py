"""Networks of transformers: from folders, from the cache, and never from what a visitor must not read."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from huggingface_hub import constants
from tokenizers import Tokenizer, models, pre_tokenizers

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.cost import dense_cost
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.report import build_report
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.library import load_by_name
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples

Build = Callable[[], torch.nn.Module]
Save = Callable[[Build], Path]

ROOT = Path(__file__).parents[2]
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def bert() -> torch.nn.Module:
    config = transformers.BertConfig(**SMALL, vocab_size=100, id2label={0: "bad", 1: "good", 2: "meh"})
    return transformers.BertForSequenceClassification(config)


def gpt2() -> torch.nn.Module:
    size = {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 100, "bos_token_id": 0, "eos_token_id": 1}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**size))


def t5() -> torch.nn.Module:
    size = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "vocab_size": 100}
    return transformers.T5ForConditionalGeneration(transformers.T5Config(**size))


def vit() -> torch.nn.Module:
    return transformers.ViTForImageClassification(transformers.ViTConfig(**SMALL, image_size=32, patch_size=8))


def llama() -> torch.nn.Module:
    config = transformers.LlamaConfig(**SMALL, vocab_size=100)
    return transformers.LlamaForCausalLM(config).to(torch.bfloat16)


def whisper() -> torch.nn.Module:
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    tokens = {"vocab_size": 100, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    size = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    return transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**layers, **tokens, **size))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's cache and nobody's network decides what a test sees."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(build: Build) -> Path:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            build().save_pretrained(tmp_path / build.__name__)  # type: ignore[operator]
        return tmp_path / build.__name__

    return write


def explore(subject: Subject) -> None:
    """All that a page asks of a network."""
    assert dense_cost(subject).macs > 0
    for recipe in (Recipe(amount=0.5), Recipe(granularity="channel", amount=0.5), Recipe(scope="global", amount=0.5)):
        masks = compute_masks(subject, recipe)
        report = build_report(subject, masks)
        assert 0.4 < report.totals["sparsity"]["achieved"] < 0.6
        assert report.totals["drift"]["samples"] == subject.sample_count
        assert report.totals["drift"]["l2_normalised"] > 0
    assert len(layer_drift(subject, masks)) > 5


WHOLE = {
    "an encoder": (bert, [[8, 16], [8, 16]], [8, 3]),
    "a decoder": (gpt2, [[8, 16]], [8, 16, 100]),
    "an encoder and a decoder": (t5, [[8, 16], [8, 16], [8, 16]], [8, 16, 100]),
    "of images": (vit, [[8, 3, 32, 32]], [8, 2]),
    "in half precision": (llama, [[8, 16], [8, 16]], [8, 16, 100]),
}


@pytest.mark.parametrize(("build", "inputs", "outputs"), WHOLE.values(), ids=WHOLE.keys())
def test_a_folder_is_opened_and_explored(
    save: Save,
    build: Build,
    inputs: list[list[int]],
    outputs: list[int],
) -> None:
    folder = save(build)
    subject = load_by_name(f"hf:{folder}")
    assert [list(each.shape) for each in subject.samples] == inputs
    assert list(dense_outputs(subject).shape) == outputs
    assert (subject.name, subject.words) == (folder.name, f"hf:{folder}")
    assert str(folder) in subject.about
    assert "with its trained weights" in subject.about
    assert "show drift, and nothing of what it knows" in subject.description
    explore(subject)


def test_what_is_opened_is_what_was_saved(save: Save) -> None:
    folder = save(bert)
    subject = load_by_name(f"hf:{folder}")
    saved = transformers.BertForSequenceClassification.from_pretrained(folder)
    for name, parameter in saved.named_parameters():
        assert torch.equal(subject.model.get_parameter(name), parameter)
    with torch.inference_mode():
        assert torch.allclose(dense_outputs(subject), saved.eval()(*subject.samples).logits, atol=1e-6)
    assert subject.output_names == ("bad", "good", "meh")
    assert load_by_name(f"hf:{folder}").id == subject.id
    scope: dict[str, object] = {}
    exec(subject.loading, scope)
    assert isinstance(scope["model"], transformers.BertForSequenceClassification)


def test_layers_that_store_inputs_first_are_pruned_by_their_outputs(
    save: Save,
) -> None:
    """GPT-2's ``c_attn`` is ``[32, 96]``: 32 inputs, 96 outputs."""
    subject = load_by_name(f"hf:{save(gpt2)}")
    target = subject.target("transformer.h.0.attn.c_attn.weight")
    assert (target.shape, target.out_dim, target.layer_type) == ((32, 96), 1, "Conv1D")
    masks = compute_masks(subject, Recipe(granularity="n_m", targets=(target.name,), amount=0.5))
    # Two of every four along the inputs, as the products of a Linear run
    assert set(masks[target.name].reshape(8, 4, 96).sum(dim=1).flatten().tolist()) == {2}


def test_random_weights_are_the_same_each_time(tmp_path: Path) -> None:
    """The shapes of the published BERT, from its configuration alone."""
    transformers.BertConfig(architectures=["BertForMaskedLM"]).save_pretrained(tmp_path)
    state = torch.random.get_rng_state()
    subject = load_by_name(f"hf:{tmp_path},pretrained=false")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert sum(parameter.numel() for parameter in subject.model.parameters()) == 109_514_298
    assert "random weights: it was never trained" in subject.about
    assert dense_outputs(subject).shape == (8, 16, 30522)
    scope: dict[str, object] = {}
    exec(subject.loading, scope)
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert torch.equal(scope["model"].get_parameter(name), subject.weight(name))  # type: ignore[attr-defined]
    with pytest.raises(SubjectError, match=r"no file named model.safetensors.*write hf:.*,pretrained=false"):
        load_by_name(f"hf:{tmp_path}")


def test_what_noise_cannot_be_made_for_has_no_samples(save: Save) -> None:
    subject = load_by_name(f"hf:{save(whisper)}")
    assert subject.samples is None
    assert "noise cannot be made for what its forward takes" in subject.description
    assert compute_masks(subject, Recipe(amount=0.5))


def test_what_fails_on_noise_has_no_samples(tmp_path: Path) -> None:
    size = {"n_embd": 32, "n_layer": 1, "n_head": 2, "vocab_size": 100, "bos_token_id": 0, "eos_token_id": 1}
    transformers.GPT2ForSequenceClassification(transformers.GPT2Config(**size)).save_pretrained(tmp_path)
    subject = load_by_name(f"hf:{tmp_path}")
    assert subject.samples is None
    assert "Cannot handle batch sizes > 1 if no padding token is defined" in subject.description


def test_what_is_missing_in_the_file_is_said(save: Save) -> None:
    folder = save(bert)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForMaskedLM"]}))
    subject = load_by_name(f"hf:{folder}")
    assert "of its tensors are not among them and are random" in subject.about
    assert load_by_name(f"hf:{folder}").id == subject.id


def test_lines_of_words_are_read_by_its_tokenizer(save: Save, tmp_path: Path) -> None:
    folder = save(bert)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "good": 2, "film": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    ).save_pretrained(folder)
    (tmp_path / "s.txt").write_text("good film\tgood\ngood good bad\tbad\n")
    subject = fit_samples(load_by_name(f"hf:{folder}"), read_samples(tmp_path / "s.txt"))
    assert subject.samples[0].tolist() == [[2, 3, 1], [2, 2, 0]]
    assert subject.samples[1].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert subject.labels.tolist() == [1, 0]
    assert subject.view.values == ("good film", "good good bad")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(SubjectError, match=r"the tokenizer of hf:.* cannot be had .*; give token ids"):
        fit_samples(load_by_name(f"hf:{folder}"), read_samples(tmp_path / "s.txt"))


def test_code_beside_the_weights_is_never_run(save: Save, tmp_path: Path) -> None:
    folder, sung = save(bert), tmp_path / "sung"
    code = f"from pathlib import Path\nPath({str(sung)!r}).touch()\nfrom transformers import BertConfig as Mine\n"
    (folder / "evil.py").write_text(code)
    config = json.loads((folder / "config.json").read_text())
    own = {"auto_map": {"AutoConfig": "evil.Mine", "AutoModel": "evil.Mine"}}
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    assert load_by_name(f"hf:{folder}").targets
    (folder / "config.json").write_text(json.dumps({**config, **own, "model_type": "evil"}))
    with pytest.raises(SubjectError, match=r"the config\.json of hf:.* cannot be read"):
        load_by_name(f"hf:{folder}")
    assert not sung.exists()


def test_a_pickle_is_never_read(save: Save, tmp_path: Path) -> None:
    class Canary:
        def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
            return Path.touch, (tmp_path / "sung",)

    folder = save(bert)
    (folder / "model.safetensors").unlink()
    torch.save({"bert": Canary()}, folder / "pytorch_model.bin")
    with pytest.raises(SubjectError, match=r"the weights in .* cannot be read"):
        load_by_name(f"hf:{folder}")
    assert not (tmp_path / "sung").exists()


def test_a_visitor_cannot_have_the_disk_read(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save(bert)
    monkeypatch.chdir(folder.parent)
    for name in (
        str(folder),
        "./bert",
        "bert",
        "../bert",
        "~/bert",
        "a/../../bert",
        "a/b/c",
        "file:///bert",
        "a b",
        "@x",
    ):
        with pytest.raises(SubjectError, match="is no plain name on the Hugging Face hub, and folders"):
            load_by_name(f"hf:{name}", browser=True)
    for name in ("./bert", "bert"):
        assert load_by_name(f"hf:{name}").targets


def test_what_is_no_folder_and_no_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match=r"there is no config\.json in .*; give a folder that save_pretrained wrote"):
        load_by_name(f"hf:{tmp_path}")
    with pytest.raises(SubjectError, match="is neither a folder nor a name on the hub"):
        load_by_name("hf:a b")
    with pytest.raises(SubjectError, match="is not in the cache, and the Hugging Face hub cannot be reached"):
        load_by_name("hf:nobody/has-this-one")


def test_a_name_is_loaded_from_the_cache_and_a_visitor_cannot_fill_the_memory(save: Save, tmp_path: Path) -> None:
    """In a process of its own: where the cache is, the hub's client reads once."""
    folders = {}
    for name in ("bert", "large"):
        repository = tmp_path / "hub" / f"models--somebody--{name}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        (repository / "snapshots").mkdir()
        folders[name] = repository / "snapshots" / ("0" * 40)
    save(bert).rename(folders["bert"])
    transformers.LlamaConfig(architectures=["LlamaForCausalLM"]).save_pretrained(folders["large"])
    code = (
        "from pruning_explorer.sources.by_name.library import load_by_name;"
        "subject = load_by_name('hf:somebody/bert', browser=True); print(subject.name, subject.about);"
        "load_by_name('hf:somebody/large', browser=True)"
    )
    variables = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "hub")}
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert seen.stdout.startswith("hf:somebody/bert BertForSequenceClassification of transformers"), seen.stderr
    assert "hf:somebody/large has 6,738,415,616 parameters, and 1,000,000,000 is the most" in seen.stderr
