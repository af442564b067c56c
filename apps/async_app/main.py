"""What uvicorn serves: the settings, the database and the routes put together."""

from __future__ import annotations

from fastapi import FastAPI

from apps.common.application import create_app
from apps.common.logs import log_as_json
from apps.common.settings import Settings

from . import NAME
from .database import Database
from .routes import router


def build(settings: Settings) -> FastAPI:
    """This twin with the given settings."""
    return create_app(settings, Database, router)


log_as_json()
app = build(Settings.from_environment(NAME))
