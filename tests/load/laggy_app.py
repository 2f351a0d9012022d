"""The app on an event loop that something else blocks, again and again: what a busy machine does to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from tests.load import hasty_app

LAG = 0.015
"""Seconds for which nothing else gets its turn on the loop."""


async def _block() -> None:
    while True:
        time.sleep(LAG)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """The app's own, with the blocking beside it."""
    async with hasty_app.lifespan(app):
        blocking = asyncio.create_task(_block())
        yield
        blocking.cancel()


app = st.App(hasty_app.SCRIPT, lifespan=lifespan)
