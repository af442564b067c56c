"""What telemetry costs each twin: instrumented and bare apps in one process, turn by turn.

    .venv/bin/python -m benchmarks.telemetry.measure [--blocks 1500] [--database auto]

Starts a database, builds both twins with and without telemetry, and sends each the same few
reads in turn, straight into the ASGI app. A turn takes about 10 ms, so that the machine's
drift, which changes speed by a fifth from one second to the next, is the same for all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from scipy import stats

from loadtests.environment.database import open_database
from loadtests.environment.machine import usable_cores
from loadtests.environment.placement import choose_placement
from loadtests.environment.topology import cores_of
from loadtests.spec import RunSpec

TWINS = ("sync", "async")
KINDS = ("instrumented", "bare")
PASSES = 3
REQUESTS_PER_TURN = 8
REQUESTS = PASSES * REQUESTS_PER_TURN
"""Of each app in a block."""
WARM_UP_TURNS = 40
BATCHES = 50
"""Blocks are averaged in this many stretches of the run, whose means carry the interval, since
neighbouring blocks share the machine's mood."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one app took for its share of a block, in seconds for all requests together."""

    wall_s: float
    cpu_s: float


Block = Mapping[tuple[str, str], Turn]
"""One turn of each app, by twin and kind."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--blocks", type=int, default=1500)
    parser.add_argument("--database", default="auto")
    options = parser.parse_args()
    placement = choose_placement(cores_of(usable_cores()))
    with (
        tempfile.TemporaryDirectory() as folder,
        open_database(
            RunSpec(database=options.database),
            connections_needed=60,
            placement=placement,
            log_folder=Path(folder),
        ) as database,
    ):
        schema = database.create_arm_schema("telemetry", "twins")
        if placement.apps:
            os.sched_setaffinity(0, placement.apps)
        os.environ["TWIN_DATABASE_URL"] = database.url_for(schema)
        blocks = uvloop.run(measured(options.blocks))
        made_on = f"{database.flavour} {database.version}"
    print(
        f"{made_on}, {len(blocks)} blocks of {REQUESTS} reads of each app, "
        f"{REQUESTS_PER_TURN} at once\n"
    )
    print(report(blocks))


async def measured(count: int) -> list[Block]:
    """`count` blocks, the four apps in random order in each."""
    order = random.Random(1)
    async with AsyncExitStack() as stack:
        apps = {}
        for twin in TWINS:
            for kind in KINDS:
                app = _app(twin, telemetry=kind == "instrumented")
                await stack.enter_async_context(app.router.lifespan_context(app))
                apps[twin, kind] = app
        for _ in range(WARM_UP_TURNS):
            for app in apps.values():
                await _turn(app, order.getrandbits(32))
        return [await _block(apps, order) for _ in range(count)]


async def _block(apps: Mapping[tuple[str, str], Any], order: random.Random) -> Block:
    """Every app's turns, in another order in each pass."""
    turns: dict[tuple[str, str], list[Turn]] = {key: [] for key in apps}
    for _ in range(PASSES):
        seed = order.getrandbits(32)
        for key in order.sample(list(apps), len(apps)):
            turns[key].append(await _turn(apps[key], seed))
    return {
        key: Turn(sum(turn.wall_s for turn in mine), sum(turn.cpu_s for turn in mine))
        for key, mine in turns.items()
    }


def _app(twin: str, *, telemetry: bool) -> Any:
    os.environ["TWIN_TELEMETRY"] = "1" if telemetry else "0"
    settings = import_module("apps.common.settings").Settings.from_environment(twin)
    return import_module(f"apps.{twin}_app.main").build(settings)


async def _turn(app: Any, seed: int) -> Turn:
    keys = random.Random(seed).choices(range(1, 10_001), k=REQUESTS_PER_TURN)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_read(app, key) for key in keys))
    return Turn(time.perf_counter() - wall_s, time.process_time() - cpu_s)


async def _read(app: Any, key: int) -> None:
    """GET /items/{key}, as uvicorn would hand it over."""
    path = f"/items/{key}"
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"{path} answered {message['status']}")

    # A task of its own for each, as under uvicorn: the record of its times lives in its context.
    await asyncio.create_task(app(scope, receive, send))


def report(blocks: Sequence[Block]) -> str:
    """Markdown: instrumented over bare per twin, and the twins' difference."""
    lines = ["| instrumented / bare | wall time per request | CPU per request |", "|---|---|---|"]
    logs = {twin: {m: _log_ratios(blocks, twin, m) for m in ("wall_s", "cpu_s")} for twin in TWINS}
    for twin in TWINS:
        cells = [_interval(logs[twin][m]) for m in ("wall_s", "cpu_s")]
        lines.append(f"| {twin} | {' | '.join(cells)} |")
    cells = [_interval(logs["async"][m] - logs["sync"][m]) for m in ("wall_s", "cpu_s")]
    lines += [f"| async's over sync's | {' | '.join(cells)} |", ""]
    for twin in TWINS:
        bare = np.median([block[twin, "bare"].cpu_s for block in blocks]) / REQUESTS
        lines.append(f"{twin}, bare: {1e6 * bare:.0f} µs of CPU per request (median)")
    return "\n".join(lines)


def _log_ratios(blocks: Sequence[Block], twin: str, measure: str) -> Any:
    """Mean log ratio in each stretch of the run."""
    values = [
        np.log(getattr(b[twin, "instrumented"], measure) / getattr(b[twin, "bare"], measure))
        for b in blocks
    ]
    return np.array([np.mean(part) for part in np.array_split(values, BATCHES)])


def _interval(logs: Any) -> str:
    """Geometric mean with its 95% t interval over stretches."""
    half = stats.t.ppf(0.975, len(logs) - 1) * stats.sem(logs)
    low, middle, high = np.exp([logs.mean() - half, logs.mean(), logs.mean() + half])
    return f"{middle:.4f} [{low:.4f}, {high:.4f}]"


if __name__ == "__main__":
    main()
