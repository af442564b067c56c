"""A twin in the test's own process, on a real database: for moments unseen from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from apps.common.application import create_app
from apps.common.settings import Settings


@asynccontextmanager
async def twin_inside(
    name: str, database_url: str, **settings: object
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The twin, running, and a client that calls it directly."""
    routes = import_module(f"apps.{name}_app.routes")
    database = import_module(f"apps.{name}_app.database")
    values = {"app": name, "database_url": SecretStr(database_url), **settings}
    app = create_app(Settings.model_validate(values), database.Database, routes.router)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://twin", timeout=20) as client,
    ):
        yield app, client
