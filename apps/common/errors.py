"""Every error as `application/problem+json` (RFC 9457), the temporary ones with Retry-After."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from http import HTTPStatus
from logging import ERROR, WARNING
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from apps.common.database_errors import meaning_of
from apps.common.logs import APP, database_error
from apps.common.request_times import NoThread
from apps.common.statements import NoConditions

RETRY_AFTER_S = 1
ERRORS_SHOWN = 20


class Problem(Response):
    """A problem document; pure ASCII, so that no odd character of a request can break it."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        body = {"type": "about:blank", "title": title or HTTPStatus(status).phrase}
        content = json.dumps({**body, "status": status, "detail": detail, **more})
        super().__init__(content, status, headers)


def unavailable(title: str, detail: str, level: int = WARNING, **logged: Any) -> Problem:
    """A 503 that asks the client to come back, and a line in the log with these fields."""
    APP.log(level, title, extra={"fields": logged})
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, detail, title=title, headers=headers)


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Answer every error of `app`, which has these routes, with a problem document."""
    app.state.endpoints = [route for route in routes if isinstance(route, APIRoute)]
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoConditions, _no_conditions)
    app.add_exception_handler(PoolTimeout, _pool_exhausted)
    app.add_exception_handler(NoThread, _no_thread)
    app.add_exception_handler(TimeoutError, _no_answer)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(StaleDataError, _changed_meanwhile)
    app.add_exception_handler(InvalidRequestError, _changed_or_bug)
    app.add_exception_handler(Exception, _bug)


# The handlers are coroutines although they await nothing: Starlette would run plain functions in a
# worker thread, and threads are what an overloaded sync app lacks.


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return Problem(error.status_code, str(error.detail), headers=headers)


def _allowed(request: Request) -> list[str]:
    """All methods of a path; Starlette names those of the first route only."""
    path = request.url.path
    here = [route for route in request.app.state.endpoints if route.path_regex.match(path)]
    return sorted({method for route in here for method in route.methods})


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    shown = [
        {"loc": list(problem["loc"]), "msg": problem["msg"], "type": problem["type"]}
        for problem in problems[:ERRORS_SHOWN]
    ]
    return Problem(422, f"{len(problems)} invalid value(s) in the request", errors=shown)


async def _no_conditions(_: Request, error: Exception) -> Response:
    return Problem(422, str(error))


async def _pool_exhausted(request: Request, error: Exception) -> Response:
    _keep(request, error)
    return unavailable("Connection pool exhausted", "No connection became free in time.")


async def _no_thread(request: Request, error: Exception) -> Response:
    _keep(request, error)
    return unavailable("Threads exhausted", "No worker thread became free in time.")


async def _no_answer(request: Request, error: Exception) -> Response:
    _keep(request, error)
    return unavailable("Database away", "The database did not answer in time.")


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)
    _keep(request, error.orig or error)
    meaning = meaning_of(error)
    if meaning.status == 503:
        level = ERROR if meaning.fault else WARNING
        return unavailable(meaning.title, meaning.detail, level, **database_error(error))
    return Problem(meaning.status, meaning.detail, title=meaning.title)


def _keep(request: Request, error: BaseException) -> None:
    """Keep the error's own words, as a traceback ends with them, for /stats."""
    last_words = traceback.format_exception_only(error)[-1].strip()
    request.app.state.counts.last_error = last_words


async def _changed_meanwhile(_: Request, __: Exception) -> Response:
    return Problem(409, "The item was changed or deleted by another request meanwhile.")


async def _changed_or_bug(request: Request, error: Exception) -> Response:
    """SQLAlchemy has no class of its own for a refresh whose row is gone."""
    if str(error).startswith("Could not refresh instance"):
        return await _changed_meanwhile(request, error)
    raise error


async def _bug(_: Request, __: Exception) -> Response:
    return Problem(500, "The app failed; its log says why.")
