"""Lines that load a checkpoint: by transformers where a config.json says which network, and by nothing else of it."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pruning_explorer import Recipe, load_subject, write_script

PLAIN = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
OTHERS = {
    "no network of a library": {"hidden_size": 4},
    "code of its own": {**PLAIN, "auto_map": {"AutoModel": "modeling.Own"}},
    "quantised": {**PLAIN, "quantization_config": {"quant_method": "gptq"}},
    "a list": [PLAIN],
    "words for a class": {**PLAIN, "architectures": ["os; import shutil #"]},
    "a keyword": {**PLAIN, "architectures": ["import"]},
    "letters of another script": {**PLAIN, "architectures": ["Ｇpt2"]},
    "numbers": {**PLAIN, "architectures": [7]},
    "no family": {**PLAIN, "model_type": None},
}


def script_of(folder: Path, config: bytes, file: str = "model.safetensors") -> str:
    folder.mkdir()
    save_file({"h.0.fc.weight": torch.rand(4, 4)}, folder / file)
    (folder / "config.json").write_bytes(config)
    return write_script(load_subject(str(folder)), Recipe(amount=0.5))


def test_a_folder_of_transformers_is_loaded_by_it(tmp_path: Path) -> None:
    known = script_of(tmp_path / "known", json.dumps(PLAIN).encode())
    assert "GPT2LMHeadModel.from_pretrained(None" in known
    assert "carried" not in known
    other = script_of(tmp_path / "other", json.dumps({**PLAIN, "model_type": "new"}).encode())
    assert "carried = GPT2LMHeadModel.from_pretrained(None" in other


@pytest.mark.parametrize("config", OTHERS.values(), ids=OTHERS.keys())
def test_a_config_that_names_no_class_of_transformers_says_nothing(config: object, tmp_path: Path) -> None:
    script = script_of(tmp_path / "net", json.dumps(config).encode())
    assert "transformers" not in script.replace("# `model`", "")
    assert "import shutil" not in script
    assert "model.load_state_dict(weights)" in script


@pytest.mark.parametrize("config", [b"", b"\xff\xfe{", b"[" * 100_000, b" " * (2 << 20) + json.dumps(PLAIN).encode()])
def test_a_config_that_is_none_is_passed_by(config: bytes, tmp_path: Path) -> None:
    assert "from_pretrained" not in script_of(tmp_path / "net", config)


def test_a_config_that_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    save_file({"h.0.fc.weight": torch.rand(4, 4)}, tmp_path / "model.safetensors")
    assert "from_pretrained" not in write_script(load_subject(str(tmp_path)), Recipe(amount=0.5))


def test_a_file_of_another_kind_beside_a_config_is_no_network_of_it(tmp_path: Path) -> None:
    """An adapter, or the state of an optimiser: the library would leave out what it does not know."""
    assert "from_pretrained" not in script_of(tmp_path / "net", json.dumps(PLAIN).encode(), "adapter_model.safetensors")
