"""Our generator beside stock Locust and wrk on one core, interleaved, against one trivial server.

    .venv/bin/python -m benchmarks.generator.measure [--repeats 10] [--seconds 3]

Each repetition measures every contender once, in random order, pinned to the same core, with the
server on another; then it climbs a staircase of open rates. Writes results.json and README.md
beside this file. Needs two cores and wrk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.generator.report import write_report
from loadtests.generators import Generators
from loadtests.priority import GENERATOR, ahead_of_others
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.trials import ClosedLoad, Load, OpenLoad, Target, TrialOrder, TrialOutcome

HERE = Path(__file__).parent
USERS = 32
LEAD_IN_S = 0.5
STAIR_S = 1.0
STAIR_TRIES = 3
LAG_LIMIT_MS = 0.5
FIRST_RATE_PER_S, STEP = 2000.0, 1.15
STEPS = 24
FAILED_STEPS_TO_STOP = 2


@dataclass(frozen=True, slots=True)
class Count:
    """What one contender did in one go."""

    requests: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Stair:
    """One open rate of the staircase: the best of some tries, since a neighbour can spoil one."""

    rate_per_s: float
    lag_p50_ms: float
    lag_p99_ms: float
    cpu_share: float


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or shutil.which("wrk") is None:
        sys.exit("This benchmark needs two cores and wrk (apt-get install wrk).")
    os.sched_setaffinity(0, {cores[0]})  # what is started from here loads from this core
    with trivial_server(cores[1]) as url, our_generator(url, cores[0]) as generator:
        results = measured(url, generator, options.repeats, options.seconds)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    write_report(results, options.out / "README.md")
    print((options.out / "README.md").read_text())


def measured(url: str, generator: Generators, repeats: int, seconds: float) -> dict[str, object]:
    """Every repetition's counts and staircase."""
    contenders: dict[str, Callable[[], Count]] = {
        "ours": lambda: ours(generator, url, seconds),
        "stock FastHttpUser": lambda: stock("fast", url, seconds),
        "HTTPClient in a User": lambda: stock("client", url, seconds),
        "wrk": lambda: wrk(url, seconds),
    }
    order = random.Random(1)
    counts: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    stairs = []
    for repeat in range(repeats):
        for name in order.sample(list(contenders), len(contenders)):
            counts[name].append(asdict(contenders[name]()))
            rate = counts[name][-1]["requests"] / counts[name][-1]["wall_s"]
            print(f"{repeat + 1}/{repeats} {name}: {rate:,.0f}/s", file=sys.stderr)
        stairs.append([asdict(stair) for stair in staircase(generator, url)])
        print(f"{repeat + 1}/{repeats} staircase: {stairs[-1][-1]}", file=sys.stderr)
    return {
        "users": USERS,
        "seconds": seconds,
        "lag_limit_ms": LAG_LIMIT_MS,
        "real_time": generator.real_time,
        "python": sys.version.split()[0],
        "counts": counts,
        "stairs": stairs,
    }


@contextmanager
def trivial_server(core: int) -> Iterator[str]:
    """The server, alone on its core."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    process = subprocess.Popen([sys.executable, HERE / "trivial_server.py", str(port)])
    try:
        os.sched_setaffinity(process.pid, {core})
        wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until_open(port: int) -> None:
    """Return once something listens on `port`."""
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("The trivial server did not start.")


@contextmanager
def our_generator(url: str, core: int) -> Iterator[Generators]:
    """The resident generator, as a run uses it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Generators.start(
            [Target("trivial", 0, url)],
            [READ_ONE],
            folder=folder,
            cores=[core],
            log_path=Path(folder) / "generator.log",
        ) as generator,
    ):
        yield generator


def trial(generator: Generators, url: str, load: Load, seconds: float) -> TrialOutcome:
    """One trial of ours."""
    target = Target("trivial", 0, url)
    seed = time.monotonic_ns() % 2**62
    return generator.run_trial(
        TrialOrder(0, 0, 0, READ_ONE.name, load, target, seed, LEAD_IN_S, seconds)
    )


def ours(generator: Generators, url: str, seconds: float) -> Count:
    """Completions inside the steady window; CPU per request over the whole trial."""
    outcome = trial(generator, url, ClosedLoad(USERS), seconds)
    done_ns = outcome.samples["done_ns"].to_numpy()
    inside = (done_ns >= outcome.steady_start_ns) & (done_ns < outcome.steady_end_ns)
    assert np.all(outcome.samples["ok"].to_numpy(zero_copy_only=False))
    requests = int(inside.sum())
    cpu_s = outcome.generator_cpu_s * requests / outcome.recorded
    return Count(requests, (outcome.steady_end_ns - outcome.steady_start_ns) / 1e9, cpu_s)


def stock(kind: str, url: str, seconds: float) -> Count:
    """Locust's own users in a process of their own."""
    script = str(HERE / "stock_users.py")
    command = [sys.executable, script, kind, url, str(USERS), str(seconds)]
    done = on_our_terms(command)
    told = json.loads(done.stdout)
    assert told.pop("failures") == 0
    return Count(**told)


def on_our_terms(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a contender with the priority that our own generator has during a trial."""
    with ahead_of_others(GENERATOR):  # a child inherits it
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)


def wrk(url: str, seconds: float) -> Count:
    """wrk with one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["wrk", "-t1", f"-c{USERS}", f"-d{seconds:.0f}s", f"{url}/items/4711"]
    done = on_our_terms(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout)
    assert found is not None, done.stdout
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Count(int(found[1]), float(found[2]), cpu_s)


def staircase(generator: Generators, url: str) -> list[Stair]:
    """Open Poisson load, a step higher each time, until the send lag is over the limit twice."""
    stairs: list[Stair] = []
    failed = 0
    for step in range(STEPS):
        stairs.append(stair(generator, url, round(FIRST_RATE_PER_S * STEP**step, -2)))
        failed = failed + 1 if stairs[-1].lag_p99_ms > LAG_LIMIT_MS else 0
        if failed == FAILED_STEPS_TO_STOP:
            break
    return stairs


def stair(generator: Generators, url: str, rate_per_s: float) -> Stair:
    """One rate; tried again as long as its lag is over the limit."""
    tries = []
    for _ in range(STAIR_TRIES):
        outcome = trial(generator, url, OpenLoad(rate_per_s), STAIR_S)
        assert outcome.planned == outcome.sent == outcome.recorded
        sent, arrival = (outcome.samples[name].to_numpy() for name in ("sent_ns", "arrival_ns"))
        p50, p99 = np.percentile((sent - arrival) / 1e6, [50, 99])
        share = outcome.generator_cpu_s / outcome.generator_wall_s
        tries.append(Stair(rate_per_s, float(p50), float(p99), share))
        if p99 <= LAG_LIMIT_MS:
            break
    return min(tries, key=lambda one: one.lag_p99_ms)


if __name__ == "__main__":
    main()
