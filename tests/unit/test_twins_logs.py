"""Log lines are JSON, and say nothing of what clients sent, nor secrets, nor parameters."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from pymysql.err import IntegrityError as DriverError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from apps.common.logs import JsonLines, OncePerSecond

SECRET = "s3cret"


def record(message: str = "said", **more: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "apps", "levelname": "WARNING", "msg": message, **more})
    made.created = 1_000_000.0 + more.get("at_s", 0.0)
    return made


def line(made: logging.LogRecord) -> dict[str, Any]:
    written = JsonLines().format(made)
    assert "\n" not in written
    read: dict[str, Any] = json.loads(written)
    return read


def raised(error: Exception, cause: Exception | None = None) -> logging.LogRecord:
    try:
        raise error from cause
    except type(error):
        return record(exc_info=sys.exc_info())


def test_a_line_has_time_level_logger_message_and_fields() -> None:
    assert line(record(fields={"connections": 2})) == {
        "time": "1970-01-12T13:46:40.000+00:00", "level": "warning", "logger": "apps",
        "message": "said", "connections": 2,
    }  # fmt: skip


@pytest.mark.parametrize("error", [ValueError(f"bad {SECRET}"), KeyError(SECRET)])
def test_an_exception_tells_its_type_and_place_but_does_not_quote(error: Exception) -> None:
    made = raised(error, cause=LookupError(SECRET))
    told = line(made)["exception"]
    assert told["type"] == f"builtins.{type(error).__name__}"
    assert told["at"][-1].endswith(" raised")
    assert told["cause"]["type"] == "builtins.LookupError"
    assert SECRET not in json.dumps(line(made))


def test_an_error_of_the_machine_tells_its_message() -> None:
    assert line(raised(OSError(24, "Too many open files")))["exception"]["message"] == (
        "[Errno 24] Too many open files"
    )


def test_a_database_error_tells_number_name_and_statement_only() -> None:
    statement, driver_error = "INSERT INTO t VALUES (%(v)s)", DriverError(1062, f"entry '{SECRET}'")
    told = line(raised(IntegrityError(statement, {"v": SECRET}, driver_error)))
    exception = told["exception"]
    assert (exception["error"], exception["error_name"]) == (1062, "DUP_ENTRY")
    assert exception["statement"] == statement
    assert SECRET not in json.dumps(told)


def test_an_engine_as_ours_keeps_parameters_out_of_its_errors() -> None:
    """The one place where a parameter could come out in spite of the formatter: a `str(error)`."""
    engine = create_engine("sqlite://", hide_parameters=True)
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT nothing FROM nowhere WHERE v = :v"), {"v": SECRET})
    engine.dispose()
    assert SECRET not in str(caught.value)


def test_asyncio_does_not_get_to_show_what_failed() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SECRET}')>"
    assert line(record(message, name="asyncio"))["message"] == "Task exception was never retrieved"


def test_the_same_message_comes_once_a_second_with_the_number_kept_back() -> None:
    once = OncePerSecond()
    passed = [once.filter(made) for made in (record(), record(at_s=0.5), record("other"))]
    assert passed == [True, False, True]
    later = record(at_s=1.5, fields={"a": 1})
    assert once.filter(later)
    assert line(later) | {"a": 1, "repeated": 1} == line(later)
    assert "repeated" not in line(record("other"))
