"""What the page shows can be saved from it, with what it says of the file."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import torch
from safetensors.torch import load_file
from starlette.applications import Starlette
from starlette.datastructures import Headers

from pruning_explorer import Recipe, load_subject
from pruning_explorer.exports.saving import Export
from pruning_explorer.measure.report import report_of
from pruning_explorer.ui.file_names import file_name
from pruning_explorer.ui.own_models import OwnModels
from pruning_explorer.ui.saved_files import MOST, ROUTE, SavedFile, SavedFiles
from pruning_explorer.ui.upload_folders import FOLDERS
from tests.ui.page import Page

APP = Starlette(routes=[ROUTE])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    content: bytes


def fetch(address: str, **headers: str) -> Answer:
    """What the app's route answers to a browser."""
    asked = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    path = {"path": f"/{unquote(address)}", "raw_path": f"/{address}".encode(), "query_string": b""}
    scope = {
        "type": "http",
        "method": "GET",
        "headers": asked,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        **path,
    }
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing is sent to it")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(APP(scope, receive, send))
    return Answer(
        sent[0]["status"], Headers(raw=sent[0]["headers"]), b"".join(each.get("body", b"") for each in sent[1:])
    )


def link(page: Page) -> tuple[str, str]:
    """Label and address of what can be fetched."""
    (button,) = page.app.get("link_button")
    return button.proto.label.replace("\\", ""), button.proto.url


def make(page: Page, key: str = "save") -> None:
    page.app.button(key=f"{key}_make").click().run()
    page._look()


@pytest.mark.parametrize("what", ["weights", "masks", "prune"])
@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_a_file_is_made_when_asked_and_is_what_the_page_shows(
    what: str, ending: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(subject="digits-mlp", amount="0.9")
    page.open("Save")
    page.pick("save_what", what)
    page.pick("save_ending", ending)
    assert not page.app.get("link_button")
    make(page)
    label, address = link(page)
    shown = report_of(load_subject("digits-mlp"), page.recipe)
    name = f"digits-mlp-{page.recipe.id}-{what}{ending}"
    assert label.startswith(f"Download {name} (")
    answer = fetch(address)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    (tmp_path / name).write_bytes(answer.content)
    Export(shown.subject, shown.masks, what, ending).check(tmp_path / name)  # type: ignore[arg-type]
    assert f"{len(answer.content):,} bytes" in page.every_text()
    codes = [each.value for each in page.app.code]
    assert any(repr(name) in code for code in codes)
    told = f"export digits-mlp --recipe digits-mlp-{page.recipe.id}.json --as {what} --out {name}"
    assert any(told in code for code in codes)


def test_another_amount_is_another_file_and_the_first_is_still_there(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.5")
    page.open("Save")
    make(page)
    first = link(page)
    page.set_amount(20.0)
    assert not page.app.get("link_button")
    page.set_amount(50.0)
    assert link(page) == first


def test_recalibrated_statistics_are_said_and_saved(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page(subject="digits-cnn", amount="0.9", recalibrate="true")
    page.open("Save")
    assert "BatchNorm’s statistics are the recalibrated ones, as the page shows them." in page.every_text()
    make(page)
    (tmp_path / "x.safetensors").write_bytes(fetch(link(page)[1]).content)
    found = load_file(tmp_path / "x.safetensors")
    assert not torch.equal(found["bn1.running_mean"], load_subject("digits-cnn").model.get_buffer("bn1.running_mean"))
    page.pick("save_what", "masks")
    assert "BatchNorm’s recalibrated statistics are not in it" in page.every_text()


def test_a_full_disk_is_said_and_the_next_time_it_works(open_page: Callable[..., Page]) -> None:
    """A limit on files' sizes stops the same call in the same place as a full disk does."""
    resource = pytest.importorskip("resource")
    page = open_page(subject="digits-mlp")
    page.open("Save")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        make(page)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    name = f"digits-mlp-{page.recipe.id}-weights.safetensors"
    (said,) = page.errors
    assert said.startswith(f"Not saved, and nothing has changed: {name} cannot be written: the disk is full, and the")
    make(page)
    assert page.errors == []
    assert len(page.app.get("link_button")) == 1


# ---- the files of a session ----


def kept(files: SavedFiles, key: str, nbytes: int | None = None) -> SavedFile:
    folder = FOLDERS.new()
    saved = Export(load_subject("tutorial-mlp"), Recipe()).save(Path(folder.name) / f"{key}.safetensors")
    if nbytes is not None:
        object.__setattr__(saved, "nbytes", nbytes)  # so large a file would only fill the disk
    return files.keep((key,), saved, folder)


def test_a_session_keeps_so_much_and_the_last_one_always() -> None:
    files = SavedFiles()
    first, second = kept(files, "a", MOST // 2), kept(files, "b", MOST // 2)
    assert first.saved.path.exists()
    third = kept(files, "c", MOST // 2)
    assert not first.saved.path.exists()
    assert fetch(first.address).status == 404
    assert fetch(second.address).content == second.saved.path.read_bytes()
    large = kept(files, "d", 5 * MOST)
    assert [each.saved.path.exists() for each in (second, third, large)] == [False, False, True]
    models = OwnModels(saved=files)
    models.forget_all()
    assert not large.saved.path.exists()
    assert (
        fetch(large.address).content.decode() == "This file is no longer here. Go back to the page and make it again."
    )


def test_the_address_tells_nothing_but_the_file() -> None:
    files = SavedFiles()
    file = kept(files, "a")
    token = file.token
    assert len(token) >= 32
    assert fetch(f"below/a/path/{file.address}").status == 200
    for address in (f"saved/{token}x/a.safetensors", f"saved/{token[:-1]}/a", f"saved/{quote('../..', safe='')}/a"):
        assert fetch(address).status == 404
    # Whatever name is asked for, it is that file
    assert fetch(f"saved/{token}/..%2F..%2Fetc%2Fhostname").status == 404
    assert fetch(f"saved/{token}/another-name").content == file.saved.path.read_bytes()
    part = fetch(file.address, range="bytes=8-11", accept_encoding="gzip")
    assert (part.status, part.content) == (206, file.saved.path.read_bytes()[8:12])


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("digits-cnn", "digits-cnn-id-weights.pt"),
        ("hf:./folder/of mine", "of-mine-id-weights.pt"),
        ("..", "network-id-weights.pt"),
        ('a/../../b"<c>|?*\n', "b-c-id-weights.pt"),
        ("größe", "größe-id-weights.pt"),
        ("x" * 300, f"{'x' * 80}-id-weights.pt"),
        ("C:\\models\\net", "net-id-weights.pt"),
    ],
)
def test_file_names_hold_nothing_that_a_path_is_made_of(network: str, name: str) -> None:
    assert file_name(network, "id", "weights", ending=".pt") == name
    assert re.fullmatch(r"[^/\\:]+", name)
