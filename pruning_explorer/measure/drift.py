"""Drift: how far pruned outputs are from dense ones on the same inputs. It needs no labels.

A sample has *no answer* where softmax over its logits is undefined: a NaN, a +inf, or nothing but -inf. It agrees with
nothing, its top-1 is -1, and its figures are NaN; so is every mean that it is part of.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError

FloatArray = NDArray[np.float64]
AnyArray = NDArray[Any]

CHUNK_ELEMENTS = 1 << 22
"""Logits are converted to float64 in pieces of about so many."""


@dataclass(frozen=True, eq=False)
class Drift:
    """Drift of N samples, as arrays ``[N]``; the formulas are those of :func:`sample_drift`.

    Attributes:
        agrees: whether dense and pruned have the same top-1, at every position.
        dense_top1, pruned_top1: int64 ``[N, T]`` (T = 1 for logits ``[N, C]``); -1 where there is no answer.
        dense_energy, noise_energy: ||d||^2 and ||d - p||^2.
        sequence: whether the logits were ``[N, T, C]``.
        single: whether there is one output only, so that softmax says nothing.
    """

    kl_nats: FloatArray
    agrees: NDArray[np.bool_]
    cosine: FloatArray
    dense_energy: FloatArray
    noise_energy: FloatArray
    dense_top1: NDArray[np.int64]
    pruned_top1: NDArray[np.int64]
    dense_probability: FloatArray
    pruned_probability: FloatArray
    sequence: bool
    single: bool

    def frame(self) -> pd.DataFrame:
        """One row per sample; the columns of :func:`sample_drift`."""
        return pd.DataFrame(
            {
                "sample": np.arange(len(self.agrees)),
                "kl_nats": self.kl_nats,
                "agrees": self.agrees,
                "cosine": self.cosine,
                "l2_normalised": _normalised_l2(self.noise_energy, self.dense_energy),
                "sqnr_db": _sqnr(self.noise_energy, self.dense_energy),
                "dense_top1": self._column(self.dense_top1),
                "pruned_top1": self._column(self.pruned_top1),
                "dense_probability": self.dense_probability,
                "pruned_probability": self.pruned_probability,
            }
        )

    def totals(self) -> dict[str, float | int]:
        """The figures of :func:`drift_totals`."""
        noise, dense = self.noise_energy.sum(keepdims=True), self.dense_energy.sum(keepdims=True)
        samples = len(self.agrees)
        agreeing = int(np.count_nonzero(self.agrees))
        return {
            "kl_nats": float(self.kl_nats.mean()),
            "agreement": math.nan if self.single else agreeing / samples,
            "cosine": float(self.cosine.mean()),
            "l2_normalised": float(_normalised_l2(noise, dense)[0]),
            "sqnr_db": float(_sqnr(noise, dense)[0]),
            "flipped": math.nan if self.single else samples - agreeing,
            "unanswered": int(np.count_nonzero((self.pruned_top1 < 0).any(axis=1))),
            "samples": samples,
        }

    def _column(self, top1: NDArray[np.int64]) -> "NDArray[np.int64] | pd.Series[Any]":
        return pd.Series(list(map(tuple, top1.tolist())), dtype=object) if self.sequence else top1[:, 0]


def sample_drift(dense: Tensor, pruned: Tensor) -> pd.DataFrame:
    """Drift of each sample from dense outputs d to pruned outputs p; softmax is over the last dim.

    Columns:
        - ``sample``: its index.
        - ``kl_nats``: KL(dense || pruned) = sum of P_d (ln P_d - ln P_p), the mean over positions; from 0, lower is
          nearer, inf where the pruned network rules out what the dense one allows (Kullback and Leibler 1951).
          NaN for a single output.
        - ``agrees``: same top-1, at all positions. False where one side has no answer.
        - ``cosine``: d.p / (||d|| ||p||) over all of a sample's logits; in [-1, 1], 1 is the same direction. NaN where
          one is all zeros.
        - ``l2_normalised``: ||p - d|| / ||d||; from 0, lower is nearer.
        - ``sqnr_db``: 10 log10(||d||^2 / ||d - p||^2); higher is nearer, inf where both are identical.
        - ``dense_top1``, ``pruned_top1``: index of the largest logit; a tuple of them, one per position, for
          ``[N, T, C]``; -1 where there is no answer.
        - ``dense_probability``, ``pruned_probability``: of each one's own top-1; for ``[N, T, C]`` the product over
          positions.

    Args:
        dense, pruned: logits ``[N, C]`` or ``[N, T, C]``, of one shape.

    Raises:
        SubjectError: they are empty, or of different shapes.
    """
    return measure_drift(dense, pruned).frame()


def drift_totals(dense: Tensor, pruned: Tensor) -> dict[str, float | int]:
    """Drift over all samples: means of ``kl_nats`` and ``cosine``; ``agreement``, the fraction of samples that agree.

    ``l2_normalised`` and ``sqnr_db`` take all logits as one vector. ``flipped`` counts samples that do not agree,
    ``unanswered`` those of them where the pruned network has no answer. NaN where one sample's figure is NaN; agreement
    and flips are NaN for a single output, whose top-1 is always itself.

    Raises:
        SubjectError: as :func:`sample_drift`.
    """
    return measure_drift(dense, pruned).totals()


def measure_drift(dense: Tensor, pruned: Tensor) -> Drift:
    """All of drift at once: :func:`sample_drift` is its ``frame()``, :func:`drift_totals` its ``totals()``.

    Raises:
        SubjectError: as :func:`sample_drift`.
    """
    return DriftFrom(dense).measure(pruned)


class DriftFrom:
    """Drift of many pruned outputs from the same dense ones: what hangs on the dense ones alone is computed once.

    Outputs too many for one piece are computed anew each time, so that they do not stay in memory in float64.
    """

    def __init__(self, dense: Tensor) -> None:
        """Take logits ``[N, C]`` or ``[N, T, C]``.

        Raises:
            SubjectError: they are empty, or of another shape.
        """
        if dense.dim() not in (2, 3) or dense.numel() == 0:
            raise SubjectError(f"outputs of {list(dense.shape)} have no drift; give logits [N, C] or [N, T, C], N > 0")
        self._dense = dense
        self._rows = max(1, CHUNK_ELEMENTS // dense[0].numel())
        self._whole = _dense_side(_by_position(dense)) if self._rows >= len(dense) else None

    def measure(self, pruned: Tensor) -> Drift:
        """Drift to logits of the same shape.

        Raises:
            SubjectError: they are of another shape.
        """
        return self.measure_all([pruned])[0]

    def measure_all(self, pruned: Sequence[Tensor]) -> list[Drift]:
        """Drift to each of several logits: many small ones together, in a fraction of the time of one after the other.

        Raises:
            SubjectError: some are of another shape.
        """
        for each in pruned:
            if each.shape != self._dense.shape:
                raise SubjectError(
                    f"dense outputs are {list(self._dense.shape)}, pruned ones {list(each.shape)}; "
                    "take both from the same samples"
                )
        after = [_by_position(each) for each in pruned]
        if self._whole is None:
            return [self._drift(self._in_pieces(each), 0) for each in after]
        together = max(1, CHUNK_ELEMENTS // self._dense.numel())
        drifts = []
        for start in range(0, len(after), together):
            some = after[start : start + together]
            columns = [column.cpu().numpy() for column in _measure(self._whole, torch.stack(some))]
            drifts += [self._drift(columns, i) for i in range(len(some))]
        return drifts

    def _in_pieces(self, pruned: Tensor) -> list[AnyArray]:
        before = torch.split(_by_position(self._dense), self._rows)
        pieces = [
            _measure(_dense_side(d), p.unsqueeze(0))
            for d, p in zip(before, torch.split(pruned, self._rows), strict=True)
        ]
        return [np.concatenate([each.cpu().numpy() for each in column], axis=1) for column in zip(*pieces, strict=True)]

    def _drift(self, columns: Sequence[AnyArray], index: int) -> Drift:
        kl, agrees, cosine, energy, noise, top_dense, top_pruned, likely_dense, likely_pruned = columns
        return Drift(
            kl_nats=kl[index],
            agrees=agrees[index],
            cosine=cosine[index],
            dense_energy=energy[0],
            noise_energy=noise[index],
            dense_top1=top_dense[0],
            pruned_top1=top_pruned[index],
            dense_probability=likely_dense[0],
            pruned_probability=likely_pruned[index],
            sequence=self._dense.dim() == 3,
            single=self._dense.shape[-1] == 1,
        )


def top1(logits: Tensor) -> Tensor:
    """Index of the largest logit, int64 of shape ``logits.shape[:-1]``; -1 where there is no answer."""
    return _top1(logits, torch.log_softmax(logits, dim=-1))


def vector_drift(
    dense_energy: float, pruned_energy: float, product: float, noise_energy: float
) -> tuple[float, float, float]:
    """Cosine, normalised L2 and SQNR in dB of two vectors, from ||d||^2, ||p||^2, d.p and ||d - p||^2."""
    noise, dense = np.array([noise_energy]), np.array([dense_energy])
    with np.errstate(all="ignore"):
        cosine = np.clip(np.float64(product) / np.sqrt(np.float64(dense_energy) * pruned_energy), -1, 1)
    return float(cosine), float(_normalised_l2(noise, dense)[0]), float(_sqnr(noise, dense)[0])


def _by_position(logits: Tensor) -> Tensor:
    return logits if logits.dim() == 3 else logits.unsqueeze(1)


def _top1(logits: Tensor, log_probabilities: Tensor) -> Tensor:
    return torch.where(log_probabilities.isnan().any(dim=-1), -1, logits.argmax(dim=-1))


class _DenseSide(NamedTuple):
    """The part of drift that depends on the dense logits ``[N, T, C]`` alone, in float64.

    The last three fields are those of :class:`Drift`.
    """

    logits: Tensor
    log_probabilities: Tensor
    mass: Tensor
    energy: Tensor
    top1: Tensor
    probability: Tensor


@torch.inference_mode()
def _dense_side(logits: Tensor) -> _DenseSide:
    dense = logits.double()
    log_dense = torch.log_softmax(dense, dim=-1)
    likely = log_dense.amax(dim=-1).sum(dim=-1).exp()
    energy = dense.square().sum(dim=(-2, -1))
    return _DenseSide(dense, log_dense, log_dense.exp(), energy, _top1(dense, log_dense), likely)


@torch.inference_mode()
def _measure(side: _DenseSide, logits: Tensor) -> tuple[Tensor, ...]:
    """A pruned logits ``[A, N, T, C]`` to the nine array fields of :class:`Drift`, each with A in front, or 1."""
    dense, log_dense, mass, energy, top_dense, likely_dense = side
    pruned = logits.double()
    log_pruned = torch.log_softmax(pruned, dim=-1)
    # 0 ln 0 = 0, though 0 x inf is NaN; a NaN itself must stay
    terms = torch.where(mass == 0, 0, mass * (log_dense - log_pruned))
    top_pruned = _top1(pruned, log_pruned)
    answered = (top_dense >= 0).all(dim=-1) & (top_pruned >= 0).all(dim=-1)
    # Rounding leaves some -1e-17
    divergence = terms.sum(dim=-1).mean(dim=-1).clamp_min(0)
    noise = (dense - pruned).square().sum(dim=(-2, -1))
    other = pruned.square().sum(dim=(-2, -1))
    finite = energy.isfinite() & other.isfinite()
    return (
        torch.where(answered, divergence, torch.nan) if dense.shape[-1] > 1 else torch.full_like(divergence, torch.nan),
        (top_dense == top_pruned).all(dim=-1) & answered,
        ((dense * pruned).sum(dim=(-2, -1)) / (energy * other).sqrt()).clamp(-1, 1),
        energy.unsqueeze(0),
        torch.where(finite, noise, torch.nan),
        top_dense.unsqueeze(0),
        top_pruned,
        likely_dense.unsqueeze(0),
        log_pruned.amax(dim=-1).sum(dim=-1).exp(),
    )


def _normalised_l2(noise: FloatArray, dense: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 / 0: no error on an output of zeros is still no error
        return np.where(noise == 0, 0.0, np.sqrt(noise / dense))


def _sqnr(noise: FloatArray, dense: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(noise == 0, np.inf, 10 * np.log10(dense / noise))
