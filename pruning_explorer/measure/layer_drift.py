"""Drift layer by layer: where the error begins, and how it grows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.measure.drift import vector_drift
from pruning_explorer.measure.forward import layer_outputs, leaf_modules, watch_layers
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import layer_type

FloatArray = NDArray[np.floating]

PIECE = 1024

COLUMNS = ["module", "layer_type", "cosine", "l2_normalised", "sqnr_db", "order"]

DENSE_LAYERS: SubjectCache[dict[str, Tensor]] = SubjectCache(
    256 << 20, lambda layers: sum(output.nbytes for output in layers.values()), "dense outputs of each layer"
)


@dataclass(frozen=True)
class Step:
    """One module that has run.

    Attributes:
        dense: whether in the dense network, which runs first where its outputs are not kept.
        row: of a module of the pruned network, the columns of :func:`layer_drift` but ``order``; None where it has no
            dense outputs of that shape.
    """

    module: str
    dense: bool
    row: tuple[str, str, float, float, float] | None = None


def layer_drift(subject: Subject, masks: Masks, see: Callable[[Step], None] | None = None) -> pd.DataFrame:
    """Drift of each leaf module's output, all samples as one vector, in the order in which the modules run.

    Each module sees what the pruned network before it gives, so the error is the one it received and its own together.
    Which modules count, and with what, is said at :func:`~pruning_explorer.measure.forward.layer_outputs`.

    Columns: ``module`` (its path, ``""`` for the network itself), ``layer_type``; ``cosine`` d.p / (||d|| ||p||),
    ``l2_normalised`` ||p - d|| / ||d||, ``sqnr_db`` 10 log10(||d||^2 / ||d - p||^2), each with the direction and the
    limits of :func:`~pruning_explorer.measure.drift.sample_drift`; ``order`` from 0.

    Args:
        see: called with each module when it has run; an exception from it ends the run. A network may catch an
            ``Exception``, so raise another ``BaseException`` to end it for sure.

    Raises:
        SubjectError, TargetError, MaskError: as :func:`~pruning_explorer.measure.forward.masked_outputs`.
    """
    tell = see or (lambda step: None)
    dense = DENSE_LAYERS.get(subject, lambda: layer_outputs(subject, None, lambda path: tell(Step(path, dense=True))))
    types = {path: layer_type(module) for path, module in leaf_modules(subject.model).items()}
    rows: dict[str, tuple[str, str, float, float, float]] = {}

    def compare(path: str, output: Tensor) -> None:
        rows.pop(path, None)  # called several times: the last call counts, as in the dense outputs
        if path in dense and dense[path].shape == output.shape:
            rows[path] = (path, types[path], *_compare(dense[path], output))
        tell(Step(path, dense=False, row=rows.get(path)))

    watch_layers(subject, masks, compare)
    return drift_frame(rows.values())


def drift_frame(rows: Iterable[tuple[str, str, float, float, float]]) -> pd.DataFrame:
    """Rows of :class:`Step` as the table of :func:`layer_drift`."""
    return pd.DataFrame([(*row, order) for order, row in enumerate(rows)], columns=COLUMNS)


def _compare(dense: Tensor, pruned: Tensor) -> tuple[float, float, float]:
    d, p = (_flat(tensor) for tensor in (dense, pruned))
    noise = d - p
    return vector_drift(_product(d, d), _product(p, p), _product(d, p), _product(noise, noise))


def _flat(tensor: Tensor) -> FloatArray:
    wide = tensor if tensor.dtype == torch.float64 else tensor.float()
    flat: FloatArray = wide.flatten().cpu().numpy()
    return flat


def _product(left: FloatArray, right: FloatArray) -> float:
    """Inner product, summed in pieces: exact to about eight digits without a copy in float64."""
    whole = len(left) - len(left) % PIECE
    pieces = np.einsum("ij,ij->i", left[:whole].reshape(-1, PIECE), right[:whole].reshape(-1, PIECE))
    return float(pieces.sum(dtype=np.float64)) + float(np.einsum("i,i->", left[whole:], right[whole:]))
