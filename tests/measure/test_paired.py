import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure import paired
from pruning_explorer.measure.paired import bootstrap_interval, mcnemar


def answers(only_first: int, only_second: int, both: int = 3, neither: int = 2) -> tuple[np.ndarray, np.ndarray]:
    first = [True] * only_first + [False] * only_second + [True] * both + [False] * neither
    second = [False] * only_first + [True] * only_second + [True] * both + [False] * neither
    return np.array(first), np.array(second)


def exactly(only_first: int, only_second: int) -> Fraction:
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(Fraction(1), Fraction(2 * tail, 2**n))


def test_mcnemar_by_hand() -> None:
    # 1 against 5: 2 (C(6, 0) + C(6, 1)) / 64
    assert mcnemar(*answers(1, 5)) == pytest.approx(14 / 64)
    assert mcnemar(*answers(0, 6)) == pytest.approx(2 / 64)
    assert mcnemar(*answers(2, 2)) == 1
    assert mcnemar(*answers(0, 0)) == 1


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_exact(only_first: int, only_second: int) -> None:
    p = mcnemar(*answers(only_first, only_second))
    assert p == pytest.approx(float(exactly(only_first, only_second)), rel=1e-9)
    assert p == mcnemar(*reversed(answers(only_first, only_second)))


def test_mcnemar_of_many() -> None:
    # 50,000 differing samples: 2.5 sigma of a fair coin are 279.5 of them, p = 0.0124 by the normal curve
    assert mcnemar(*answers(25_280, 24_720)) == pytest.approx(0.0124, abs=0.0002)
    assert mcnemar(*answers(40_000, 10_000)) == 0


def test_mcnemar_needs_the_same_samples() -> None:
    with pytest.raises(SubjectError, match="3 and 2 samples cannot be paired"):
        mcnemar(np.ones(3, dtype=bool), np.ones(2, dtype=bool))


@pytest.mark.parametrize("chunk", [paired.CHUNK_ELEMENTS, 7_000])
def test_interval_of_a_mean_is_that_of_theory(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(paired, "CHUNK_ELEMENTS", chunk)
    values = np.random.default_rng(0).exponential(size=1_000)
    low, high = bootstrap_interval(lambda mean: mean, values)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)


@pytest.mark.parametrize("chunk", [paired.CHUNK_ELEMENTS, 7_000])
def test_there_are_2000_resamples_whatever_fits_at_once(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(paired, "CHUNK_ELEMENTS", chunk)
    means: list[np.ndarray] = []
    bootstrap_interval(lambda mean: means.append(mean) or mean, np.arange(10.0))
    assert means[0].shape == (2_000,)
    # A mean of ten draws of 0 ... 9: of mean 4.5, and of variance 8.25 / 10
    assert means[0].mean() == pytest.approx(4.5, abs=0.08)
    assert means[0].var() == pytest.approx(0.825, abs=0.08)


def test_pairing_takes_out_what_is_hard_for_both() -> None:
    generator = np.random.default_rng(1)
    hardness = generator.exponential(10, size=500)
    first, second = hardness + generator.normal(0, 0.1, 500), hardness + generator.normal(0.05, 0.1, 500)
    low, high = bootstrap_interval(lambda a, b: a - b, first, second)
    assert low < -0.05 < high < 0
    unpaired = bootstrap_interval(lambda a, b: a - b, first, np.roll(second, 1))
    assert unpaired[0] < 0 < unpaired[1]


def test_a_constant_has_no_width_and_the_same_seed_the_same_interval() -> None:
    assert bootstrap_interval(lambda mean: mean, np.full(9, 0.25)) == (0.25, 0.25)
    values = np.arange(50)
    assert bootstrap_interval(lambda mean: mean, values) == bootstrap_interval(lambda mean: mean, values)
    narrow = bootstrap_interval(lambda mean: mean, values, confidence=0.5)
    wide = bootstrap_interval(lambda mean: mean, values)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_infinite_statistics_and_no_numbers() -> None:
    # Some resamples have no noise at all: their ratio is infinite
    signal, noise = np.ones(3), np.array([0.0, 0.0, 1.0])
    low, high = bootstrap_interval(lambda s, n: s / n, signal, noise)
    assert (low, high) == (1, math.inf)
    assert all(map(math.isnan, bootstrap_interval(lambda mean: mean, np.array([1.0, math.inf]))))
    assert all(map(math.isnan, bootstrap_interval(lambda mean: mean, np.array([1.0, math.nan]))))


def test_columns_must_go_together() -> None:
    with pytest.raises(SubjectError, match="columns of one length"):
        bootstrap_interval(lambda a, b: a - b, np.ones(2), np.ones(3))
    with pytest.raises(SubjectError, match="at least one sample"):
        bootstrap_interval(lambda mean: mean, np.ones(0))
