"""The app, but for what a session brings: that is deleted a second after it has gone, not two minutes."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from app import lifespan
from pruning_explorer.ui.own_models import SESSION_MODELS
from pruning_explorer.ui.upload_room import RoomForUploads

SCRIPT = Path(__file__).resolve().parents[2] / "pruning_explorer" / "ui" / "main.py"

SESSION_MODELS.grace = 1.0
app = st.App(SCRIPT, lifespan=lifespan, middleware=[Middleware(RoomForUploads)])
