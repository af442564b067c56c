"""From what users note to samples."""

import numpy as np
import pytest

from loadtests.arrivals import Window
from loadtests.generator.messages import messages_for
from loadtests.recorder import Row, sample_table, server_timing_ms
from loadtests.scenarios.model import Keys, Request
from loadtests.trials import SAMPLE_SCHEMA, OpenLoad, Target, TrialOrder

ORDER = TrialOrder(7, 2, 3, "s", OpenLoad(5), Target("sync", 4, "http://x"), 1, 0.1, 1.0)
MESSAGES = messages_for(
    [
        Request(name="read", path="/{key}", keys=Keys(first=1, last=9)),
        Request(name="ping", path="/", expect_status=(201,)),
    ],
    "http://x",
)
HEAD = b"HTTP/1.1 200 OK\r\nServer-Timing: %b\r\nx: y\r\n\r\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"thread;dur=0.5, pool;dur=1, db;dur=2.25, total;dur=4", (0.5, 1.0, 2.25, 4.0)),
        (b'db;desc="my db";dur=3', (None, None, 3.0, None)),
        (b"total;dur=1.2.3,db;dur=4", (None, None, 4.0, None)),
        (b"mydb;dur=3, total ; dur = 7", (None, None, None, 7.0)),
        (b"", (None, None, None, None)),
    ],
)
def test_server_timing(value: bytes, expected: tuple[float | None, ...]) -> None:
    found = server_timing_ms(HEAD % value)
    assert tuple(found.get(name) for name in ("thread", "pool", "db", "total")) == expected


def test_several_server_timing_headers_add_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nserver-timing: db;dur=1\r\nServer-Timing: pool;dur=2\r\n\r\n"
    assert server_timing_ms(head) == {"db": 1.0, "pool": 2.0}


def test_rows_become_samples_in_order_of_arrival() -> None:
    rows: list[Row] = [
        (2, 300, None, 900, 0, 0, b"", "timeout"),
        (0, 100, 110, 150, 200, 12, HEAD % b"db;dur=1", None),
        (1, 200, 210, 250, 200, 5, b"", None),
        (3, 400, 410, 450, 503, 0, b"", None),
    ]
    table = sample_table(ORDER, Window(50, 200, 450), rows, MESSAGES, [0, 1, 0, 0], [5, -1, 6, 7])
    assert table.schema == SAMPLE_SCHEMA
    data = table.to_pydict()
    assert data["arrival_ns"] == [100, 200, 300, 400]
    assert data["sent_ns"] == [110, 210, None, 410]
    assert data["request"] == ["read", "ping", "read", "read"]
    assert data["key"] == [5, None, 6, 7]
    assert data["error"] == [None, "unexpected status 200", "timeout", "HTTP 503"]
    assert data["ok"] == [True, False, False, False]
    assert data["phase"] == ["lead-in", "steady", "steady", "steady"]
    assert data["db_ms"] == [1.0, None, None, None]
    whose = zip(data["arm"], data["instance"], data["trial"], strict=True)
    assert set(whose) == {("sync", 4, 7)}


def test_a_trial_without_requests_gives_an_empty_table() -> None:
    table = sample_table(ORDER, Window(0, 0, 9), [], MESSAGES, [], [])
    assert table.schema == SAMPLE_SCHEMA
    assert table.num_rows == 0
    assert np.array_equal(table["arrival_ns"].to_numpy(), [])
