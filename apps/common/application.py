"""Builds a twin: the same FastAPI app around either package's database and routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, Protocol

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.types import ASGIApp

from apps.common import errors, service
from apps.common.admission import Admission, AdmissionGate
from apps.common.api_document import declare_errors
from apps.common.body import WholeBody
from apps.common.deadline import at_gate_s
from apps.common.edge import Counts, Edge
from apps.common.engine import sync_engine_of
from apps.common.request_times import handed_over
from apps.common.settings import Settings
from apps.common.silence import SilenceWatch
from apps.common.timed_driver import time_driver

FASTAPI_TELEMETRY_OFF: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}


class TwinDatabase(Protocol):
    """What the factory needs of a package's Database."""

    engine: Any

    def dispose(self) -> Any:
        """Close all connections; the async twin's result is to be awaited."""
        ...


class Twin(FastAPI):
    """A FastAPI app whose outermost layers count and time even the answers to its own bugs."""

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's stack, wrapped. Middleware added the usual way sits inside error handling."""
        settings: Settings = self.state.settings
        stack = WholeBody(super().build_middleware_stack(), settings.body_timeout_s)
        return Edge(stack, self.state.counts, server_timing=settings.telemetry)

    def openapi(self) -> dict[str, Any]:
        """FastAPI's document, made once, with every error that can be answered."""
        if self.openapi_schema is None:
            self.openapi_schema = declare_errors(super().openapi())
        return self.openapi_schema


def create_app(
    settings: Settings,
    database: Callable[[Settings], TwinDatabase],
    router: APIRouter,
    *,
    watched: bool = True,
) -> FastAPI:
    """A twin, ready to be served. Its engine is made when the loop starts, and disposed with it.

    `watched`: cut connections that are lent for too long (a specimen may go without).
    """
    app = Twin(
        title="Items",
        lifespan=_lifespan(settings, database, watched),
        telemetry=FASTAPI_TELEMETRY_OFF,
        docs_url=None,  # FastAPI's pages load their scripts from the network
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.counts = Counts()
    app.state.gate = None
    app.state.driver_calls = None
    if settings.admitted is not None:
        app.state.gate = AdmissionGate(settings.admitted, at_gate_s(settings.pool_timeout_s))
        app.add_middleware(Admission, gate=app.state.gate)
    errors.install(app, [*service.router.routes, *router.routes])
    app.include_router(service.router)
    app.include_router(router)
    return app


def _lifespan(
    settings: Settings, database: Callable[[Settings], TwinDatabase], watched: bool
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The limiter belongs to the running loop, so it can be set here only.
        current_default_thread_limiter().total_tokens = settings.threads
        app.state.database = database(settings)
        engine = sync_engine_of(app.state.database.engine)
        if settings.telemetry:
            app.state.driver_calls = time_driver(engine)
        watch = SilenceWatch(engine, settings.pool_timeout_s) if watched else None
        watching = asyncio.create_task(watch.run()) if watch is not None else None
        try:
            yield
        finally:
            if watching is not None:
                watching.cancel()
            if isawaitable(closing := app.state.database.dispose()):
                await closing

    return lifespan


async def database_of(request: Request) -> Any:
    """Dependency: the running app's Database. Stamps where checking parameters does not.

    A coroutine, since FastAPI would call a plain function in a worker thread.
    """
    return handed_over(request.app.state.database)
