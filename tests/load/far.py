"""A connection to a server that is far away."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import websockets

Timed = tuple[float, str | bytes]


class FarSocket:
    """A web socket on which every message takes its time, either way; none overtakes another.

    What a page does about messages that are still under way shows here without any load: a hand moves on before it
    has the answer, and what was sent before a run arrives after it.
    """

    def __init__(self, socket: websockets.ClientConnection, delay: float, seed: int) -> None:
        """Lay the way.

        Args:
            delay: the most seconds that a message takes; the least is a third of it.
        """
        self._socket, self._delay, self._chance = socket, delay, random.Random(seed)
        self._out: asyncio.Queue[Timed] = asyncio.Queue()
        self._in: asyncio.Queue[Timed | None] = asyncio.Queue()
        self._carriers = [asyncio.create_task(each) for each in (self._carry_out(), self._carry_in())]

    async def send(self, data: bytes) -> None:
        self._out.put_nowait((self._arrival(), data))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self._in.get()) is not None:
            await asyncio.sleep(message[0] - time.perf_counter())
            yield message[1]

    def hang_up(self) -> None:
        for carrier in self._carriers:
            carrier.cancel()

    def _arrival(self) -> float:
        return time.perf_counter() + self._chance.uniform(self._delay / 3, self._delay)

    async def _carry_out(self) -> None:
        while True:
            at, data = await self._out.get()
            await asyncio.sleep(at - time.perf_counter())
            await self._socket.send(data)

    async def _carry_in(self) -> None:
        async for data in self._socket:
            self._in.put_nowait((self._arrival(), data))
        self._in.put_nowait(None)
