"""What a session brings is its own, and goes with it."""

import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.engine import RANKINGS
from pruning_explorer.ui.own_models import MOST, OwnModels, SessionModels, Shared, unused_name
from pruning_explorer.ui.upload_folders import FOLDERS


def subject(name: str) -> Subject:
    torch.manual_seed(0)
    return Subject.from_module(nn.Linear(3, 2), name=name)


def test_forgetting_a_network_deletes_its_files() -> None:
    models = OwnModels()
    folder = FOLDERS.new()
    place = Path(folder.name)
    assert place.stat().st_mode & 0o777 == 0o700
    (place / "model.pt").write_bytes(b"weights")
    models.keep(subject("mine"), folder)
    models.forget("mine")
    assert not place.exists()
    assert models.subjects == {}
    models.forget("mine")  # what is gone already does no harm


def test_forgetting_a_network_drops_what_was_computed_of_it() -> None:
    models, mine, other = OwnModels(), subject("mine"), subject("other")
    for each in (mine, other):
        models.keep(each)
        compute_masks(each, Recipe(amount=0.5))
    models.forget("mine")
    assert {key[0] for key in RANKINGS._entries} & {mine.id, other.id} == {other.id}


def test_a_session_has_room_for_so_many_networks_and_for_another_of_the_same_name() -> None:
    models = OwnModels()
    for number in range(MOST):
        models.keep(subject(f"net {number}"))
    with pytest.raises(SubjectError, match="forget one first"):
        models.keep(subject("one more"))
    again = subject("net 3")
    models.keep(again)
    assert models.subjects["net 3"] is again


def test_sessions_do_not_see_each_others() -> None:
    lodging = SessionModels()
    lodging.take_in("a").keep(subject("mine"))
    assert lodging.of("b") is None
    assert list(lodging.take_in("b").subjects) == []


def test_a_session_that_comes_back_in_time_finds_what_it_brought() -> None:
    lodging = SessionModels(grace=0.2)
    lodging.take_in("a").keep(subject("mine"))
    lodging.leave("a")
    lodging.arrive("a")
    time.sleep(0.4)
    held = lodging.of("a")
    assert held is not None
    assert list(held.subjects) == ["mine"]


def test_what_a_session_brought_is_deleted_once_it_has_been_gone_for_a_while() -> None:
    lodging = SessionModels(grace=0.05)
    models = lodging.take_in("a")
    folder = FOLDERS.new()
    models.keep(subject("mine"), folder)
    lodging.leave("a")
    assert Path(folder.name).exists()
    end = time.monotonic() + 5
    while Path(folder.name).exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(folder.name).exists()
    assert lodging.of("a") is None


def test_what_everybody_names_alike_is_loaded_once_while_somebody_holds_it() -> None:
    shared, loaded = Shared(), []

    def load(words: str) -> Subject:
        loaded.append(words)
        return subject(words)

    first = shared.get("timm:x", load)
    assert shared.get("timm:x", load) is first
    assert loaded == ["timm:x"]
    del first
    shared.get("timm:x", load)
    assert loaded == ["timm:x", "timm:x"]


def test_a_network_that_is_being_loaded_keeps_nobody_waiting_but_who_asks_for_it() -> None:
    shared, loaded = Shared(), []
    begun, may_end = threading.Event(), threading.Event()

    def slowly(words: str) -> Subject:
        loaded.append(words)
        begun.set()
        assert may_end.wait(30)
        return subject(words)

    found: list[Subject] = []
    waiting = [threading.Thread(target=lambda: found.append(shared.get("timm:slow", slowly))) for _ in range(2)]
    for thread in waiting:
        thread.start()
    assert begun.wait(30)
    models = OwnModels()
    # In this thread, which would wait for ever if it waited for the other network
    models.keep(shared.get("timm:quick", subject))
    models.keep(subject("mine"))
    models.keep(subject("mine"))  # in the place of the first, of which it is asked whether others hold it
    models.forget("timm:quick")
    may_end.set()
    for thread in waiting:
        thread.join(30)
    assert loaded == ["timm:slow"]
    assert found[0] is found[1]


def test_a_network_that_cannot_be_loaded_is_tried_again() -> None:
    shared = Shared()

    def fail(words: str) -> Subject:
        raise SubjectError(f"{words} cannot be had")

    with pytest.raises(SubjectError):
        shared.get("timm:x", fail)
    assert shared.get("timm:x", subject).name == "timm:x"


def test_a_name_that_is_taken_is_numbered() -> None:
    assert unused_name("net", {}) == "net"
    assert unused_name("net", {"net": 1, "net (2)": 1}) == "net (3)"
