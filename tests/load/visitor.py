"""Somebody on the Explore page who moves sliders without a pause, and writes down everything that came back."""

import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from streamlit.proto.Alert_pb2 import Alert

from pruning_explorer import Recipe
from pruning_explorer.ui.browser.message import read_header
from tests.load import own_model
from tests.load.drawn import Run
from tests.load.wire import Session, release

MODELS = ("digits-cnn", "digits-mlp", "digits-vit")
CRITERIA = ("magnitude", "random", "lamp")
SCOPES = ("layer", "global", "row")
PATIENCE = 20.0
"""Seconds after which a visitor who is not answered asks again."""

TRIES = 4

Enough = Callable[[int, float], bool]
"""Whether so many acts, in so many seconds, are enough of a visit."""


@dataclass(frozen=True)
class Asked:
    """What a visitor has set: a network and a recipe on it.

    Attributes:
        owner: the visitor who brought the network; None for one that is everybody's.
    """

    subject: str
    recipe: Recipe
    owner: int | None = None


@dataclass(frozen=True)
class Shown:
    """What one whole run put on the page.

    Attributes:
        query: the page's address.
        figures: label, number and the line below it of each key figure.
        layer: the open layer's message, as it went to the browser.
        stands: what the live mask was told beside it: its amount above all.
        networks: among which one can choose.
        alerts: errors and warnings.
    """

    query: dict[str, list[str]]
    figures: tuple[tuple[str, str, str], ...]
    layer: bytes
    stands: dict[str, object]
    networks: tuple[str, ...]
    alerts: tuple[str, ...]

    @classmethod
    def on(cls, run: Run) -> "Shown":
        components = run.all("bidi_component")
        channels = {each.id.rpartition("-live_mask-")[2]: each for each in components}
        exact = next((json.loads(each.json) for each in components if each.id.endswith("-explore-exact")), {})
        return cls(
            query=run.query,
            figures=tuple((each["label"], each["value"], each["below"]) for each in exact.get("figures", ())),
            layer=channels["layer"].bytes if "layer" in channels else b"",
            stands=json.loads(channels["state"].json) if "state" in channels else {},
            networks=next((tuple(each.options) for each in run.all("selectbox") if each.id.endswith("-subject")), ()),
            alerts=tuple(each.body for each in run.all("alert") if each.format in (Alert.ERROR, Alert.WARNING)),
        )


@dataclass
class Diary:
    """All that a visitor saw.

    Attributes:
        seen: each whole run's page, with all that may have been asked for when it was drawn, the latest last.
        brought: whether the visitor has brought a network.
        unanswered: how often nothing came, until the visitor asked again.
        waits: seconds from letting a slider go to the end of the run that answers, and when on this process's clock.
    """

    number: int
    brought: bool = False
    unanswered: int = 0
    seen: list[tuple[Shown, tuple[Asked, ...]]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)


class Visitor:
    """One session and what it means to see.

    Every amount that visitor 7 of 10 asks for ends in .7 %, so that what is meant for another is known at sight.
    """

    def __init__(self, session: Session, number: int, asked: Asked) -> None:
        self.session, self.diary = session, Diary(number)
        self._asked = [asked]
        self._chance = random.Random(number)
        self._revisions = count(1)
        self._kept: dict[str, bytes] = {}
        session.on_run = self._look

    @property
    def asked(self) -> Asked:
        return self._asked[-1]

    async def arrive(self) -> None:
        """Wait for the first page."""
        await self._answer()

    async def bring(self) -> None:
        """From Models, where the visit began: drop a checkpoint there and go on to Explore with it."""
        number = self.diary.number
        arrived = await self._until(lambda run: run.has("model_files_0"))
        await self.session.upload(arrived.widget("model_files_0"), own_model.FILE, own_model.checkpoint_of(number))
        opened = await self._until(lambda run: run.has("model_files_1") and run.has("to_explore"))
        self.diary.brought = True
        self._asked = [Asked(own_model.NAME, Recipe(), number)]
        await self.session.act(opened.widget("to_explore"), trigger_value=True)
        await self._answer()

    async def wander(self, enough: Enough) -> None:
        """Act until it is enough."""
        start = time.perf_counter()
        for done, act in enumerate(self._acts()):
            if enough(done, time.perf_counter() - start):
                return
            await act()

    def _acts(self) -> Iterator[Callable[[], Awaitable[None]]]:
        slides = (self.slide, self.slide, self.slide_twice)
        others = (self.choose_scope, self.choose_criterion, self.choose_model)
        while True:
            for _ in range(self._chance.randint(2, 5)):
                yield self._chance.choice(slides)
            yield self._chance.choice(others)

    # ---- what a person does ----

    async def slide(self) -> None:
        """Let go of the handle on the curve."""
        amount = self._amount()
        self._want(amount=amount)
        await self._let_go("amount_curve-view", json_value=self._release(amount))

    async def slide_twice(self) -> None:
        """Go on before the page has answered."""
        amount = self._amount()
        self._want(amount=amount)
        await self._act("amount_curve-view", json_value=self._release(amount))
        await self.slide()

    async def choose_scope(self) -> None:
        scope = self._other(SCOPES, self.asked.recipe.scope)
        self._want(scope=scope)
        await self._act("scope", string_array_value=[scope.capitalize()])
        await self._answer()

    async def choose_criterion(self) -> None:
        criterion = self._other(CRITERIA, self.asked.recipe.criterion.name)
        await self._act("criterion_open", bool_value=True)
        await self._until(lambda run: run.has(f"criterion_{criterion}"))
        self._want(criterion=criterion)
        await self._act(f"criterion_{criterion}", trigger_value=True)
        self.session.forget(self._widget("criterion_open"))
        await self._answer()

    async def choose_model(self) -> None:
        mine = (own_model.NAME,) if self.diary.brought else ()
        model = self._other((*MODELS, *mine), self.asked.subject)
        self._asked.append(replace(self.asked, subject=model, owner=self.diary.number if model in mine else None))
        await self._act("subject", string_value=model)
        await self._answer()

    def _release(self, amount: float) -> str:
        return release(round(amount * 100, 1), next(self._revisions))

    def _amount(self) -> float:
        """One that no page shows which may still stand: else that would be taken for the answer."""
        shown = {each.recipe.amount for each in self._asked}
        own = (round((whole + self.diary.number / 10) / 100, 3) for whole in range(5, 95))
        return self._chance.choice([amount for amount in own if amount not in shown])

    def _other(self, choices: tuple[str, ...], now: str) -> str:
        return self._chance.choice([each for each in choices if each != now])

    def _want(self, **changes: Any) -> None:
        self._asked.append(replace(self.asked, recipe=replace(self.asked.recipe, **changes)))

    # ---- what comes of it ----

    async def _let_go(self, key: str, **value: Any) -> None:
        released = time.perf_counter()
        await self._act(key, **value)
        run = await self._answer()
        assert run.ended is not None
        self.diary.waits.append((released, run.ended - released))

    async def _act(self, key: str, **value: Any) -> None:
        await self.session.act(self._widget(key), **value)

    def _widget(self, key: str) -> str:
        assert self.session.standing is not None
        return self.session.standing.widget(key)

    async def _answer(self) -> Run:
        """The run that shows what was asked for last, by its address; anything else it shows is checked later."""
        asked = self.asked
        run = await self._until(lambda run: _is_answer(run, asked))
        self._asked = [asked]
        return run

    async def _until(self, stands: Callable[[Run], bool]) -> Run:
        """The page of which that is true.

        If it does not come, a person asks again, and so does a visitor, who notes it.
        """
        for _ in range(TRIES - 1):
            try:
                return await self.session.until(stands, PATIENCE)
            except TimeoutError:
                self.diary.unanswered += 1
                await self.session.rerun()
        return await self.session.until(stands, PATIENCE)

    def _look(self, run: Run) -> None:
        if not run.has("amount_curve-view"):
            return  # still on Models
        shown = Shown.on(run)
        # The same layer comes again with every run: it is kept once
        same = self._kept.setdefault(_digest(shown.layer), shown.layer)
        self.diary.seen.append((replace(shown, layer=same), tuple(self._asked)))


def _is_answer(run: Run, asked: Asked) -> bool:
    query = run.query
    scope, criterion = asked.recipe.scope, str(asked.recipe.criterion)
    return (
        query.get("subject") == [asked.subject]
        and float(query.get("amount", ["0.5"])[0]) == asked.recipe.amount
        and query.get("scope", ["layer"]) == [scope]
        and query.get("criterion", ["magnitude"]) == [criterion]
    )


def _digest(message: bytes) -> str:
    return str(read_header(message)["digest"]) if message else ""
