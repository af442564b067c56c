"""Interleaved short blocks: variants of a twin side by side, loaded in turn by wrk, paired ratios.

Every variant has several instances, since two processes of identical code differ by some percent
for as long as they live; round r loads instance r modulo their number, variants in random order.
"""

from __future__ import annotations

import json
import math
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev

from scipy.stats import t as scipy_t

from benchmarks.served import GENERATOR_CORE, Served, pin, served

LUA = Path(__file__).with_name("read_one.lua")
UNIT_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Variant:
    """Something to compare: what to serve, and its environment."""

    name: str
    target: str
    environment: Mapping[str, str]


Running = dict[tuple[str, int], Served]
"""All instances, by variant and number."""


@dataclass(frozen=True, slots=True)
class Block:
    """What wrk saw in one block, and what the block cost.

    `errors`: answers that are not 2xx, and broken connections. `cpu_ms`: the app's processor time
    per answer, which a busy neighbour disturbs far less than it disturbs throughput.
    """

    variant: str
    instance: int
    round: int
    clients: int
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Geometric mean of paired ratios with its 95% t interval."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.3f} [{self.low:.3f}, {self.high:.3f}]"


@contextmanager
def serving(variants: Sequence[Variant], instances: int) -> Iterator[Running]:
    """Start `instances` of every variant; by (variant, instance)."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # unwinds, ending the servers
    with ExitStack() as stack:
        running = {}
        for variant in variants:
            for number in range(instances):
                running[variant.name, number] = stack.enter_context(
                    served(variant.target, variant.environment)
                )
        for instance in running.values():
            instance.await_ready()
        yield running


def measure(
    variants: Sequence[Variant],
    *,
    clients: Sequence[int],
    instances: int,
    rounds: int,
    block_s: int = 1,
    seed: int = 1,
) -> list[Block]:
    """Warm every instance up, then load them in interleaved blocks."""
    order, blocks = random.Random(seed), []
    with serving(variants, instances) as running:
        for instance in running.values():
            run_wrk(instance.url, 8, 1)
        for round_ in range(rounds):
            number = round_ % instances
            for count in clients:
                for variant in order.sample(variants, len(variants)):
                    instance = running[variant.name, number]
                    used_s = instance.cpu_s()
                    per_s, p50_ms, p99_ms, errors, answers = run_wrk(instance.url, count, block_s)
                    cpu_ms = (instance.cpu_s() - used_s) * 1e3 / max(answers, 1)
                    seen = (per_s, p50_ms, p99_ms, errors, cpu_ms)
                    blocks.append(Block(variant.name, number, round_, count, *seen))
            print(f"round {round_ + 1} of {rounds}", file=sys.stderr)
    return blocks


def run_wrk(url: str, clients: int, block_s: int) -> tuple[float, float, float, int, int]:
    """One block: requests per second, p50 and p99 in ms, errors, answers."""
    command = [
        *pin(GENERATOR_CORE), "wrk", "-t1", f"-c{clients}", f"-d{block_s}s", "--timeout", "10s",
        "--latency", "-s", str(LUA), url,
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = sum(int(digits) for found in (refused, broken) if found for digits in found.groups())
    per_s = re.search(r"Requests/sec:\s+([\d.]+)", said)
    answers = re.search(r"(\d+) requests in", said)
    assert per_s, said
    assert answers, said
    p50_ms, p99_ms = _latency_ms(said, 50), _latency_ms(said, 99)
    return float(per_s[1]), p50_ms, p99_ms, errors, int(answers[1])


def _latency_ms(said: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)\s*$", said, re.MULTILINE)
    assert found, said
    return float(found[1]) * UNIT_MS[found[2]]


def ratio(
    blocks: Sequence[Block], of: str, to: str, clients: int | None = None, what: str = "per_s"
) -> Ratio:
    """`of` over `to`, with an interval over instances."""
    chosen = [block for block in blocks if clients in (None, block.clients)]
    return interval(list(paired_logs(chosen, of, to, what).values()))


def paired_logs(blocks: Sequence[Block], of: str, to: str, what: str = "per_s") -> dict[int, float]:
    """Mean log ratio of `of` to `to` per instance, each block against its neighbour in the round.

    Blocks of one pair of processes are averaged: repeating the same pair says nothing about other
    processes, so that only more instances narrow the interval (Kalibera and Jones, ISMM 2013).
    Pairs in which a starved block got no answer at all are left out.
    """
    found: dict[tuple[str, int, int], float] = {
        (block.variant, block.round, block.clients): getattr(block, what) for block in blocks
    }
    logs: dict[int, list[float]] = {}
    for block in blocks:
        if block.variant == of:
            value, base = getattr(block, what), found[to, block.round, block.clients]
            if value > 0 and base > 0:
                logs.setdefault(block.instance, []).append(math.log(value / base))
    return {instance: fmean(values) for instance, values in logs.items()}


def interval(logs: Sequence[float]) -> Ratio:
    """Geometric mean and 95% t interval of log ratios."""
    count, middle = len(logs), fmean(logs)
    if count < 2:
        return Ratio(math.exp(middle), 0.0, math.inf)
    half = float(scipy_t.ppf(0.975, count - 1)) * stdev(logs) / math.sqrt(count)
    return Ratio(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def store(blocks: Sequence[Block], path: Path) -> None:
    """Write the raw blocks, one JSON object a line."""
    path.write_text("".join(json.dumps(asdict(block)) + "\n" for block in blocks), encoding="utf-8")


def load(path: Path) -> list[Block]:
    """Read what `store` wrote."""
    return [Block(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
