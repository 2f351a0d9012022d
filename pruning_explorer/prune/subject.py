"""The model under study, with its sample inputs: dense and read-only."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, Self

import numpy as np
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError, TargetError
from pruning_explorer.prune.content_id import extended_id, network_id
from pruning_explorer.prune.find_targets import find_targets
from pruning_explorer.prune.metric import Metric, classes_among, metric_id, name_of_quality
from pruning_explorer.prune.skeleton import frozen_skeleton, unwrapped
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.prune.targets import MISFIT, Target

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.floating]]


@dataclass(frozen=True)
class SampleView:
    """How sample inputs are shown to a person.

    Attributes:
        kind: ``"image"``, ``"point"``, ``"text"`` or ``"numbers"``.
        values: images ``[N, H, W]`` in [0, 1], points ``[N, 2]``, numbers ``[N, F]``, or N strings.
    """

    kind: Literal["image", "point", "text", "numbers"]
    values: FloatArray | tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Subject:
    """A network under study and the inputs it is judged on. Nothing ever writes to it.

    ``model`` is a skeleton of the caller's network: its own module tree, in eval mode, over the very same
    tensors. Do not call it: even ``functional_call`` swaps a module's tensors while it runs, so each thread
    takes a skeleton of its own (:mod:`pruning_explorer.measure.forward`).

    Attributes:
        samples: positional inputs of ``forward``, batch first, N samples; None where there are none.
        labels: int64 ``[N]`` for logits ``[N, C]``, or ``[N, T]`` for logits ``[N, T, C]``, where a sample is
            right when all T are. With a metric, of any shape ``[N, ...]`` and dtype.
        output_names: names along the last dim of the logits; empty where unknown.
        groups: int64 ``[N]``, the class of each sample in the per-class table.
        group_names: names of those classes.
        quality_name: what being right is called: ``"accuracy"``, ``"exact match"``, or what the metric is called.
        view: how a sample is shown.
        about: what this is, in a sentence or two.
        about_samples: what it is run and judged on, where that needs to be said.
        about_calibration: what the calibration inputs are, where they were given afterwards; else empty.
        undivided: this subject before a share of its samples was kept apart for calibration; None where none was.
        calibration: inputs like ``samples``, M of them, of the part that the network was trained on: what criteria may
            look at, so that nothing is chosen by the samples it is judged on. None where there are none.
        calibration_labels: of those, int64 ``[M]`` or ``[M, T]``.
        id: made of its content; the same weights and samples give the same id.
        targets: every parameter that can be pruned, embeddings, biases and norms among them, and in the role ``other``
            what is only where a recipe names it.
        refused: every other parameter, and those of the role ``other``, with the reason.
        loading: lines of Python that bind ``model`` to a fresh copy of this network, for scripts.
        finishing: lines that follow those that prune ``model``; empty where nothing is left to do.
        ties_unknown: whether the network may have further names for tied weights, which are not known here.
        reopening: the expression of ours that makes this subject; empty where it is made of a module.
        runnable: False where only the weights are known and not the network: then it is never called, and has no
            samples.
        origin: where it comes from, in a few words.
        words: which a library opens it by again, ``"hf:./folder"``, whatever it is called; empty where none does.
        metric: judges the outputs in place of comparing them with the labels.
        file_metadata: what the file that its weights come from says of itself, text by text.
    """

    name: str
    model: nn.Module
    samples: tuple[Tensor, ...] | None
    labels: Tensor | None
    output_names: tuple[str, ...]
    groups: Tensor | None
    group_names: tuple[str, ...]
    quality_name: str
    view: SampleView | None
    about: str
    id: str
    targets: tuple[Target, ...]
    refused: Mapping[str, str]
    loading: str = "# `model` is your network"
    finishing: str = ""
    ties_unknown: bool = False
    reopening: str = ""
    calibration: tuple[Tensor, ...] | None = None
    calibration_labels: Tensor | None = None
    runnable: bool = True
    origin: str = ""
    words: str = ""
    about_samples: str = ""
    about_calibration: str = ""
    undivided: Self | None = None
    metric: Metric | None = None
    file_metadata: Mapping[str, str] = field(default_factory=dict)
    files: tuple[StoredFile, ...] = ()

    @classmethod
    def from_module(
        cls,
        model: nn.Module,
        samples: Tensor | Sequence[Tensor] | None = None,
        labels: Tensor | None = None,
        *,
        name: str = "my-model",
        output_names: Sequence[str] = (),
        groups: Tensor | None = None,
        group_names: Sequence[str] = (),
        quality_name: str | None = None,
        view: SampleView | None = None,
        about: str = "",
        about_samples: str = "",
        loading: str | None = None,
        finishing: str = "",
        ties_unknown: bool = False,
        reopening: str = "",
        calibration: Tensor | Sequence[Tensor] | None = None,
        calibration_labels: Tensor | None = None,
        runnable: bool = True,
        refused: Mapping[str, str] = MappingProxyType({}),
        origin: str = "",
        identity: bytes | None = None,
        metric: Metric | None = None,
        file_metadata: Mapping[str, str] = MappingProxyType({}),
        files: Sequence[StoredFile] = (),
    ) -> Self:
        """Study a network of one's own.

        The network is neither copied nor changed: the subject shares its tensors, so train a copy, not this one.

        Args:
            model: any network; it is studied in eval mode, without what wraps it (``nn.DataParallel``,
                ``torch.compile``).
            samples: one tensor ``[N, ...]``, or one for each positional input of ``forward``.
            labels: int ``[N]``, or ``[N, T]`` where the logits are ``[N, T, C]``.
            calibration: inputs that criteria may look at, shaped as ``samples`` and best not among them.
            calibration_labels: of the calibration inputs, for criteria that need a loss.
            runnable: False for a module that only holds weights and cannot be called.
            refused: weights that a file holds and the module does not, with the reason.
            identity: what tells this network's weights from others', where reading them all would take long; without
                it the id is made of every weight.
            metric: a scoring function of one's own: logits and labels (None where there are none) to one number per
                sample, ``[N]`` in [0, 1], higher is better, bool for right or wrong; quality is its mean. It is called
                as its function is, or ``quality_name``. Labels may then have any shape ``[N, ...]``.

        Raises:
            SubjectError: nothing in it can be pruned, it is TorchScript, or samples and labels differ in length.
        """
        inputs, seen = _as_inputs(samples), _as_inputs(calibration)
        _check_lengths(inputs, labels, groups)
        _check_calibration(seen, calibration_labels, inputs)
        if inputs is not None and not runnable:
            raise SubjectError(f"{name} is known by its weights alone, so samples cannot be run; give the network")
        model, unwrapping = unwrapped(model, name)
        frame = frozen_skeleton(model)
        targets, others = find_targets(frame)
        refused = {**others, **refused}
        if not targets:
            reasons = "; ".join(f"{key}: {why}" for key, why in list(refused.items())[:3]) or "it has no parameters"
            raise SubjectError(f"nothing in {name} can be pruned ({reasons})")
        classes = classes_among(labels, metric, bool(group_names or output_names))
        quality = quality_name or name_of_quality(labels, metric)
        start = network_id(name, frame, identity)
        if metric is not None:
            start = f"{start} {metric_id(metric)} {quality}"
        return cls(
            name=name,
            model=frame,
            samples=inputs,
            labels=labels,
            output_names=tuple(output_names),
            groups=groups if groups is not None else classes,
            group_names=tuple(group_names) or (tuple(output_names) if classes is not None else ()),
            quality_name=quality,
            view=view,
            about=about,
            about_samples=about_samples,
            id=extended_id(start, inputs, labels, seen, calibration_labels),
            targets=targets,
            refused=MappingProxyType(refused),
            loading="\n".join([loading or cls.loading, *unwrapping]),
            finishing=finishing,
            ties_unknown=ties_unknown,
            reopening=reopening,
            calibration=seen,
            calibration_labels=calibration_labels,
            runnable=runnable,
            origin=origin,
            metric=metric,
            file_metadata=MappingProxyType(dict(file_metadata)),
            files=tuple(files),
        )

    def with_samples(
        self,
        samples: Tensor | Sequence[Tensor],
        labels: Tensor | None = None,
        *,
        output_names: Sequence[str] = (),
        view: SampleView | None = None,
        about: str = "",
    ) -> Self:
        """The same network, judged on other samples, by the same metric; the calibration part stays.

        A share of the earlier samples that was kept apart goes with them.

        Raises:
            SubjectError: samples and labels differ in length, or there is no network to run.
        """
        if self.undivided is not None:
            return self.whole.with_samples(samples, labels, output_names=output_names, view=view, about=about)
        inputs = _as_inputs(samples)
        if not self.runnable:
            raise SubjectError(f"{self.name} is known by its weights alone, so samples cannot be run; give the network")
        _check_lengths(inputs, labels, None)
        misfit = getattr(self.model, MISFIT, None)
        if inputs is not None and callable(misfit) and (reason := misfit(inputs)) is not None:
            raise SubjectError(f"{self.name} {reason}; give one tensor for each of these, N samples in each")
        _check_calibration(self.calibration, self.calibration_labels, inputs)
        names = tuple(output_names) or self.output_names
        classes = classes_among(labels, self.metric, bool(names))
        return replace(
            self,
            samples=inputs,
            labels=labels,
            output_names=names,
            groups=classes,
            group_names=names if classes is not None else (),
            quality_name=name_of_quality(labels, None) if self.metric is None else self.quality_name,
            view=view,
            about_samples=about,
            id=extended_id(self.id, inputs, labels),
        )

    def with_calibration(
        self, calibration: Tensor | Sequence[Tensor], labels: Tensor | None = None, *, about: str = ""
    ) -> Self:
        """The same network and samples, with other calibration inputs.

        Args:
            calibration: shaped as ``samples``, and none of them.
            labels: of the calibration inputs.
            about: what they are, in a sentence.

        Raises:
            SubjectError: inputs and labels differ in length, or there is no network to run.
        """
        inputs = _as_inputs(calibration)
        if not self.runnable:
            raise SubjectError(f"{self.name} is known by its weights alone, so inputs cannot be run; give the network")
        _check_calibration(inputs, labels, self.samples)
        return replace(
            self.whole,
            calibration=inputs,
            calibration_labels=labels,
            about_calibration=about,
            id=extended_id(self.whole.id, None, None, inputs, labels),
        )

    @property
    def whole(self) -> Self:
        """This subject with all of its samples, none of them kept apart."""
        return self if self.undivided is None else replace(self.undivided, name=self.name, origin=self.origin)

    @property
    def description(self) -> str:
        """What the network is, which samples it is judged on, and what criteria look at, in a few sentences."""
        return " ".join(filter(None, (self.about, self.about_samples, self.about_calibration)))

    @property
    def example(self) -> tuple[Tensor, ...] | None:
        """One input, batch size 1: the first sample, or else the first of the calibration part."""
        inputs = self.samples or self.calibration
        return tuple(tensor[:1] for tensor in inputs) if inputs else None

    @property
    def sample_count(self) -> int:
        return 0 if self.samples is None else len(self.samples[0])

    def target(self, name: str) -> Target:
        """The target of that name, or of that tied name.

        Raises:
            TargetError: there is none; the message says why, or which there are.
        """
        for target in self.targets:
            if name == target.name or name in target.aliases:
                return target
        # Under prune's hooks state_dict says weight_orig of what people call weight
        for refused in (name, name.removesuffix("_orig")):
            if refused in self.refused:
                raise TargetError(f"{refused} cannot be pruned: {self.refused[refused]}")
        known = ", ".join(target.name for target in self.targets[:6])
        raise TargetError(f"{self.name} has no parameter {name!r}; it has {known}{', …' * (len(self.targets) > 6)}")

    def check_files(self) -> None:
        """Check that the files that weights are mapped from have not changed; call it before weights are read.

        Raises:
            SubjectError: one was cut short, written over, replaced or removed.
        """
        for file in self.files:
            file.check(self.name)

    def copy_model(self) -> nn.Module:
        """A copy of the network with tensors of its own, which may be pruned or trained.

        Raises:
            SubjectError: as :meth:`check_files`.
        """
        self.check_files()
        return copy.deepcopy(self.model).requires_grad_(True)

    def weight(self, name: str) -> Tensor:
        """The dense tensor of a target, shared and detached: read it, never write to it.

        Raises:
            TargetError: there is no such target.
            SubjectError: as :meth:`check_files`.
        """
        self.check_files()
        return self.model.get_parameter(self.target(name).name).detach()


def _as_inputs(samples: Tensor | Sequence[Tensor] | None) -> tuple[Tensor, ...] | None:
    return (samples,) if isinstance(samples, Tensor) else tuple(samples) if samples is not None else None


def _check_lengths(inputs: tuple[Tensor, ...] | None, labels: Tensor | None, groups: Tensor | None) -> None:
    if inputs is None:
        if labels is not None or groups is not None:
            what = "groups" if labels is None else "labels"
            raise SubjectError(f"there are {what} but no samples; give samples of the same length, or neither")
        return
    if not inputs or any(tensor.dim() == 0 or len(tensor) == 0 for tensor in inputs):
        raise SubjectError("samples are empty; give at least one sample, or samples=None")
    sizes = {len(tensor) for tensor in (*inputs, *(t for t in (labels, groups) if t is not None))}
    if len(sizes) > 1:
        raise SubjectError(f"samples, labels and groups must be equally many; these have {sorted(sizes)}")


def _check_calibration(
    calibration: tuple[Tensor, ...] | None, labels: Tensor | None, samples: tuple[Tensor, ...] | None
) -> None:
    if calibration is None:
        if labels is not None:
            raise SubjectError("there are calibration labels but no calibration inputs; give both, or neither")
        return
    if not calibration or any(tensor.dim() == 0 or len(tensor) == 0 for tensor in calibration):
        raise SubjectError("calibration inputs are empty; give at least one, or calibration=None")
    sizes = {len(tensor) for tensor in (*calibration, *((labels,) if labels is not None else ()))}
    if len(sizes) > 1:
        raise SubjectError(f"calibration inputs and labels must be equally many; these have {sorted(sizes)}")
    if samples is not None and len(samples) != len(calibration):
        raise SubjectError(
            f"a calibration input has {len(calibration)} tensors and a sample {len(samples)}; give one for each "
            "positional input of forward"
        )
