"""What a database error means to the client: its number read as one of few kinds of answer."""

from __future__ import annotations

from dataclasses import dataclass

from pymysql.constants import CR, ER
from sqlalchemy.exc import DBAPIError

AWAY = frozenset(
    # client side: cannot connect, server gone, connection lost
    {2002, 2003, 2005, 2006, 2013, 2055}
    # server side: full, shutting down, handshake or network broken, connection killed
    | {1040, 1042, 1043, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1203, 1927, 4031}
)
"""Numbers of MySQL's and MariaDB's errors that pass by themselves once the server is back."""
BUSY = frozenset({1020, 1205, 1213})
"""Changed since it was read, lock wait timeout, deadlock: the same request may succeed next."""
STOPPED = frozenset({1317, 1969, 3024})
"""Somebody, or the server's limit on the time of a statement, ended it."""
CONFLICT = frozenset({1022, 1062, 1169, 1451, 1452})
"""The rows that are there rule it out: a key is taken, or another row refers to this one."""
MISFIT = frozenset(
    {1048, 1264, 1265, 1292, 1300, 1364, 1366, 1406, 1411, 1690, 3819, 3988, 4025}
)  # fmt: skip
"""A value does not fit its column, or breaks a check of the table."""
TOO_LARGE = frozenset({1153})
"""More than the server's max_allowed_packet."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The answer to a database error. `fault`: whether somebody has to mend something."""

    status: int
    title: str
    detail: str
    fault: bool = False


_AWAY = Meaning(503, "Database away", "The database cannot be reached.")
_MEANINGS = (
    (AWAY, _AWAY),
    (BUSY, Meaning(503, "Database busy", "Another transaction holds or has changed the rows.")),
    (STOPPED, Meaning(503, "Statement stopped", "The database ended the statement.")),
    (CONFLICT, Meaning(409, "Conflict", "The rows that exist do not allow it.")),
    (MISFIT, Meaning(422, "Unprocessable Content", "A value does not fit its column.")),
    (TOO_LARGE, Meaning(413, "Content Too Large", "The database does not take that much.")),
)
_UNUSABLE = Meaning(
    503, "Database unusable", "The database refused the statement; the log says why.", fault=True
)
"""No table, no rights, read-only, disk full: nothing that the client could do better."""


def meaning_of(error: DBAPIError) -> Meaning:
    """What to answer to this error."""
    if error.connection_invalidated:
        return _AWAY
    number = number_of(error)
    return next((meaning for numbers, meaning in _MEANINGS if number in numbers), _UNUSABLE)


def number_of(error: DBAPIError) -> int | None:
    """The server's or the client library's number of an error."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def name_of(number: int | None) -> str | None:
    """The symbolic name, such as NO_SUCH_TABLE: it tells what happened without quoting values."""
    return _NAMES.get(number) if number is not None else None


_NAMES = {
    number: name
    for constants in (ER, CR)
    for name, number in vars(constants).items()
    if isinstance(number, int) and not name.endswith(("_FIRST", "_LAST"))
}
