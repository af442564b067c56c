"""How many turns of a loop add 10% to the twin's processor time per request.

    python -m benchmarks.known.calibrate [--extra 10000] [--turns 300]

One process serves both: requests with the extra work and without come in alternating turns of a
tenth of a second, so that neither the machine's drift nor a difference between processes matters.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.instances.client import Users
from benchmarks.instances.measure import Condition, paths, started
from benchmarks.served import GENERATOR_CORE, Served
from tests.support.twins import private_server

TARGET = "benchmarks.known.heavier:app"
USERS = 16
TURN_S = 0.1
WANTED = 0.10
BATCHES = 20


def added_share(process: Served, plain: Users, heavier: Users, turns: int) -> tuple[float, float]:
    """Processor time that the extra work adds, as a share; and half its 95% interval (log scale).

    Turns are averaged in batches, whose means carry the interval.
    """
    order, logs = random.Random(1), []
    for _ in range(turns):
        costs = {}
        for name in order.sample(["plain", "heavier"], 2):
            before_s = process.cpu_s()
            answers, _ = (plain if name == "plain" else heavier).load(TURN_S)
            costs[name] = (process.cpu_s() - before_s) / answers
        logs.append(math.log(costs["heavier"] / costs["plain"]))
    means = np.array([batch.mean() for batch in np.array_split(np.array(logs), BATCHES)])
    half = float(stats.t.ppf(0.975, BATCHES - 1) * means.std(ddof=1) / math.sqrt(BATCHES))
    return math.expm1(float(means.mean())), half


def main() -> None:
    """Measure what so many turns add, and say how many would add 10%."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--extra", type=int, default=10_000, help="turns of the loop")
    parser.add_argument("--turns", type=int, default=300)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    with tempfile.TemporaryDirectory() as folder, private_server(Path(folder)) as database:
        database.make_schema("known")
        plain = Condition("known")
        with started(plain, 0, TARGET, database.url("known"), seed=1) as instance:
            instance.users.load(2.0)
            share, half = added_share(
                instance.process,
                _users(instance.process.url, 0),
                _users(instance.process.url, chosen.extra),
                chosen.turns,
            )
    print(f"KNOWN_EXTRA={chosen.extra} adds {100 * share:+.1f}% ± {100 * half:.1f}")
    if share > half:
        print(f"10% would be KNOWN_EXTRA={round(chosen.extra * WANTED / share)}")


def _users(url: str, extra: int) -> Users:
    return Users(url, USERS, paths(1), f"x-known-extra: {extra}\r\n")


if __name__ == "__main__":
    main()
