"""A pruned network trained again: what comes back, by which mask; and the same mask on the weights it began with."""

from dataclasses import replace
from statistics import median

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import capitalised, count, percent
from pruning_explorer.lab.training import Training, TrainingData, TrainingPlan
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS
from pruning_explorer.lessons.panels import Code, Curves, Figure, Figures, Series
from pruning_explorer.lessons.quality_curve import QualityCurve, in_percent, quality_curve, written
from pruning_explorer.lessons.scene import Experiment, Knob, Scene, Stage, Trial, Values
from pruning_explorer.lessons.training_comparison import Draw, Side, TrainingComparison
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.prune.engine import compute_masks, rank_targets
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.sources.samples import load_sample
from pruning_explorer.sources.training import HowTrained, how_trained, initial_network, training_data

NETWORKS = ("spirals-mlp", "digits-mlp")
"""Sample networks that train within seconds; a training step of any other takes many times as long."""
DRAWS = 3
JUDGED_AT, JUDGED_EPOCHS = 0.7, 5
"""Amount and number of epochs at which recovery is measured in advance, so that a question can be asked before the
person starts a training."""
SHARE_OF_STEPS = 3
"""Divisor of the dense network's training steps: a lottery ticket is trained for one third of them."""

RECOVER, TICKET = "recover", "ticket"
EXPERIMENT = Knob(
    Setting("experiment", "Experiment", "What the button below starts.", RECOVER),
    {RECOVER: "Recover", TICKET: "Lottery ticket"},
    ("fine-tuning", "lottery-ticket"),
)
EPOCHS = Knob(
    Setting(
        "epochs",
        "Epochs of recovery",
        "How often recovery sees each training sample.",
        JUDGED_EPOCHS,
        1,
        60,
    ),
    words=("fine-tuning",),
    needs={"experiment": RECOVER},
)

RECOVERED: SubjectCache[dict[str, str]] = SubjectCache(1 << 20, lambda _: 1000, "recovered networks of lessons")


def _build(subject: Subject, values: Values) -> Stage:
    how = _how(subject)
    magnitude = quality_curve(subject, Recipe(), AMOUNTS)
    drawn = [quality_curve(subject, Recipe("random", seed=seed), AMOUNTS) for seed in range(DRAWS)]
    over_draws = list(zip(*(each.values for each in drawn), strict=True))
    random = tuple(map(median, over_draws))
    ranked = rank_targets(subject, Recipe())
    weights = sum(target.numel for target in ranked.targets)
    kept = tuple(count(weights - gone) for gone in ranked.removed_at(AMOUNTS).sum(axis=1).tolist())
    facts: dict[str, str | tuple[str, ...]] = {
        "dense": percent(magnitude.dense),
        "guess": percent(magnitude.guess),
        "weights": count(weights),
        "kept": kept,
        "magnitude": written(magnitude.values),
        "random": written(random),
        "random_low": written([min(each) for each in over_draws]),
        "random_high": written([max(each) for each in over_draws]),
        "draws": count(DRAWS),
        "dense_steps": count(how.steps),
        "ticket_steps": count(_ticket_epochs(subject, how) * _steps_per_epoch(subject, how)),
        **RECOVERED.get(subject, lambda: _recovered(subject)),
    }
    measure = capitalised(magnitude.measure)
    figures = (
        Figure(f"Dense {magnitude.measure}", (percent(magnitude.dense),), "On held-out samples; higher is better."),
        Figure(f"{measure}, magnitude", written(magnitude.values), "Pruned by magnitude, not trained again."),
        Figure(f"{measure}, random", written(random), f"The middle of {DRAWS} random masks, not trained again."),
        Figure("Weights kept", kept, f"Of {count(weights)}, in each of the masks."),
    )
    panels = (
        Figures(figures, "Before any training"),
        _curves(magnitude, drawn, random),
        Code("The same in torch", tuple(_code(subject, str(values["experiment"]), amount) for amount in AMOUNTS)),
    )
    return Stage(AMOUNT_SLIDER, panels, facts, lambda stop: Recipe(amount=AMOUNTS[stop]))


def _curves(magnitude: QualityCurve, drawn: list[QualityCurve], random: tuple[float, ...]) -> Curves:
    percents = list(zip(*(each.percents for each in drawn), strict=True))
    return Curves(
        "Pruned, not trained again",
        (
            Series("by magnitude", magnitude.percents),
            Series("at random", in_percent(random), tuple(map(min, percents)), tuple(map(max, percents))),
        ),
        f"{magnitude.measure} (%)",
        (0, 100),
        lines={"dense": round(100 * magnitude.dense, 1), **(magnitude.guess_line or {})},
        better="higher",
        note=f"At random: the middle of {DRAWS} masks, with their lowest and highest.",
    )


def _code(subject: Subject, experiment: str, amount: float) -> str:
    how = how_trained(subject.name)
    layers = [target.module for target in rank_targets(subject, Recipe()).targets]
    lines = ["from torch.nn.utils import prune"]
    if experiment == TICKET:
        lines += [f"first = {type(subject.model).__name__}()  # from the seed that `model` began with"]
    lines += [f"for layer in {layers}:"]
    lines += [f'    prune.l1_unstructured(model.get_submodule(layer), "weight", amount={amount:g})']
    if experiment == TICKET:
        lines += [
            "    mask = model.get_submodule(layer).weight_mask",
            '    prune.custom_from_mask(first.get_submodule(layer), "weight", mask)',
            "model = first",
        ]
    optimizer = f"lr={how.learning_rate:g}, weight_decay={how.weight_decay:g}"
    lines += [f"optimizer = torch.optim.AdamW(model.parameters(), {optimizer})"]
    if experiment == TICKET:
        steps = _ticket_epochs(subject, how) * _steps_per_epoch(subject, how)
        lines += [f"schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, {how.learning_rate:g}, {steps})"]
    lines += [
        "for inputs, labels in batches:",
        "    loss = torch.nn.functional.cross_entropy(model(inputs), labels)",
        "    optimizer.zero_grad()",
        "    loss.backward()  # a removed weight has gradient 0",
        "    optimizer.step()  # weight decay still shrinks its weight_orig; times the mask it stays 0",
    ]
    return "\n".join([*lines, "    schedule.step()"] if experiment == TICKET else lines)


def _recovered(subject: Subject) -> dict[str, str]:
    """What recovery does at one amount, of which a lesson can speak before a person starts anything."""
    comparison = recovery(subject, JUDGED_AT, JUDGED_EPOCHS)
    comparison.run()
    facts = {"recovered_at": f"{round(100 * JUDGED_AT)} %", "recovered_epochs": count(JUDGED_EPOCHS)}
    for name, side in zip(("magnitude", "random"), comparison.sides, strict=True):
        after = side.quality[-1]
        facts |= {
            f"{name}_after": percent(median(after)),
            f"{name}_after_low": percent(min(after)),
            f"{name}_after_high": percent(max(after)),
        }
    return facts


def recovery(subject: Subject, amount: float, epochs: int) -> TrainingComparison:
    """Trained weights under a mask by magnitude and under random ones, trained on at the rate they were trained with.

    Raises:
        LessonError: the network is none of those that can be trained here.
    """
    how, data = _how(subject), _data(subject)
    plans = [TrainingPlan(epochs, how.batch, how.learning_rate, how.weight_decay, seed=seed) for seed in range(DRAWS)]
    by_magnitude = compute_masks(subject, Recipe(amount=amount))
    at_random = [compute_masks(subject, Recipe("random", amount=amount, seed=seed)) for seed in range(DRAWS)]

    def draw(masks: Masks, plan: TrainingPlan) -> Draw:
        return Draw(masks, Training(subject, masks, data, plan))

    sides = (
        Side("by magnitude", tuple(draw(by_magnitude, plan) for plan in plans)),
        Side("at random", tuple(draw(masks, plan) for masks, plan in zip(at_random, plans, strict=True))),
    )
    note = (
        f"Each is trained {DRAWS} times from the trained weights. Among the {DRAWS}, the order of the samples differs; "
        "at random the mask, too."
    )
    return _compare(subject, sides, epochs, note)


def lottery_ticket(subject: Subject, amount: float) -> TrainingComparison:
    """Survivors of a trained network on the values that they began with, trained anew (arXiv 1803.03635).

    Beside it the same mask with values drawn anew, and random masks with the first values.

    Raises:
        LessonError: the network is none of those that can be trained here.
    """
    how, data = _how(subject), _data(subject)
    epochs = _ticket_epochs(subject, how)
    recipe = Recipe(amount=amount)
    by_magnitude, first = compute_masks(subject, recipe), initial_network(subject.name)
    tickets, fresh, at_random = [], [], []
    for seed in range(DRAWS):
        plan = TrainingPlan(epochs, how.batch, how.learning_rate, how.weight_decay, one_cycle=True, seed=seed)
        masks = compute_masks(subject, replace(recipe, criterion="random", seed=seed))
        other = initial_network(subject.name, seed=seed + 1)
        tickets.append(Draw(by_magnitude, Training(subject, by_magnitude, data, plan, first)))
        fresh.append(Draw(by_magnitude, Training(subject, by_magnitude, data, plan, other)))
        at_random.append(Draw(masks, Training(subject, masks, data, plan, first)))
    sides = (
        Side("ticket: first values", tuple(tickets)),
        Side("same mask, new values", tuple(fresh)),
        Side("random mask, first values", tuple(at_random)),
    )
    note = (
        f"Each is trained {DRAWS} times, for one in {SHARE_OF_STEPS} of the dense network's steps and otherwise as it "
        f"was trained. Among the {DRAWS}, the order of the samples differs; with new values these, too; at random the "
        "mask, too. So the ticket's band shows sample order only: a dense network from another seed has another ticket."
    )
    return _compare(subject, sides, epochs, note)


def _compare(subject: Subject, sides: tuple[Side, ...], epochs: int, note: str) -> TrainingComparison:
    return TrainingComparison(sides, epochs, quality_label(subject), dense_level(subject) or 0.0, note)


def _how(subject: Subject) -> HowTrained:
    if subject.name not in NETWORKS or subject.id != load_sample(subject.name).id:
        raise LessonError(
            f"{subject.name} is not trained here: its training data is not known, or it takes longer than one waits; "
            f"choose {' or '.join(NETWORKS)}"
        )
    return how_trained(subject.name)


def _data(subject: Subject) -> TrainingData:
    return TrainingData(*training_data(subject.name))


def _steps_per_epoch(subject: Subject, how: HowTrained) -> int:
    return -(-len(_data(subject).labels) // how.batch)


def _ticket_epochs(subject: Subject, how: HowTrained) -> int:
    return round(how.steps / SHARE_OF_STEPS / _steps_per_epoch(subject, how))


def _begin(subject: Subject, values: Values, stop: int) -> Trial:
    if values["experiment"] == TICKET:
        return lottery_ticket(subject, AMOUNTS[stop])
    return recovery(subject, AMOUNTS[stop], int(values["epochs"]))


GETTING_IT_BACK = Scene(
    "getting_it_back",
    "A network pruned by magnitude and at random, and both trained again; or rewound to where it began.",
    _build,
    {
        "dense": "accuracy of the dense network, in percent",
        "guess": "accuracy of always giving the commonest answer, in percent",
        "weights": "how many weights it has",
        "kept": "weights kept, in each mask",
        "magnitude": "accuracy, pruned by magnitude and not trained again",
        "random": "accuracy, pruned at random and not trained again: the middle of all draws",
        "random_low": "of those draws the lowest",
        "random_high": "of those draws the highest",
        "draws": "how many random masks, and trainings of each kind, there are",
        "recovered_at": "the amount of the facts that end in _after",
        "recovered_epochs": "epochs that those were trained for",
        "magnitude_after": "accuracy by magnitude at that amount, trained again: the middle of all trainings",
        "magnitude_after_low": "of those the lowest",
        "magnitude_after_high": "of those the highest",
        "random_after": "accuracy at random at that amount, trained again: the middle of all trainings",
        "random_after_low": "of those the lowest",
        "random_after_high": "of those the highest",
        "dense_steps": "steps in which the dense network was trained",
        "ticket_steps": "steps in which each lottery ticket is trained",
    },
    "spirals-mlp",
    AMOUNT,
    (EXPERIMENT, EPOCHS),
    Experiment(
        "Train the pruned networks",
        f"Recovery trains {2 * DRAWS} copies from the trained weights, in a second or two for each ten epochs. The "
        f"lottery ticket trains {3 * DRAWS} from untrained values and takes up to a minute. You can go on meanwhile.",
        _begin,
    ),
)
