"""A recipe: everything that decides which weights go, in one frozen value."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.experts import grouping_of
from pruning_explorer.prune.granularities import GRANULARITIES, GranularitySpec
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS, Allocation, Scope, check_amount
from pruning_explorer.prune.registry import Chosen
from pruning_explorer.prune.schedule import SCHEDULES, Schedule
from pruning_explorer.prune.settings import Choice
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import OPTIONAL, Role, Target

LARGEST = 1 << 20
"""Most characters of a recipe's file."""
EXAMPLE = '{"criterion": "magnitude", "amount": 0.8}'


@dataclass(frozen=True)
class Recipe:
    """Criterion + granularity + scope + amounts + targets + schedule: what to prune, and how.

    Criterion, granularity and schedule are given as text, and held as the parsed objects:
    ``recipe.criterion.title``, ``recipe.granularity.values["dim"]``, ``str(recipe.schedule)``.

    Attributes:
        criterion: ``"magnitude"``, or another of ``CRITERIA`` with its settings: ``"scores:file=ab12cd34ef56"``.
        granularity: ``"element"``, or another of ``GRANULARITIES`` with its settings: ``"channel:dim=0,n=2"``.
        scope: ``"layer"``: each target ranked by itself; ``"row"``: each row of it, an index along its ``out_dim``;
            ``"global"``: all targets in one ranking.
        amount: fraction of the groups to remove, in [0, 1], of the dense targets.
        amounts: amounts of single targets by name; such a target leaves a global ranking and is cut by itself.
        targets: names of the targets; None means all that are offered.
        frozen: names of targets that stay dense.
        cap: the largest fraction that any target may lose, in [0, 1]. What a capped target does not lose, the others
            of a global ranking do.
        embeddings, biases, norms: whether embeddings, biases and norm layers are offered where ``targets`` is None.
            One that ``targets`` or ``amounts`` names is pruned all the same.
        seed: of random criteria.
        allocation: ``"each"``: every target loses the amount itself; ``"uniform"``, ``"erk"``: the amount is of all
            targets together, shared out so that the total is met exactly (:mod:`pruning_explorer.prune.allocation`).
            A target with an amount of its own has no part in that total.
        schedule: ``"one-shot"``, or steps that each score anew what is left: ``"cubic:steps=10"``.
        recalibrate: whether BatchNorm's running statistics are measured again after pruning.

    Raises:
        RecipeError: a value is out of range, of the wrong type, or unknown, or two do not go together.

    >>> Recipe(amount=0.8).id == Recipe.from_json(Recipe(amount=0.8).to_json()).id
    True
    """

    criterion: Chosen[Criterion] = Chosen(CRITERIA, "magnitude")
    granularity: Chosen[GranularitySpec] = Chosen(GRANULARITIES, "element")
    scope: Scope = "layer"
    amount: float = 0.5
    amounts: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    frozen: tuple[str, ...] = ()
    cap: float = 1.0
    embeddings: bool = False
    biases: bool = False
    norms: bool = False
    seed: int = 0
    allocation: Allocation = "each"
    schedule: Chosen[Schedule] = Chosen(SCHEDULES, "one-shot")
    recalibrate: bool = False

    def __post_init__(self) -> None:
        for name in ("cap", "recalibrate", "seed", *OPTIONAL.values()):
            self._set(name, SETTINGS[name].check(getattr(self, name)))
        self._set("amount", check_amount(self.amount))
        SCOPES.find(self.scope)
        ALLOCATIONS.find(self.allocation)
        if self.scope == "global" and self.allocation != "each":
            raise RecipeError(
                f"scope global decides by itself what each layer loses, so allocation {self.allocation} has no say; "
                "choose scope layer, or allocation each"
            )
        if not isinstance(self.amounts, Mapping) or not all(isinstance(name, str) for name in self.amounts):
            raise RecipeError(f"amounts must map target names to fractions, not {self.amounts!r}")
        amounts = {name: check_amount(self.amounts[name], name) for name in sorted(self.amounts)}
        self._set("amounts", MappingProxyType(amounts))
        self._set("targets", None if self.targets is None else _names(self.targets, "targets"))
        self._set("frozen", _names(self.frozen, "frozen"))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[object, ...]:
        # A read-only mapping can be neither copied nor pickled
        return type(self).from_dict, (self.to_dict(),)

    @property
    def id(self) -> str:
        """12 hex digits made of the content; fields and settings at their defaults do not count, so that a new
        option leaves old ids as they are.
        """
        content = self.to_dict(defaults=False)
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=6).hexdigest()

    def to_dict(self, *, defaults: bool = True) -> dict[str, Any]:
        """Plain values, ready for JSON; without the fields at their defaults if asked."""
        content: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Choice):
                value = value.text(defaults=defaults)
            elif isinstance(value, Mapping):
                value = dict(value)
            elif isinstance(value, tuple):
                value = list(value)
            if defaults or value != _plain_default(each.name):
                content[each.name] = value
        return content

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make a recipe of plain values, as :meth:`to_dict` returns them.

        Raises:
            RecipeError: a field is unknown, or its value is invalid.
        """
        if not isinstance(content, Mapping):
            raise RecipeError(f"a recipe is an object of named fields, not {type(content).__name__}")
        known = {each.name for each in fields(cls)}
        unknown = [str(name) for name in content if name not in known]
        if unknown:
            raise RecipeError(
                f"a recipe has no field {', '.join(map(repr, unknown))}; its fields: {', '.join(sorted(known))}"
            )
        # JSON knows no difference between 1 and 1.0; torch's "1 is one weight" is not meant in a file
        values: dict[str, Any] = {key: _fraction(v) if key == "amount" else v for key, v in content.items()}
        if isinstance(values.get("amounts"), Mapping):
            values["amounts"] = {name: _fraction(value) for name, value in values["amounts"].items()}
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` writes.

        Raises:
            RecipeError: it is too long, no JSON, or no recipe.
        """
        if len(text) > LARGEST:
            raise RecipeError(too_large(len(text)))
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"this is not JSON ({error}); a recipe looks like {EXAMPLE}") from None
        return cls.from_dict(content)

    def chosen(self, subject: Subject) -> tuple[Target, ...]:
        """The targets of ``subject`` that this recipe prunes, in the network's order, without the frozen ones.

        Raises:
            TargetError: a name is not in the subject.
            RecipeError: a named target cannot be grouped as the recipe asks.
        """
        frozen = {subject.target(name).name for name in self.frozen}
        with_amounts = {subject.target(name).name for name in self.amounts}
        if self.targets is None:
            return tuple(t for t in _on_offer(subject, self, with_amounts) if t.name not in frozen)
        named = {subject.target(name).name for name in self.targets}
        chosen = tuple(target for target in subject.targets if target.name in named - frozen)
        for target in chosen:
            reason = refusal(subject, self, target)
            if reason:
                raise RecipeError(f"{target.name} cannot be pruned by {reason}")
        return chosen

    @property
    def nested(self) -> bool:
        """Whether a larger amount removes the same weights and more, so that one ranking serves all amounts.

        False where a schedule scores the rest again after each step, since the steps depend on the amount.
        """
        return self.schedule.steps == 1 or self.criterion.static

    def amount_of(self, target: Target) -> float | None:
        """The target's own amount, if it has one, by any of its names."""
        return next((self.amounts[name] for name in (target.name, *target.aliases) if name in self.amounts), None)


def offered(subject: Subject, recipe: Recipe, named: Collection[str] = ()) -> tuple[Target, ...]:
    """The targets among which a person chooses: weights; embeddings, biases and norms where the recipe wants them.

    Args:
        named: targets that are on offer too, whatever they are.
    """
    return _on_offer(subject, recipe, set(named))


def _on_offer(subject: Subject, recipe: Recipe, named: set[str]) -> tuple[Target, ...]:
    """The targets on offer, and those of ``named`` that can be pruned, whatever is switched on."""
    # What a mask of one's own says of a layer is said by name
    by_name = recipe.criterion.names_targets
    off = set() if by_name else _off(recipe)
    return tuple(
        target
        for target in subject.targets
        if (target.role not in off or target.name in named) and refusal(subject, recipe, target) is None
    )


def _off(recipe: Recipe) -> set[Role]:
    """What is pruned only where it is named."""
    return {"other", *(role for role, switch in OPTIONAL.items() if not getattr(recipe, switch))}


def passed_over(subject: Subject, recipe: Recipe) -> dict[str, str]:
    """Names of parameters that are switched on but cannot be pruned as the recipe asks, with reasons; they stay dense.

    Empty where the recipe names its targets: then one that cannot be pruned is an error.
    """
    if recipe.targets is not None or recipe.criterion.names_targets:
        return {}
    off = _off(recipe)
    reasons = {t.name: refusal(subject, recipe, t) for t in subject.targets if t.role not in off}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def why_nothing(subject: Subject, recipe: Recipe) -> str:
    """Why a recipe finds no target in ``subject``, and what to do about it."""
    if recipe.targets is None and not offered(subject, recipe):
        reasons = (refusal(subject, recipe, target) for target in subject.targets if target.role == "weight")
        if reason := next(filter(None, reasons), None):
            return f"no layer of {subject.name} can be pruned by {reason}"
        off = dict.fromkeys(OPTIONAL[t.role] for t in subject.targets if t.role in OPTIONAL)
        switches = [switch for switch in off if not getattr(recipe, switch)]
        if all(target.role == "other" for target in subject.targets):
            return (
                f"{subject.name} has no layer that torch knows, and what belongs to none is pruned where it is named: "
                f"targets=({subject.targets[0].name!r},)"
            )
        if switches:
            return (
                f"{subject.name} has no weights but {' and '.join(off)}, which are off by default; switch on "
                f"“{SETTINGS[switches[0]].label}” ({switches[0]}=True)"
            )
    return "no layer is chosen, so there is nothing to prune; choose at least one"


def refusal(subject: Subject, recipe: Recipe, target: Target) -> str | None:
    """What of the recipe cannot be done to ``target``, and why: ``"channel:dim=2,n=2: it has 2 dims …"``, or None."""
    granularity = recipe.granularity.grouping
    if reason := grouping_of(granularity, target).refuse(target):
        return f"{recipe.granularity}: {reason}"
    if recipe.scope == "row":
        if not granularity.within_rows:
            return f"scope row: {granularity.unit} are no weights within one row; choose element or n_m, or scope layer"
        if len(target.shape) < 2:
            return "scope row: it has one dim only, so its rows are its elements"
    if reason := recipe.criterion.refuse(subject, target):
        return f"{recipe.criterion}: {reason}"
    return None


def too_large(size: int) -> str:
    """The error message for a file that is too large to be a recipe."""
    return f"this has {size:,} bytes, and a recipe has at most {LARGEST:,}; take the file that “Download recipe” wrote"


def _fraction(value: object) -> object:
    return float(value) if type(value) is int and abs(value) <= 100 else value


def _names(value: object, what: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        raise RecipeError(f"{what} must be a list of target names, not {value!r}")
    return tuple(sorted(set(value)))


def _plain_default(name: str) -> object:
    collections: dict[str, object] = {"amounts": {}, "targets": None, "frozen": []}
    return collections[name] if name in collections else SETTINGS[name].default
