"""The app object and its start-up: ``streamlit run app.py``."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

import pruning_explorer
from pruning_explorer.app_options import read_options
from pruning_explorer.ui.own_models import SESSION_MODELS
from pruning_explorer.ui.page_style import StyledFromTheStart
from pruning_explorer.ui.saved_files import ROUTE
from pruning_explorer.ui.start import warm_up
from pruning_explorer.ui.upload_folders import FOLDERS, remove_abandoned
from pruning_explorer.ui.upload_room import RoomForUploads

OPTIONS = read_options(sys.argv[1:])
MAIN = Path(pruning_explorer.__file__).parent / "ui" / "main.py"


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Import what is heavy and load the first subject before the first visitor comes."""
    pages = (f"pruning_explorer.ui.{page}.page" for page in ("explore", "compare", "learn", "models"))
    for module in ("torch", "pandas", "plotly.graph_objects", *pages):
        import_module(module)
    if removed := remove_abandoned():
        servers = "a server" if removed == 1 else f"{removed} servers"
        print(f"pruning-explorer: removed the uploads of {servers} that had been killed", flush=True)
    warm_up(OPTIONS)
    # Streamlit collects garbage after every run; frozen, the million objects of these modules are not looked at
    gc.collect()
    gc.freeze()
    yield
    SESSION_MODELS.end_all()
    FOLDERS.remove_all()


MIDDLEWARE = [Middleware(RoomForUploads), Middleware(StyledFromTheStart)]

app = st.App(MAIN, lifespan=lifespan, routes=[ROUTE], middleware=MIDDLEWARE)
