"""Models in a real browser: drop a checkpoint, look into it, prune it; the page fits and can be read by everybody."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import save_file
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks
from tests.browser.explore_page import ExplorePage
from tests.browser.test_explore_layout import DESKTOP, PHONE, TOO_WIDE, violations

Explore = Callable[..., ExplorePage]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).eval()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "my net.safetensors"
    save_file(network().state_dict(), path)
    return path


def models(explore: Explore, **options: object) -> ExplorePage:
    visit = explore("/models", stand=False, **options)
    expect(visit.page.get_by_role("heading", name="Loaded")).to_be_visible()
    return visit


def drop(visit: ExplorePage, *paths: Path) -> None:
    # By its name: on a busy machine the box for samples may stand before this one does
    box = visit.page.get_by_role("region", name="A checkpoint or an exported program")
    box.locator("input[type=file]").set_input_files(list(paths))


def test_a_checkpoint_is_dropped_looked_into_pruned_and_forgotten(explore: Explore, checkpoint: Path) -> None:
    visit = models(explore)
    page = visit.page
    drop(visit, checkpoint)
    expect(page.get_by_text("A checkpoint alone (.safetensors")).to_be_visible()
    expect(page.get_by_text("nothing can be run")).to_be_visible()
    page.get_by_role("button", name="Prune it on Explore").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(page.get_by_text("so it cannot be run").first).to_be_visible()
    masks = compute_masks(Subject.from_module(network()), Recipe(amount=0.5))
    left = sum(masks.kept(name) for name in masks) + 32 + 10  # biases stay
    expect(page.locator(".key-figures .figure", has_text="Parameters")).to_contain_text(f"{left:,}")
    assert "subject=my-net" in page.url
    page.get_by_role("link", name="Models").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("button", name="Forget it")).to_have_count(0)
    page.get_by_role("link", name="Explore").click()
    expect(page.locator(".amount-curve")).to_be_attached()
    assert "subject=my-net" not in page.url


def test_what_is_no_checkpoint_is_told_and_all_else_stays(explore: Explore, tmp_path: Path) -> None:
    whole = tmp_path / "whole.pt"
    torch.save(network(), whole)
    visit = models(explore)
    drop(visit, whole)
    expect(visit.page.locator("[data-testid=stAlert]")).to_contain_text("torch.nn.modules")
    expect(visit.page.locator(".stCode")).to_contain_text("model.state_dict()")
    expect(visit.page.get_by_role("heading", name="Loaded")).to_be_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_it_fits_and_passes_axe(explore: Explore, checkpoint: Path, viewport: dict[str, int], scheme: str) -> None:
    visit = models(explore, viewport=viewport, color_scheme=scheme)
    drop(visit, checkpoint)
    expect(visit.page.get_by_role("button", name="Forget it")).to_be_visible()
    found = violations(visit)
    for tab in ("By name", "Your code"):
        visit.page.get_by_role("tab", name=tab).click()
        expect(visit.page.get_by_role("tabpanel")).to_be_visible()
        found += violations(visit, "[data-testid=stTabs]")
        assert visit.page.evaluate(TOO_WIDE) == [], tab
    assert not found, "\n".join(found)
