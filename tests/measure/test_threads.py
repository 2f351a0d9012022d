"""Any number of threads may measure the same subject at once."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.measure.cost import _COSTS, dense_cost
from pruning_explorer.measure.forward import DENSE_OUTPUTS, masked_outputs
from pruning_explorer.measure.layer_drift import DENSE_LAYERS
from pruning_explorer.measure.report import build_report
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache

RECIPES = [
    Recipe(amount=0.1),
    Recipe(amount=0.9),
    Recipe(amount=0.5, scope="global"),
    Recipe(amount=0.5, criterion="random", seed=3),
    Recipe(amount=0.3, granularity="channel"),
    Recipe(amount=0.7, biases=True, norms=True),
    Recipe(amount=0.6, targets=("attention.in_proj_weight", "gru.weight_hh_l0")),
    Recipe(amount=0.0),
]
ROUNDS = 25


@pytest.fixture(autouse=True)
def hurried() -> Iterator[None]:
    """Let threads take turns so often that a race shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def at_once(jobs: list[Callable[[], None]]) -> None:
    """Run every job in a thread of its own, all from the same moment, and raise what any of them raises."""
    ready = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        ready.wait()
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(run, job) for job in jobs]:
            future.result()


def tensors_of(subject: Subject) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}


def test_eight_threads_get_what_each_gets_alone(everything: Subject) -> None:
    before = tensors_of(everything)
    masks = [compute_masks(everything, recipe) for recipe in RECIPES]
    alone = [masked_outputs(everything, each) for each in masks]
    assert all(not torch.equal(alone[-1], other) for other in alone[:-1])

    def measure(each: Masks, expected: Tensor) -> None:
        for _ in range(ROUNDS):
            assert torch.equal(masked_outputs(everything, each), expected)

    at_once([lambda e=each, a=expected: measure(e, a) for each, expected in zip(masks, alone, strict=True)])
    after = tensors_of(everything)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(masked_outputs(everything, masks[-1]), alone[-1])


def test_eight_threads_report_what_each_reports_alone(everything: Subject) -> None:
    masks = [compute_masks(everything, recipe) for recipe in RECIPES]
    alone = [build_report(everything, each) for each in masks]
    cost = dense_cost(everything)

    def measure(index: int) -> None:
        for _ in range(3):
            # Forgotten again and again, so that counting, hooks and dense runs meet the others' masked runs
            for cache in (DENSE_OUTPUTS, DENSE_LAYERS, _COSTS):
                cache.clear()
            report, expected = build_report(everything, masks[index]), alone[index]
            assert report.to_dict() == expected.to_dict()
            assert dense_cost(everything) == cost
            pd.testing.assert_frame_equal(report.layers, expected.layers, check_exact=True)
            assert report.layer_drift is not None
            assert expected.layer_drift is not None
            pd.testing.assert_frame_equal(report.layer_drift, expected.layer_drift, check_exact=True)

    at_once([lambda i=index: measure(i) for index in range(len(RECIPES))])


def test_a_cache_forgets_dead_subjects_and_the_least_recently_used(make: Callable[..., Subject]) -> None:
    cache: SubjectCache[int] = SubjectCache(10, lambda size: size)
    first, second, third = (make(lambda: nn.Linear(2, 2)) for _ in range(3))
    cache.get(first, lambda: 4)
    cache.get(second, lambda: 5)
    assert cache.get(first, lambda: 0) == 4
    cache.get(third, lambda: 3)  # 12 in all: the second is the least recently used
    assert cache.get(second, lambda: 11) == 11  # made anew, too large to keep
    assert len(cache) == 2
    del first
    gc.collect()
    assert len(cache) == 1
    assert cache.get(third, lambda: 0) == 3
