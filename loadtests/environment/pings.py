"""Measures round trips to a database by two ways in turn; runs as a process of its own, where the
apps run: `python -m loadtests.environment.pings SECONDS`, the two URLs in its environment."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pymysql

from loadtests.environment.mysql import Address, address_from_url
from loadtests.priority import GENERATOR, ahead_of_others

DIRECT_VARIABLE, RELAYED_VARIABLE = "BENCH_PINGS_DIRECT", "BENCH_PINGS_RELAYED"
"""URLs hold a password, so they travel in the environment."""
LIMIT_S = 30
WARM_UP = 60
FEWEST, MOST = 50, 1_000


def main(arguments: list[str]) -> None:
    """Ping for about so many seconds and print the result as one line of JSON."""
    direct, relayed = (
        address_from_url(os.environ[name]) for name in (DIRECT_VARIABLE, RELAYED_VARIABLE)
    )
    with closing(_connect(direct)) as near, closing(_connect(relayed)) as far:
        with ahead_of_others(GENERATOR):  # the distance is asked for, not who else uses this core
            _in_turn(near, far, 0.0, WARM_UP)
            found = _in_turn(near, far, float(arguments[0]), FEWEST)
        print(json.dumps(summary(*found)), flush=True)


def summary(direct_ms: Sequence[float], relayed_ms: Sequence[float]) -> dict[str, Any]:
    """Median and 99th percentile (nearest rank) of both ways and of what the relay adds.

    Pairs are adjacent in time; `added_ms` is of their differences.
    """
    added_ms = [far - near for near, far in zip(direct_ms, relayed_ms, strict=True)]
    return {
        "round_trips": len(added_ms),
        "direct_ms": _percentiles(direct_ms),
        "measured_ms": _percentiles(relayed_ms),
        "added_ms": _percentiles(added_ms),
    }


def _percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values_ms)
    return {
        f"p{percent}": round(ordered[-(-len(ordered) * percent // 100) - 1], 4)
        for percent in (50, 99)
    }


def _connect(address: Address) -> Any:
    return pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        connect_timeout=LIMIT_S,
        read_timeout=LIMIT_S,
        write_timeout=LIMIT_S,
        ssl_disabled=True,  # as the twins
    )


def _in_turn(near: Any, far: Any, for_s: float, fewest: int) -> tuple[list[float], list[float]]:
    """Round trips in ms by both ways, one after the other, until the time is up."""
    direct_ms: list[float] = []
    relayed_ms: list[float] = []
    end_s = time.monotonic() + for_s
    while len(direct_ms) < fewest or (time.monotonic() < end_s and len(direct_ms) < MOST):
        direct_ms.append(_ping_ms(near))
        relayed_ms.append(_ping_ms(far))
    return direct_ms, relayed_ms


def _ping_ms(connection: Any) -> float:
    """One COM_PING: the server answers without looking at anything."""
    started_ns = time.perf_counter_ns()
    connection.ping(reconnect=False)
    return (time.perf_counter_ns() - started_ns) / 1e6


if __name__ == "__main__":
    main(sys.argv[1:])
