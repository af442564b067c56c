"""What clients are told about database errors, by the server's number."""

from __future__ import annotations

import pytest
from pymysql.constants import CR, ER
from pymysql.err import OperationalError as DriverError
from sqlalchemy.exc import OperationalError

from apps.common import database_errors
from apps.common.database_errors import meaning_of, name_of


def error(number: int, invalidated: bool = False) -> OperationalError:
    return OperationalError("SELECT 1", {}, DriverError(number, "…"), False, invalidated)


@pytest.mark.parametrize(
    ("number", "status", "title"),
    [
        (CR.CR_SERVER_LOST, 503, "Database away"),
        (ER.CON_COUNT_ERROR, 503, "Database away"),
        (ER.LOCK_DEADLOCK, 503, "Database busy"),
        (ER.LOCK_WAIT_TIMEOUT, 503, "Database busy"),
        (ER.CHECKREAD, 503, "Database busy"),
        (ER.QUERY_INTERRUPTED, 503, "Statement stopped"),
        (ER.DUP_ENTRY, 409, "Conflict"),
        (ER.DATA_TOO_LONG, 422, "Unprocessable Content"),
        (ER.NET_PACKET_TOO_LARGE, 413, "Content Too Large"),
    ],
)
def test_errors_that_are_nobody_s_fault(number: int, status: int, title: str) -> None:
    meaning = meaning_of(error(number))
    assert (meaning.status, meaning.title, meaning.fault) == (status, title, False)


@pytest.mark.parametrize(
    "number", [ER.NO_SUCH_TABLE, ER.ACCESS_DENIED_ERROR, ER.OPTION_PREVENTS_STATEMENT,
               ER.DISK_FULL, ER.PARSE_ERROR, 65_000],
)  # fmt: skip
def test_what_somebody_has_to_mend_is_a_503_and_a_fault(number: int) -> None:
    meaning = meaning_of(error(number))
    assert (meaning.status, meaning.title, meaning.fault) == (503, "Database unusable", True)


def test_a_lost_connection_counts_more_than_its_number() -> None:
    assert meaning_of(error(0, invalidated=True)).title == "Database away"


def test_no_number_has_two_meanings() -> None:
    kinds = ("AWAY", "BUSY", "STOPPED", "CONFLICT", "MISFIT", "TOO_LARGE")
    numbers = [number for kind in kinds for number in getattr(database_errors, kind)]
    assert len(numbers) == len(set(numbers))


def test_names() -> None:
    assert name_of(ER.NO_SUCH_TABLE) == "NO_SUCH_TABLE"
    assert name_of(CR.CR_SERVER_LOST) == "CR_SERVER_LOST"
    assert (name_of(None), name_of(65_000)) == (None, None)
