"""The twins with the admission gate in each place it could stand; FORM and TWIN say which."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Coroutine
from importlib import import_module
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from apps.common.admission import AdmissionGate, enter_timed
from apps.common.application import create_app
from apps.common.settings import Settings

FORMS = ("none", "middleware", "route", "dependency", "max_concurrency")


class GatedRoute(APIRoute):
    """The gate around each route's handler, by FastAPI's own means of wrapping it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler of this route, behind the gate."""
        handle = super().get_route_handler()

        async def handle_in_turn(request: Request) -> Response:
            gate: AdmissionGate = request.app.state.other_gate
            await enter_timed(gate)
            try:
                return await handle(request)
            finally:
                gate.leave()

        return handle_in_turn


async def admitted(request: Request) -> AsyncIterator[None]:
    """The gate as a dependency."""
    gate: AdmissionGate = request.app.state.other_gate
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
    routes: APIRouter = import_module(f"apps.{twin}_app.routes").router
    database = import_module(f"apps.{twin}_app.database").Database
    if form == "middleware":
        return create_app(settings, database, routes)
    held = settings.pool_size + settings.max_overflow
    app = create_app(
        settings.model_copy(update={"admission": -1}), database, _around(form, routes, held)
    )
    app.state.other_gate = AdmissionGate(held, settings.pool_timeout_s)
    return app


def _around(form: str, routes: APIRouter, held: int) -> APIRouter:
    """The routes again, with the gate of this form around each."""
    dependencies = {
        "dependency": [Depends(admitted, scope="function")],
        "max_concurrency": [Depends(nothing, scope="function", max_concurrency=held)],
    }
    if form == "route":
        around = APIRouter(route_class=GatedRoute)
        for route in routes.routes:
            assert isinstance(route, APIRoute)
            around.add_api_route(
                route.path,
                route.endpoint,
                methods=list(route.methods or ()),
                response_model=route.response_model,
                status_code=route.status_code,
            )
        return around
    around = APIRouter(dependencies=dependencies.get(form, []))
    around.include_router(routes)
    return around


app = build(os.environ["FORM"], os.environ["TWIN"])
