"""Measures the cases of a selftest through the generator and schedule shapes that a run uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.environment.placement import Placement
from loadtests.environment.probes import HostProbe, HostReading
from loadtests.generators import Generators
from loadtests.plan import derived_seed
from loadtests.selftest.cases import SEED
from loadtests.selftest.plan import planned, scenario_of, turns
from loadtests.selftest.record import Case, Measured, Trial
from loadtests.selftest.server_client import KnownServer
from loadtests.selftest.wire import captured
from loadtests.trials import Generator, Target, TrialOrder

NAMES = ("first", "second")
"""The two identical servers, as arms."""


@dataclass
class Bench:
    """Two known-answer servers and a generator that knows them."""

    servers: Sequence[KnownServer]
    targets: Sequence[Target]
    generator: Generator
    real_time: bool


@contextmanager
def open_bench(cases: Sequence[Case], placement: Placement, log_folder: Path) -> Iterator[Bench]:
    """Servers where arms would be, the generator where it would be; all gone with the block.

    Raises EnvironmentNotReady when one of them does not start.
    """
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                KnownServer(cores=placement.apps, log_path=log_folder / f"server-{name}.log")
            )
            for name in NAMES
        ]
        targets = [Target(name, 0, server.url) for name, server in zip(NAMES, servers, strict=True)]
        generator = stack.enter_context(
            Generators.start(
                targets,
                [scenario_of(case) for case in cases],
                folder=Path(__file__).parent,
                cores=placement.generator,
                log_path=log_folder / "generator.log",
            )
        )
        real_time = generator.real_time and all(server.real_time for server in servers)
        yield Bench(servers, targets, generator, real_time)


def measure_cases(
    bench: Bench, cases: Sequence[Case], say: Callable[[str], None], seed: int = SEED
) -> list[Measured]:
    """Every case in turn, each once. Raises EnvironmentNotReady when a process is gone."""
    warm_up(bench, cases[0], seed)
    found = []
    for number, case in enumerate(cases, start=1):
        say(f"{number}/{len(cases)} {case.name}: {case.says} ({case.length_s:.0f} s) …")
        found.append(measure_case(bench, case, seed))
    return found


def warm_up(bench: Bench, case: Case, seed: int) -> None:
    """A moment of load on each server, thrown away: cold code is slow code."""
    for server in range(len(bench.servers)):
        _trial(bench, case, server, 0, derived_seed(seed, "warm-up", case.name), steady_s=0.5)


def measure_case(bench: Bench, case: Case, seed: int) -> Measured:
    """One case, with what the host did to it meanwhile."""
    probe, begun_s = HostProbe(), time.monotonic()
    before = probe.read()
    with ExitStack() as stack:
        port = bench.servers[0].port
        capture = stack.enter_context(captured(port)) if case.on_the_wire else None
        trials = tuple(
            _trial(bench, case, server, block, derived_seed(seed, case.name, block))
            for block, server in turns(case.pairs)
        )
    shares = _shares_pct(before, probe.read(), time.monotonic() - begun_s)
    return Measured(case, trials, capture.times() if capture else None, *shares)


def _trial(
    bench: Bench, case: Case, server: int, block: int, seed: int, steady_s: float | None = None
) -> Trial:
    known = bench.servers[server]
    known.begin(case.behaviour, seed)
    order = TrialOrder(
        trial=block,
        round=0,
        block=block,
        scenario=case.name,
        load=case.load,
        target=bench.targets[server],
        seed=seed,
        lead_in_s=case.lead_in_s,
        steady_s=case.steady_s if steady_s is None else steady_s,
    )
    outcome = bench.generator.run_trial(order)
    return Trial(server, planned(case, seed), outcome, known.end())


def _shares_pct(
    before: HostReading, after: HostReading, wall_s: float
) -> tuple[float | None, float | None]:
    """Steal and CPU pressure in percent of the time between two readings."""
    pairs = ((before.steal_s, after.steal_s), (before.pressure_s, after.pressure_s))
    return tuple(  # type: ignore[return-value]
        None if first is None or last is None else 100.0 * (last - first) / wall_s
        for first, last in pairs
    )
