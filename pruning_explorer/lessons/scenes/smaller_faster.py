"""One pruning in four forms: what each takes on disk and in memory, and how long it runs on this machine."""

from dataclasses import replace

from pruning_explorer.errors import LessonError
from pruning_explorer.exports.cut_channels import output_layers
from pruning_explorer.figures.numbers import capitalised, count, decimal, memory, percent, short_count, times
from pruning_explorer.lessons.amounts import AMOUNT
from pruning_explorer.lessons.four_networks import CUT, DENSE, FORMS, MASKED, PERMANENT, Counted, count_up
from pruning_explorer.lessons.panels import Code, Curves, Figure, Figures, Series, Table
from pruning_explorer.lessons.quality_curve import need_samples
from pruning_explorer.lessons.scene import Experiment, Knob, Scene, Slider, Stage, Trial, Values
from pruning_explorer.lessons.stopwatch import BATCH, Stopwatch
from pruning_explorer.lessons.wide_network import WIDTHS, wide_network
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

AMOUNTS = tuple(round(step / 100, 2) for step in range(0, 91, 10))
SLIDER = Slider(AMOUNTS, tuple(f"{round(100 * amount)} %" for amount in AMOUNTS))
ASKED_AT, ASKED_MOST = 0.5, 0.9
"""Amounts at which the facts for the questions are computed, whatever the slider is set to."""
MOST_PARAMETERS = 8_000_000
"""Most parameters of a network that this scene accepts: it builds the network in four forms at every stop."""

CHANNEL, ELEMENT = "channel", "element"
GRANULARITY = Knob(
    Setting(
        "granularity",
        "What is removed",
        "Whole neurons (the channels of a convolution) can be cut out; single weights leave holes.",
        CHANNEL,
    ),
    {CHANNEL: "Whole neurons", ELEMENT: "Single weights"},
)
GIVEN, WIDE = "given", "wide"
SIZE = Knob(
    Setting(
        "size",
        "Size",
        f"A wide network of {'-'.join(map(str, WIDTHS))}, with random weights and on noise: it knows nothing, but its "
        "layers take longer than what is around them.",
        GIVEN,
    ),
    {GIVEN: "The lesson's network", WIDE: "A wide one"},
    ("subject",),
)


def _build(subject: Subject, values: Values) -> Stage:
    shown = _shown(subject, values)
    recipe = _recipe(shown, values)
    in_explore = recipe if shown is subject else _recipe(subject, values)
    masks = [compute_masks(shown, replace(recipe, amount=amount)) for amount in AMOUNTS]
    counted = [count_up(shown, each) for each in masks]
    whole = shown is subject and values["granularity"] == CHANNEL
    asked = [counted[AMOUNTS.index(at)] if whole else _asked_at(subject, at) for at in (ASKED_AT, ASKED_MOST)]
    weights = sum(target.numel for target in masks[0].targets)
    removed = [weights - sum(map(each.kept, each)) for each in masks]
    facts: dict[str, str | tuple[str, ...]] = {
        "network": subject.name,
        "weights": count(weights),
        "removed": tuple(map(count, removed)),
        "sparsity": tuple(percent(each / weights) for each in removed),
        "channels": count(sum(target.channels for target in masks[0].targets)),
        **_facts(counted),
        **_asked_facts(*asked),
    }
    panels = (_figures(shown, facts, counted), _table(counted), _curves(counted), _code(recipe, masks[0].targets))
    return Stage(SLIDER, panels, facts, lambda stop: replace(in_explore, amount=AMOUNTS[stop]))


def _asked_at(subject: Subject, amount: float) -> Counted:
    recipe = _recipe(subject, {GRANULARITY.setting.name: CHANNEL})
    return count_up(subject, compute_masks(subject, replace(recipe, amount=amount)))


def _shown(subject: Subject, values: Values) -> Subject:
    return wide_network() if values["size"] == WIDE else subject


def _recipe(subject: Subject, values: Values) -> Recipe:
    need_samples(subject)
    parameters = sum(each.numel() for each in subject.model.parameters())
    if parameters > MOST_PARAMETERS:
        raise LessonError(
            f"{subject.name} has {short_count(parameters)} parameters, too many to be built in four forms at every "
            f"stop of a slider; choose a network of at most {short_count(MOST_PARAMETERS)}"
        )
    # Who cuts an output cuts an answer
    return Recipe(granularity=str(values["granularity"]), frozen=output_layers(subject))


def _facts(counted: list[Counted]) -> dict[str, str | tuple[str, ...]]:
    first = counted[0]
    facts: dict[str, str | tuple[str, ...]] = {
        "channels_empty": tuple(count(each.channels_empty) for each in counted),
        "channels_cut": tuple(count(each.channels_removed) for each in counted),
        "disk_ratio": times(first.on_disk[MASKED] / first.on_disk[DENSE]),
        "memory_ratio": times(first.in_memory[MASKED] / first.in_memory[DENSE]),
        "macs_dense": count(first.macs[DENSE]),
        "macs_theoretical": tuple(count(each.macs_theoretical) for each in counted),
        "macs_cut": tuple(count(each.macs[CUT]) for each in counted),
        "agreement": tuple(percent(each.agreement) for each in counted),
        "difference": tuple(decimal(each.difference) for each in counted),
    }
    for key, form in (("dense", DENSE), ("masked", MASKED), ("permanent", PERMANENT), ("cut", CUT)):
        facts[f"disk_{key}"] = tuple(memory(each.on_disk[form]) for each in counted)
        facts[f"memory_{key}"] = tuple(memory(each.in_memory[form]) for each in counted)
    return facts


def _asked_facts(half: Counted, most: Counted) -> dict[str, str]:
    facts = {
        "asked_at": SLIDER.shown[AMOUNTS.index(ASKED_AT)],
        "asked_most": SLIDER.shown[AMOUNTS.index(ASKED_MOST)],
        "asked_neurons": count(half.channels_empty),
        "asked_neurons_cut": count(half.channels_removed),
        "asked_macs_dense": count(half.macs[DENSE]),
        "asked_macs_theoretical": count(half.macs_theoretical),
        "asked_macs_cut": count(half.macs[CUT]),
        "asked_speed": times(half.macs[DENSE] / half.macs[CUT]),
        "asked_memory_ratio": times(half.in_memory[MASKED] / half.in_memory[DENSE]),
        "asked_agreement": percent(half.agreement),
        "asked_agreement_most": percent(most.agreement),
    }
    named = (("dense", DENSE), ("masked", MASKED), ("permanent", PERMANENT), ("cut", CUT))
    return facts | {f"asked_disk_{key}": memory(half.on_disk[form]) for key, form in named}


def _figures(subject: Subject, facts: dict[str, str | tuple[str, ...]], counted: list[Counted]) -> Figures:
    def fact(name: str) -> tuple[str, ...]:
        value = facts[name]
        return (value,) if isinstance(value, str) else value

    cut = tuple(f"{count(each.channels_removed)} of {count(each.channels_empty)}" for each in counted)
    figures = (
        Figure("Neurons cut out", cut, "Of those without any weight."),
        Figure(
            "Multiply-adds, theoretical",
            fact("macs_theoretical"),
            f"Of {facts['macs_dense']}, if kernels skipped every zero.",
        ),
        Figure("Masked and cut agree", fact("agreement"), "On so many samples. A cut drops biases, too."),
    )
    if counted[0].quality[0] is None:
        return Figures(figures)
    measure = capitalised(quality_label(subject))
    both = (
        Figure(f"{measure}, {form}", tuple(percent(each.quality[place]) for each in counted), "Higher is better.")
        for place, form in enumerate((MASKED, CUT))
    )
    return Figures((*figures, *both))


def _table(counted: list[Counted]) -> Table:
    rows = tuple(
        tuple(
            (
                f"{form}: nothing to cut" if form == CUT and not each.channels_removed else form,
                memory(each.on_disk[form]),
                memory(each.in_memory[form]),
                count(each.macs[form]),
            )
            for form in FORMS
        )
        for each in counted
    )
    columns = ("Network", "On disk", "In memory", "Multiply-adds")
    return Table(
        "Counted, without a clock",
        columns,
        rows,
        note="On disk: what torch.save writes of its state_dict. In memory: all tensors that its layers hold. "
        "Multiply-adds: of one sample, by dense kernels, which skip no zero.",
    )


def _curves(counted: list[Counted]) -> Curves:
    return Curves(
        "On disk",
        tuple(
            Series(form, tuple(round(each.on_disk[form] / 1024, 1) for each in counted))
            for form in (MASKED, DENSE, PERMANENT, CUT)
        ),
        "KiB",
        (0.0, round(1.1 * max(max(each.on_disk.values()) for each in counted) / 1024, 1)),
        better="lower",
        note="Dense and made permanent are one line.",
    )


def _code(recipe: Recipe, targets: tuple[Target, ...]) -> Code:
    layers = [(target.module, target.name.rpartition(".")[2]) for target in targets]
    whole = recipe.granularity.name == CHANNEL
    name, more = ("ln_structured", ", n=2, dim=0") if whole else ("l1_unstructured", "")
    return Code(
        "The same in torch",
        tuple(
            "from torch.nn.utils import prune\n"
            f"for layer, name in {layers}:\n"
            f"    prune.{name}(model.get_submodule(layer), name, amount={amount:g}{more})  # masked\n"
            "    prune.remove(model.get_submodule(layer), name)  # made permanent"
            for amount in AMOUNTS
        ),
        note="Cut out: with Torch-Pruning.",
    )


def _begin(subject: Subject, values: Values, stop: int) -> Trial:
    shown = _shown(subject, values)
    return Stopwatch(shown, replace(_recipe(shown, values), amount=AMOUNTS[stop]))


SMALLER_FASTER = Scene(
    "smaller_faster",
    "One pruning in four forms: dense, masked, made permanent and cut out; their bytes, and their milliseconds.",
    _build,
    {
        "network": "name of the chosen network, of which the question is",
        "weights": "how many the pruned layers have; those that make the outputs are not pruned",
        "removed": "weights removed",
        "sparsity": "removed ÷ all, in percent",
        "channels": "output channels (neurons) of the pruned layers",
        "channels_empty": "of these, left without any weight",
        "channels_cut": "of these, cut out",
        "disk_dense": "size of the file, dense",
        "disk_masked": "size of the file, masked",
        "disk_permanent": "size of the file after prune.remove",
        "disk_cut": "size of the file, cut out",
        "disk_ratio": "how many times the dense file the masked one is",
        "memory_dense": "size of all tensors in memory, dense",
        "memory_masked": "size of all tensors in memory, masked",
        "memory_permanent": "size of all tensors in memory after prune.remove",
        "memory_cut": "size of all tensors in memory, cut out",
        "memory_ratio": "how many times the dense network's memory the masked one takes",
        "macs_dense": "multiply-adds per sample, dense",
        "macs_theoretical": "multiply-adds per sample for kernels that would skip every zero of the masked network",
        "macs_cut": "multiply-adds per sample, cut out",
        "agreement": "samples that the masked and the cut network answer the same, in percent",
        "asked_at": "the amount of all that begin with asked_: of whole neurons in the chosen network",
        "asked_most": "that of asked_agreement_most",
        "asked_neurons": "neurons (channels) without any weight",
        "asked_neurons_cut": "of these, cut out",
        "asked_macs_dense": "multiply-adds per sample, dense",
        "asked_macs_theoretical": "multiply-adds per sample for kernels that would skip every zero",
        "asked_macs_cut": "multiply-adds per sample, cut out",
        "asked_speed": "how many times as many the dense network has",
        "asked_memory_ratio": "how many times the dense network's memory the masked one takes",
        "asked_agreement": "samples that the masked and the cut network answer the same, in percent",
        "asked_agreement_most": "the same at the amount asked_most",
        "asked_disk_dense": "size of the file, dense",
        "asked_disk_masked": "size of the file, masked",
        "asked_disk_permanent": "size of the file after prune.remove",
        "asked_disk_cut": "size of the file, cut out",
        "difference": "the largest difference between an output of the masked and of the cut network",
    },
    "digits-mlp",
    replace(AMOUNT, help="Fraction to remove: of each layer's neurons, or of its weights.", high=AMOUNTS[-1], step=0.1),
    (GRANULARITY, SIZE),
    Experiment(
        "Measure on this machine",
        f"Runs the four networks in turn, up to {BATCH} samples at once, for some seconds. Other work on the machine "
        "makes the times longer, and less sure.",
        _begin,
    ),
)
