"""Structured logs: one JSON object a line on stderr, without bodies, parameters or secrets.

An exception's message often quotes what a client sent (the driver's "Duplicate entry 'x'", a
validation error's input). So the log names its type, its place in the code and a database error's
number and statement; the message itself only where it cannot hold such things.
"""

from __future__ import annotations

import json
import logging
import logging.config
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from apps.common.database_errors import name_of, number_of

APP = logging.getLogger("apps")
"""What the twins themselves have to say. Structured values go into `extra={"fields": {…}}`."""
FRAMES_SHOWN = 12
TELLING = (OSError, RuntimeError)
"""Exceptions whose messages are about the machine or the program, not about a request."""
REPEAT_S = 1.0


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message, the record's fields, and its exception if there is one."""
        message = record.getMessage()
        if record.name == "asyncio":  # goes on with the repr of what failed
            message = message.partition("\n")[0]
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = told(record.exc_info[1])
        return json.dumps(line, default=str)


class OncePerSecond(logging.Filter):
    """Lets the same message through once a second, with the number of those it kept back.

    A database that is away fails every request; its log should not fill the disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}
        self._kept_back: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is to be written."""
        key = (record.name, record.getMessage())
        if record.created - self._last.get(key, 0.0) < REPEAT_S:
            self._kept_back[key] = self._kept_back.get(key, 0) + 1
            return False
        if len(self._last) > 1000:  # messages that all differ must not pile up here
            self._last.clear()
        self._last[key] = record.created
        if kept_back := self._kept_back.pop(key, 0):
            record.fields = {**getattr(record, "fields", {}), "repeated": kept_back}
        return True


def told(error: BaseException) -> dict[str, Any]:
    """An exception without what it may quote: type, place, database error, cause."""
    known: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, TELLING):
        known["message"] = str(error)
    if isinstance(error, DBAPIError):
        known |= database_error(error)
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    known["at"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        known["cause"] = told(cause)
    return known


def database_error(error: DBAPIError) -> dict[str, Any]:
    """A database error's number, its name and the statement, whose values are placeholders."""
    number = number_of(error)
    return {"error": number, "error_name": name_of(number), "statement": error.statement}


def _short(path: str) -> str:
    """The file in its package: the last three parts say which."""
    return "/".join(Path(path).parts[-3:])


def log_as_json() -> None:
    """Make this process log so: its own loggers, uvicorn's, asyncio's, warnings.

    Uvicorn's line per request is off, whatever it was started with: a path's query holds what a
    client said, and its cost would be measured.
    """
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonLines}},
            "filters": {"once": {"()": OncePerSecond}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stderr",
                    "formatter": "json",
                    "filters": ["once"],
                }
            },
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                "uvicorn": {"handlers": [], "propagate": True},
                "uvicorn.error": {"level": logging.getLogger("uvicorn.error").level},
                "uvicorn.access": {"handlers": [], "propagate": False},
            },
        }
    )
    logging.captureWarnings(True)
