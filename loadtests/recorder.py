"""Turns what users noted during a trial into its table of samples, once the trial has drained."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from loadtests.arrivals import NO_KEY, Window
from loadtests.generator.messages import Message
from loadtests.trials import SAMPLE_SCHEMA, TrialOrder

Row = tuple[int, int, int | None, int, int, int, bytes, str | None]
"""index, arrival_ns, sent_ns, done_ns, status, body bytes, raw head of the answer, error: a plain
tuple, because one is made for each request while the trial runs."""

METRICS = ("thread", "pool", "db", "total")
_TIMING_LINE = re.compile(rb"\nserver-timing:([^\r\n]*)")
_METRIC = re.compile(rb"(?:^|[,\s])(thread|pool|db|total)\s*;[^,]*?dur\s*=\s*\"?([0-9.]+)")


def server_timing_ms(head: bytes) -> dict[str, float]:
    """The durations in the answer's Server-Timing headers, as far as they are ours.

    Metrics that are missing or malformed are left out (W3C Server Timing, §3).
    """
    found: dict[str, float] = {}
    for line in _TIMING_LINE.findall(head.lower()):
        for name, duration in _METRIC.findall(line):
            try:
                found[name.decode()] = float(duration)
            except ValueError:
                continue
    return found


def error_of(status: int, error: str | None, message: Message) -> str | None:
    """What was wrong with an answer; None when nothing was."""
    if error is not None or message.is_good(status):
        return error
    return f"HTTP {status}" if status >= 400 else f"unexpected status {status}"


def sample_table(
    order: TrialOrder,
    window: Window,
    rows: list[Row],
    messages: Sequence[Message],
    which: Sequence[int],
    keys: Sequence[int],
) -> pa.Table:
    """SAMPLE_SCHEMA, one row per request, in order of arrival.

    `which[i]` and `keys[i]` say what request `i` was: an index into `messages`, and its key.
    """
    rows.sort(key=lambda row: row[0])
    errors = [error_of(row[4], row[7], messages[which[row[0]]]) for row in rows]
    names = [message.name for message in messages]
    requests = [names[which[row[0]]] for row in rows]
    return assemble(order, window, rows, requests, [keys[row[0]] for row in rows], errors)


def assemble(
    order: TrialOrder,
    window: Window,
    rows: Sequence[Row],
    requests: Sequence[str],
    keys: Sequence[int],
    errors: Sequence[str | None],
) -> pa.Table:
    """The table itself, from columns that are already decided.

    Whatever arrives outside the steady part, before or after it, is marked as lead-in: it does not
    count.
    """
    count = len(rows)
    timings = [server_timing_ms(row[6]) for row in rows]
    arrivals = np.array([row[1] for row in rows], dtype=np.int64)
    steady = (arrivals >= window.steady_start_ns) & (arrivals < window.steady_end_ns)
    columns = {
        "arm": pa.repeat(pa.scalar(order.target.arm), count),
        "instance": np.full(count, order.target.instance, np.int32),
        "round": np.full(count, order.round, np.int32),
        "block": np.full(count, order.block, np.int32),
        "trial": np.full(count, order.trial, np.int32),
        "request": pa.array(requests, pa.string()),
        "key": pa.array([None if key == NO_KEY else key for key in keys], pa.int64()),
        "arrival_ns": arrivals,
        "sent_ns": pa.array([row[2] for row in rows], pa.int64()),
        "done_ns": pa.array([row[3] for row in rows], pa.int64()),
        "status": pa.array([row[4] for row in rows], pa.int16()),
        "ok": pa.array([error is None for error in errors], pa.bool_()),
        "error": pa.array(errors, pa.string()),
        "bytes": pa.array([row[5] for row in rows], pa.int64()),
        **{
            f"{name}_ms": pa.array([timing.get(name) for timing in timings], pa.float64())
            for name in METRICS
        },
        "phase": np.where(steady, "steady", "lead-in"),
    }
    return pa.table({name: pa.array(column) for name, column in columns.items()}).cast(
        SAMPLE_SCHEMA
    )
