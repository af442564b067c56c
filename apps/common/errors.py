"""Every error as `application/problem+json` (RFC 9457), the temporary ones with Retry-After."""

from __future__ import annotations

import json
import traceback
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from apps.common.request_times import NoThread
from apps.common.statements import NoConditions

RETRY_AFTER_S = 1
ERRORS_SHOWN = 20

DATABASE_AWAY = frozenset(
    # client side: cannot connect, server gone, connection lost
    {2002, 2003, 2005, 2006, 2013, 2055}
    # server side: full, shutting down, handshake or network broken, connection killed
    | {1040, 1042, 1043, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1203, 1927, 4031}
)
"""Numbers of MySQL's and MariaDB's errors that pass by themselves once the server is back."""
DATABASE_BUSY = frozenset({1205, 1213})
"""Lock wait timeout and deadlock: the same request may well succeed a moment later."""


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


def unavailable(title: str, detail: str) -> Problem:
    """A 503 that asks the client to come back."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, detail, title=title, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoConditions, _no_conditions)
    app.add_exception_handler(PoolTimeout, _pool_exhausted)
    app.add_exception_handler(NoThread, _no_thread)
    app.add_exception_handler(TimeoutError, _no_answer)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _bug)


# The handlers are coroutines although they await nothing: Starlette would run plain functions in a
# worker thread, and threads are what an overloaded sync app lacks.


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


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
    number = _error_number(error)
    if error.connection_invalidated or number in DATABASE_AWAY:
        return unavailable("Database away", "The database cannot be reached.")
    if number in DATABASE_BUSY:
        return unavailable("Database busy", "Another transaction holds the rows.")
    raise error  # of our own making: it goes to the log, and out as a 500


def _keep(request: Request, error: BaseException) -> None:
    """Keep the error's own words, as a traceback ends with them, for /stats."""
    last_words = traceback.format_exception_only(error)[-1].strip()
    request.app.state.counts.last_error = last_words


def _error_number(error: DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


async def _bug(_: Request, __: Exception) -> Response:
    return Problem(500, "The app failed; its log says why.")
