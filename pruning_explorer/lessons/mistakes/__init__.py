"""Common errors of tutorials, each with the check that shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pruning_explorer.lessons.lesson import FACT
from pruning_explorer.lessons.mistakes import of_masks, of_networks
from pruning_explorer.lessons.mistakes.finding import Finding
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.samples import load_sample


@dataclass(frozen=True)
class Mistake:
    """A sentence that is not so.

    Attributes:
        name: as keys and addresses call it.
        claim: the sentence as tutorials say it, in Markdown.
        truth: what is so, in Markdown, with ``{facts}`` of the finding.
        check: computes the finding.
        network, recipe: what the check looks at, and what Explore opens.
        lesson: the name of the lesson that shows more.
    """

    name: str
    claim: str
    truth: str
    check: Callable[[Subject, Recipe], Finding]
    network: str
    recipe: Recipe
    lesson: str

    def tell(self, finding: Finding) -> str:
        """The truth with what was found in it."""
        return FACT.sub(lambda found: finding.facts[found[1]], self.truth)


@lru_cache(maxsize=32)
def find_out(mistake: Mistake) -> Finding:
    """Carry out the check of a mistake; once, since it always finds the same."""
    return mistake.check(load_sample(mistake.network), mistake.recipe)


FC1 = ("fc1.weight",)
WITH_NORMS = (
    "conv1.weight",
    "bn1.weight",
    "block1.conv1.weight",
    "block1.bn1.weight",
    "block1.conv2.weight",
    "block1.bn2.weight",
    "block1.shortcut.weight",
    "block2.conv1.weight",
    "block2.bn1.weight",
    "block2.conv2.weight",
    "block2.bn2.weight",
    "fc.weight",
)

MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "each-neuron",
        "“`amount=0.2` removes 20 % of each neuron's weights.”",
        "It removes {removed} of {weights} weights, the smallest of the whole matrix. By neuron that is {by_row}.",
        of_masks.count_by_neuron,
        "tutorial-mlp",
        Recipe(amount=0.2, targets=FC1),
        "a-mask",
    ),
    Mistake(
        "uniform",
        "“Use uniform pruning: torch has a method for it.”",
        "Of the {functions} functions of `torch.nn.utils.prune`, {called_uniform} have that name. Some mean "
        "`random_unstructured`, where each weight has the same chance; others mean that each layer loses the same "
        "fraction, {requested} here, whatever ranks it. Say which.",
        of_masks.list_functions,
        "digits-mlp",
        Recipe(criterion="random", amount=0.5),
        "which-to-remove",
    ),
    Mistake(
        "faster-and-smaller",
        "“Pruning made the network faster, and its file smaller.”",
        "With {sparsity} of the weights removed the file grows from {dense_bytes} to {masked_bytes} bytes, as "
        "`weight_orig` and `weight_mask` are both in it; `prune.remove` brings it to {removed_bytes}. Zeros are stored "
        "and multiplied like other numbers: {dense_macs} multiply-adds dense, {masked_macs} masked, {removed_macs} "
        "made permanent. The lesson measures the time.",
        of_networks.weigh_networks,
        "digits-mlp",
        Recipe(amount=0.9),
        "smaller-faster",
    ),
    Mistake(
        "half-twice",
        "“Prune 50 % twice, and nothing is left.”",
        "The second call takes half of what is left: {first} and {second} are {both} of {weights}, {sparsity}.",
        of_masks.halve_twice,
        "tutorial-mlp",
        Recipe(amount=0.75, targets=FC1, schedule="geometric:steps=2"),
        "again-and-again",
    ),
    Mistake(
        "amount-one",
        "“`amount=1` prunes everything.”",
        "A whole number is a number of weights: `amount=1` removes {one} of {weights}, `amount=1.0` removes {all}.",
        of_masks.one_and_one,
        "tutorial-mlp",
        Recipe(amount=1.0, targets=FC1),
        "again-and-again",
    ),
    Mistake(
        "dead-is-zero",
        "“A pruned channel outputs zero.”",
        "Of {channels} channels {dead} lost all their weights, and behind the convolution {zeros} of them are zero. "
        "BatchNorm then shifts each to a constant of its own, up to {largest}; {passing} of them are above zero, so "
        "they pass the ReLU. Where a layer has a bias, the bias is left too. Such a channel is constant, not zero.",
        of_networks.look_behind_dead_channels,
        "digits-cnn",
        Recipe(granularity="channel:dim=0,n=2", amount=0.5, targets=("conv1.weight",)),
        "weights-or-neurons",
    ),
    Mistake(
        "every-weight",
        "“Go through all modules and prune each that has `.weight`.”",
        "Norm layers have one, too: a scale per channel. {amount} of those are only {more} weights more, and accuracy "
        "is {all} in place of {spared} (dense: {dense}). Leave norm layers out.",
        of_networks.prune_norms_too,
        "digits-cnn",
        Recipe(amount=0.2, targets=WITH_NORMS, norms=True),
        "weights-or-neurons",
    ),
    Mistake(
        "same-accuracy",
        "“The accuracy is the same, so it is the same network.”",
        "{dense} dense, {pruned} with {amount} removed, and {flips} answers flipped: {lost} right ones became wrong, "
        "{gained} wrong ones right.",
        of_networks.count_flips,
        "digits-cnn",
        Recipe(amount=0.48, scope="global"),
        "reading-a-drift-chart",
    ),
    Mistake(
        "remove-undoes",
        "“`prune.remove` takes the pruning back.”",
        "It makes it permanent: {zeros} of {weights} weights are zero afterwards, and `weight_orig`, which had their "
        "values, is {orig} there. To go back, keep a copy of the dense network.",
        of_masks.remove_mask,
        "tutorial-mlp",
        Recipe(amount=0.5, targets=FC1),
        "a-mask",
    ),
    Mistake(
        "loads-anywhere",
        "“Save the pruned network's `state_dict` and load it into a fresh network.”",
        "The fresh network looks for {missing} and the file has {extra}. Call `prune.remove` before saving, or put the "
        "same masks on before loading.",
        of_masks.load_pruned,
        "tutorial-mlp",
        Recipe(amount=0.5, targets=FC1),
        "smaller-faster",
    ),
)
