"""Arrays of any shape, dtype and content, on networks of each kind: they are refused in words, or can be run."""

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import dense_quality
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.own_samples.sample_labels import as_labels
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.samples import load_sample

NETWORKS = ("digits-mlp", "digits-cnn", "digits-gru", "digits-vit", "adder-transformer", "spirals-mlp")
DTYPES = ("float16", "float32", "float64", "int8", "int64", "uint8", "uint16", "uint64", "bool")
SUBJECTS = {
    **{name: load_sample(name) for name in NETWORKS},
    **{f"{name} without samples": Subject.from_module(load_sample(name).model, name=name) for name in NETWORKS},
}


@st.composite
def sample_sets(draw: st.DrawFn, like: tuple[int, ...]) -> SampleSet:
    count = draw(st.integers(1, 3))
    one = draw(st.sampled_from([like, like, like, (), (0,), None]))
    if one is None:
        one = draw(arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    values = st.integers(0, 1 if dtype.kind == "b" else 12) if draw(st.booleans()) else arrays_of.from_dtype(dtype)
    inputs = [
        torch.from_numpy(draw(arrays_of.arrays(dtype, (count, *one), elements=values, fill=st.just(dtype.type(0)))))
        for _ in range(draw(st.sampled_from([1, 1, 1, 2])))
    ]
    kind = draw(st.sampled_from(["none", "few", "any", "floats", "names"]))
    if kind == "none":
        return SampleSet("mine.npz", inputs=tuple(inputs), held=count)
    numbers = {"few": st.integers(-1, 3), "any": st.integers(-(2**63), 2**63 - 1), "names": st.integers(0, 1)}
    elements = numbers.get(kind, st.floats(width=64))
    shape = (count, *draw(st.sampled_from([(), (), (4,), (1,)]))) if kind != "names" else (count,)
    dtype = np.dtype("float64" if kind == "floats" else "int64")
    labels = as_labels(torch.from_numpy(draw(arrays_of.arrays(dtype, shape, elements=elements))))
    names = draw(st.sampled_from([("0", "9"), ("arm 0", "arm 2"), ("x", "y"), ("", "\0"), ("999999999", "1")]))
    return SampleSet("mine.npz", (*inputs,), labels=labels, class_names=names if kind == "names" else (), held=count)


@settings(max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def refuse_or_run(seen: dict[str, int], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SUBJECTS)))
    like = load_sample(name.removesuffix(" without samples")).samples
    samples = data.draw(sample_sets(tuple(like[0].shape[1:])))
    try:
        judged = fit_samples(SUBJECTS[name], samples)
    except SubjectError:
        seen["refused"] += 1
        return
    seen["run"] += 1
    assert len(dense_outputs(judged)) == samples.count
    quality = dense_quality(judged)
    assert (quality is None) == (samples.labels is None)
    assert judged.view is None or len(judged.view.values) == samples.count


def test_whatever_comes_is_refused_in_words_or_can_be_run() -> None:
    seen = {"refused": 0, "run": 0}
    refuse_or_run(seen)
    assert min(seen.values()) >= 100, seen
