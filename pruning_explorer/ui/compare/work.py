"""Measure recipes behind the page: what is ready is shown, what is no longer wanted is not begun."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lab.study import Study, study
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import on_forget

PATIENCE = 0.25
"""Seconds that a page waits for what is nearly done, rather than be drawn twice."""


@dataclass(frozen=True)
class Standing:
    """How far one recipe is: its study, or why there is none, or neither yet."""

    study: Study | None = None
    problem: str = ""

    @property
    def waiting(self) -> bool:
        return self.study is None and not self.problem


@dataclass(eq=False)
class _Order:
    future: "Future[None]"
    wanted_by: set[str] = field(default_factory=set)


class StudyDesk:
    """Has studies made behind the page, for all sessions; orders that nobody waits for any more are taken back."""

    def __init__(self, keep: int = 64) -> None:
        self._keep = keep
        self._orders: OrderedDict[tuple[str, str], _Order] = OrderedDict()
        self._lock = threading.Lock()
        # One that takes a minute must not hold up those that take a moment
        self._worker = ThreadPoolExecutor(2, thread_name_prefix="studies")
        on_forget(self.forget)

    def ask(self, subject: Subject, recipes: Sequence[Recipe], asker: str) -> list[Standing]:
        """How each recipe stands, after a moment's patience."""
        keys = [(subject.id, recipe.id) for recipe in recipes]
        with self._lock:
            self._take_back(asker, set(keys))
            orders = [self._order(key, subject, recipe, asker) for key, recipe in zip(keys, recipes, strict=True)]
        wait([order.future for order in orders], timeout=PATIENCE)
        return [self._standing(order, subject, recipe) for order, recipe in zip(orders, recipes, strict=True)]

    def forget(self, subject: Subject) -> None:
        """Take back the subject's orders."""
        with self._lock:
            for key in [key for key in self._orders if key[0] == subject.id]:
                self._orders.pop(key).future.cancel()

    def _order(self, key: tuple[str, str], subject: Subject, recipe: Recipe, asker: str) -> _Order:
        order = self._orders.get(key)
        if order is None or order.future.cancelled():
            order = self._orders[key] = _Order(self._worker.submit(_measure, subject, recipe))
            while len(self._orders) > self._keep:
                self._orders.popitem(last=False)[1].future.cancel()
        order.wanted_by.add(asker)
        self._orders.move_to_end(key)
        return order

    def _take_back(self, asker: str, wanted: set[tuple[str, str]]) -> None:
        for key, order in list(self._orders.items()):
            if key not in wanted and asker in order.wanted_by and not order.future.done():
                order.wanted_by.discard(asker)
                if not order.wanted_by and order.future.cancel():
                    del self._orders[key]

    def _standing(self, order: _Order, subject: Subject, recipe: Recipe) -> Standing:
        if not order.future.done():
            return Standing()
        problem = order.future.exception()
        try:
            # Kept by the studies' own cache, bounded in bytes; made again should it be gone
            return Standing(study(subject, recipe)) if problem is None else Standing(problem=str(problem))
        except PruningExplorerError as error:  # the network's file is no longer what it was
            return Standing(problem=str(error))


def _measure(subject: Subject, recipe: Recipe) -> None:
    try:
        made = study(subject, recipe)
        for part in ("layers", "sparsity", "cost", "drift", "quality"):
            getattr(made, part)
    except PruningExplorerError:
        raise
    except Exception as error:  # a foreign network may raise anything; its column says so, the others go on
        raise PruningExplorerError(f"measuring failed ({type(error).__name__}: {error})") from error
