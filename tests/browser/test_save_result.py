"""What one saves in a browser, plain torch loads, and it is as good as the page says."""

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Download, expect
from safetensors.torch import load_model

from pruning_explorer import load_subject
from pruning_explorer.sources.networks import DigitsCNN
from tests.browser.explore_page import ExplorePage


def test_the_file_that_is_fetched_is_the_network_on_the_page(
    explore: Callable[..., ExplorePage], tmp_path: Path
) -> None:
    visit = explore("/?subject=digits-cnn&scope=global&amount=0.8&recalibrate=true")
    shown = visit.figures()["Accuracy"][0]
    visit.open_tab("Save")
    visit.panel.get_by_role("button", name="Make the file (135.6 KiB)").click()
    link = visit.panel.get_by_role("link", name="Download digits-cnn-")
    expect(visit.panel).to_contain_text("opened it again: 34 tensors, every bit as shown here.")
    address = f"{visit.base_url}/{link.get_attribute('href')}"
    # The link opens a page that closes as soon as the browser sees that it is a file
    fetched: list[Download] = []
    visit.page.context.on("page", lambda page: page.on("download", lambda each: fetched.append(each)))
    visit.page.on("download", lambda each: fetched.append(each))
    link.click()
    for _ in range(300):
        visit.page.wait_for_timeout(100)
        if fetched:
            break
    (file,) = fetched
    path = tmp_path / file.suggested_filename
    file.save_as(path)
    model = DigitsCNN().eval()
    load_model(model, path)
    subject = load_subject("digits-cnn")
    assert subject.samples is not None
    assert subject.labels is not None
    with torch.no_grad():
        right = (model(*subject.samples).argmax(dim=1) == subject.labels).float().mean()
    assert f"{right:.1%}".replace("%", " %") == shown
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["content-disposition"] == f'attachment; filename="{path.name}"'
        assert int(answer.headers["content-length"]) == path.stat().st_size
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address.replace("/saved/", "/saved/x"))
