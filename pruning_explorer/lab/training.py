"""Train a masked copy of a network step by step: to recover quality after pruning, or from new weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pruning_explorer.errors import SubjectError
from pruning_explorer.lab.curve_points import describe_error
from pruning_explorer.lab.job_queue import Job
from pruning_explorer.lab.optimizer import BETA1, AdamW, one_cycle
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.prune.network import blaming, call_network, require_samples
from pruning_explorer.prune.outputs import first_tensor
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained on.

    Attributes:
        inputs: ``[N, ...]``, as its ``forward`` takes them.
        labels: int64 ``[N]`` for logits ``[N, C]``, or ``[N, T]`` for logits ``[N, T, C]``.

    Raises:
        SubjectError: there are none, or not equally many of both.
    """

    inputs: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if len(self.labels) == 0 or len(self.inputs) != len(self.labels):
            raise SubjectError(
                f"there are {len(self.inputs)} inputs and {len(self.labels)} labels to train on; give as many of both, "
                "and at least one"
            )


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how a network is trained: AdamW on cross-entropy (Loshchilov & Hutter, arXiv 1711.05101).

    Attributes:
        epochs: how often each training sample is seen, at least 1.
        batch: samples in a step, at least 1; the last batch of an epoch may be smaller.
        learning_rate: above 0.
        one_cycle: whether the learning rate rises to that and falls again over all steps (Smith & Topin, arXiv
            1708.07120); otherwise it stays.
        seed: of the order of the samples, which is drawn anew for each epoch.

    Raises:
        SubjectError: one of them is out of range.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    one_cycle: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or not self.learning_rate > 0 or self.weight_decay < 0:
            raise SubjectError(f"{self} cannot be carried out; epochs, batch and learning_rate must be above 0")


class Training(Job):
    """One training, of a copy: the subject is never written to. It can be looked at while another thread runs it.

    The network learns with its removed weights at zero: the mask is part of every forward pass, so that the gradient of
    a removed weight is zero, as under ``prune.custom_from_mask``; no hook is needed, and so layers that are never
    called as modules are masked, too. Dropout, where there is any, draws from torch's global generator.

    Attributes:
        problem: why it ended early; None while all is well.
    """

    def __init__(
        self,
        subject: Subject,
        masks: Mapping[str, Tensor],
        data: TrainingData,
        plan: TrainingPlan,
        start: nn.Module | None = None,
    ) -> None:
        """Get ready, and judge what there is before the first step.

        Args:
            masks: target name -> bool mask, True = kept; empty trains the dense network.
            start: the weights to begin with, in a network of the same kind, which is copied; the subject's own if None.

        Raises:
            SubjectError: there are no samples to judge it on, or the network fails on them.
        """
        super().__init__()
        require_samples(subject)
        self.problem: str | None = None
        self._subject, self._masks, self._data, self._plan = subject, masks, data, plan
        self._model = subject.copy_model()
        if start is not None:
            self._model.load_state_dict(start.state_dict())
        self._parameters = dict(self._model.named_parameters())
        self._optimizer = AdamW(list(self._parameters.values()), plan.weight_decay)
        self._generator = torch.Generator().manual_seed(plan.seed)
        self._batches: list[Tensor] = []
        self._losses: list[float] = []
        self._quality: list[float | None] = [self._judge()]

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self._data.labels) // self._plan.batch)

    @property
    def planned(self) -> int:
        """How many steps there will be."""
        return self._plan.epochs * self.steps_per_epoch

    @property
    def done(self) -> bool:
        return len(self._quality) > self._plan.epochs or self.problem is not None

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss of each step so far, in nats, before the step changes the weights."""
        return tuple(self._losses)

    @property
    def epoch_losses(self) -> tuple[float, ...]:
        """The mean loss of the steps of each epoch that is over, in nats."""
        losses, length = self.losses, self.steps_per_epoch
        return tuple(
            sum(losses[first : first + length]) / length for first in range(0, len(losses) - length + 1, length)
        )

    @property
    def quality(self) -> tuple[float | None, ...]:
        """Quality on the subject's samples in [0, 1]: before training, then after each epoch; None without labels."""
        return tuple(self._quality)

    def weights(self) -> dict[str, Tensor]:
        """Parameters by name as they are now, removed weights at zero; copies."""
        with torch.no_grad():
            return {name: self._masked().get(name, each).detach().clone() for name, each in self._parameters.items()}

    def run(self) -> None:
        """Train the remaining steps; once stopped, end after the present step."""
        while not self.done and not self.stopped.is_set():
            self._step()

    def run_epoch(self) -> None:
        """Train to the end of the present epoch, or until stopped."""
        measured = len(self._quality)
        while not self.done and not self.stopped.is_set() and len(self._quality) == measured:
            self._step()

    def fail(self, error: Exception) -> None:
        self.problem = describe_error(error)

    def _step(self) -> None:
        if not self._batches:
            order = torch.randperm(len(self._data.labels), generator=self._generator)
            self._batches = list(order.split(self._plan.batch))
        chosen = self._batches.pop(0)
        self._model.train()
        inputs = (self._data.inputs[chosen],)
        with blaming(self._subject, inputs):
            output = functional_call(self._model, self._masked(), inputs)
        loss = nn.functional.cross_entropy(self._logits(output).flatten(0, -2), self._data.labels[chosen].flatten())
        # Zeros for what the network does not use, as a row of an embedding that is not looked up has
        gradients = torch.autograd.grad(
            loss, list(self._parameters.values()), allow_unused=True, materialize_grads=True
        )
        self._optimizer.step(gradients, *self._pace())
        self._losses.append(loss.item())
        if not self._batches:
            self._quality.append(self._judge())

    def _pace(self) -> tuple[float, float]:
        if self._plan.one_cycle:
            return one_cycle(len(self._losses), self.planned, self._plan.learning_rate)
        return self._plan.learning_rate, BETA1

    def _masked(self) -> dict[str, Tensor]:
        # Not a product: a product of inf and 0 is NaN
        return {name: torch.where(mask, self._parameters[name], 0.0) for name, mask in self._masks.items()}

    def _judge(self) -> float | None:
        self._model.eval()
        with torch.inference_mode():
            output = call_network(self._subject, self._model, self._masked(), require_samples(self._subject))
        quality = quality_of(self._subject, self._logits(output))
        return None if quality is None else float(quality)

    def _logits(self, output: object) -> Tensor:
        logits = first_tensor(output)
        if logits is None:
            raise SubjectError(f"{self._subject.name} gives no logits, so there is no loss to train by")
        return logits
