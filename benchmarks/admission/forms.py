"""The twins with the admission gate in each place it could stand; FORM and TWIN say which."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from importlib import import_module

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.common.admission import AdmissionGate, enter_timed
from apps.common.application import create_app
from apps.common.edge import OWN_PATHS
from apps.common.settings import Settings

FORMS = ("none", "middleware", "route", "dependency", "max_concurrency")


class Middleware:
    """The gate as a pure ASGI layer: the slot is held while the body comes and the answer goes."""

    def __init__(self, app: ASGIApp, gate: AdmissionGate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, in its turn."""
        if scope["type"] != "http" or scope["path"] in OWN_PATHS:
            await self.app(scope, receive, send)
            return
        await enter_timed(self.gate)
        try:
            await self.app(scope, receive, send)
        finally:
            self.gate.leave()


async def admitted(request: Request) -> AsyncIterator[None]:
    """The gate as a dependency."""
    gate: AdmissionGate = request.app.state.dependency_gate
    await enter_timed(gate)
    try:
        yield
    finally:
        gate.leave()


async def nothing() -> AsyncIterator[None]:
    """What FastAPI's own `max_concurrency` bounds."""
    yield


def build(form: str, twin: str) -> FastAPI:
    """The twin with its gate in the place called `form`."""
    settings = Settings.from_environment(twin)
    if form == "route":
        return _app(settings, twin, [])
    held = settings.pool_size + settings.max_overflow
    bare = settings.model_copy(update={"admission": -1})
    dependencies = {
        "dependency": [Depends(admitted, scope="function")],
        "max_concurrency": [Depends(nothing, scope="function", max_concurrency=held)],
    }
    app = _app(bare, twin, dependencies.get(form, []))
    gate = AdmissionGate(held, settings.pool_timeout_s)
    app.state.dependency_gate = gate
    if form == "middleware":
        app.add_middleware(Middleware, gate=gate)
    return app


def _app(settings: Settings, twin: str, dependencies: list[object]) -> FastAPI:
    routes = import_module(f"apps.{twin}_app.routes").router
    database = import_module(f"apps.{twin}_app.database").Database
    router = APIRouter(dependencies=dependencies)  # type: ignore[arg-type]
    router.include_router(routes)
    return create_app(settings, database, router)


app = build(os.environ["FORM"], os.environ["TWIN"])
