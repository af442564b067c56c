"""A stand-in for the load generator: queues in virtual time, so that a run needs no server."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loadtests.arrivals import NO_KEY, NS_PER_S, RequestStream, plan_arrivals
from loadtests.plan import derived_seed
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import Scenario
from loadtests.trials import SAMPLE_SCHEMA, ClosedLoad, TrialOrder, TrialOutcome

GAP_NS = 50_000_000
DRIFT_MEMORY = 0.9
"""How much of the machine's drift one block passes on to the next."""


@dataclass(frozen=True, slots=True)
class SimulatedArm:
    """An arm as a queue: `servers` requests at a time, the rest wait their turn.

    Service times are log-normal with mean `service_ms` and standard deviation `sd` of their
    logarithm; `instance_sd` and `trial_sd` are standard deviations of the logarithm of factors that
    stay for an instance's life and for one trial.
    """

    service_ms: float
    sd: float = 0.5
    instance_sd: float = 0.0
    trial_sd: float = 0.0
    servers: int = 1
    error_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class _Served:
    """What happened to the requests of a trial; times in ns from its start."""

    arrival_ns: list[int]
    begun_ns: list[int]
    done_ns: list[int]


class SimulatedGenerator:
    """Satisfies `loadtests.trials.Generator`; the same seed gives the same outcomes.

    `drift_sd` is the standard deviation of the logarithm of the machine's speed, which changes from
    block to block and is the same for all arms of a block.
    """

    def __init__(
        self,
        arms: Mapping[str, SimulatedArm],
        seed: int,
        *,
        drift_sd: float = 0.0,
        scenarios: Sequence[Scenario] = (),
    ) -> None:
        self._arms, self._seed, self._drift_sd = arms, seed, drift_sd
        self._scenarios = {**BUILT_IN, **{scenario.name: scenario for scenario in scenarios}}
        self._now_ns = NS_PER_S
        self._drift = [0.0]
        self.closed = False

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Simulate one trial."""
        arm = self._arms[order.target.arm]
        random = self._random("trial", order.target.arm, order.trial, order.seed)
        services = _service_times_ns(arm, self._factor(arm, order), random)
        served = _served(order, arm, services)
        outcome = self._outcome(order, arm, served, random)
        self._now_ns = outcome.drained_ns + GAP_NS
        return outcome

    def close(self) -> None:
        """Nothing is held."""
        self.closed = True

    def _random(self, *parts: int | str) -> np.random.Generator:
        words = [abs(part) if isinstance(part, int) else part for part in parts]
        return np.random.default_rng(derived_seed(self._seed, *words))

    def _factor(self, arm: SimulatedArm, order: TrialOrder) -> float:
        """By how much service times of this trial differ from the arm's mean."""
        target = order.target
        instance = self._random("instance", target.arm, target.instance).normal(0, arm.instance_sd)
        trial = self._random("speed", target.arm, order.trial).normal(0, arm.trial_sd)
        return math.exp(instance + trial + self._drift_of(max(order.block, 0)))

    def _drift_of(self, block: int) -> float:
        """An AR(1) process over blocks, with standard deviation `drift_sd`."""
        step_sd = self._drift_sd * math.sqrt(1 - DRIFT_MEMORY**2)
        while len(self._drift) <= block:
            step = self._random("drift", len(self._drift)).normal(0, step_sd)
            self._drift.append(DRIFT_MEMORY * self._drift[-1] + step)
        return self._drift[block]

    def _outcome(
        self, order: TrialOrder, arm: SimulatedArm, served: _Served, random: np.random.Generator
    ) -> TrialOutcome:
        start_ns = self._now_ns
        steady_start_ns = start_ns + round(order.lead_in_s * NS_PER_S)
        steady_end_ns = steady_start_ns + round(order.steady_s * NS_PER_S)
        table = self._table(order, arm, served, random, start_ns, steady_start_ns)
        count = table.num_rows
        drained_ns = max(steady_end_ns, start_ns + max(served.done_ns, default=0))
        return TrialOutcome(
            samples=table,
            start_ns=start_ns,
            steady_start_ns=steady_start_ns,
            steady_end_ns=steady_end_ns,
            drained_ns=drained_ns,
            planned=count,
            sent=count,
            recorded=count,
            no_free_user=0,
            generator_cpu_s=count * 40e-6,
            generator_wall_s=(drained_ns - start_ns) / NS_PER_S,
        )

    def _table(
        self,
        order: TrialOrder,
        arm: SimulatedArm,
        served: _Served,
        random: np.random.Generator,
        start_ns: int,
        steady_start_ns: int,
    ) -> pa.Table:
        count = len(served.arrival_ns)
        requests = self._scenarios[order.scenario].request
        drawn = RequestStream(requests, order.seed).draw(count)
        arrival_ns, begun_ns, done_ns = (
            np.array(times, dtype=np.int64) + start_ns
            for times in (served.arrival_ns, served.begun_ns, served.done_ns)
        )
        ok = random.random(count) >= arm.error_rate
        waited_ms, service_ms = (begun_ns - arrival_ns) / 1e6, (done_ns - begun_ns) / 1e6
        columns = {
            "arm": pa.repeat(pa.scalar(order.target.arm), count),
            "instance": np.full(count, order.target.instance),
            "round": np.full(count, order.round),
            "block": np.full(count, order.block),
            "trial": np.full(count, order.trial),
            "request": pa.array([requests[which].name for which in drawn.which], pa.string()),
            "key": pa.array(drawn.keys, mask=drawn.keys == NO_KEY),
            "arrival_ns": arrival_ns,
            "sent_ns": arrival_ns,
            "done_ns": done_ns,
            "status": np.where(ok, 200, 503),
            "ok": ok,
            "error": pa.array([None if good else "HTTP 503" for good in ok], pa.string()),
            "bytes": np.full(count, 120),
            "thread_ms": np.zeros(count),
            "pool_ms": waited_ms,
            "db_ms": 0.7 * service_ms,
            "total_ms": waited_ms + service_ms,
            "phase": np.where(arrival_ns < steady_start_ns, "lead-in", "steady"),
        }
        return pa.table({name: pa.array(values) for name, values in columns.items()}).cast(
            SAMPLE_SCHEMA
        )


def _service_times_ns(
    arm: SimulatedArm, factor: float, random: np.random.Generator
) -> Iterator[int]:
    """An endless supply; the mean of a log-normal is `exp(mu + sd²/2)`."""
    mu = math.log(arm.service_ms * factor * 1e6) - arm.sd**2 / 2
    while True:
        yield from random.lognormal(mu, arm.sd, 1024).astype(np.int64).tolist()


def _served(order: TrialOrder, arm: SimulatedArm, services: Iterator[int]) -> _Served:
    duration_s = order.lead_in_s + order.steady_s
    if isinstance(order.load, ClosedLoad):
        return _closed(order.load.users, duration_s, arm.servers, services)
    load = order.load
    arrivals = plan_arrivals(load.rate_per_s, duration_s, load.arrivals, order.seed)
    return _open(arrivals.tolist(), arm.servers, services)


def _open(arrivals_ns: Sequence[int], servers: int, services: Iterator[int]) -> _Served:
    """First come, first served by whichever server is free first."""
    served = _Served([], [], [])
    free_ns = [0] * servers
    for arrival_ns in arrivals_ns:
        begun_ns = max(arrival_ns, free_ns[0])
        done_ns = begun_ns + next(services)
        heapq.heapreplace(free_ns, done_ns)
        _append(served, arrival_ns, begun_ns, done_ns)
    return served


def _closed(users: int, duration_s: float, servers: int, services: Iterator[int]) -> _Served:
    """Each user's next request arrives as its answer comes, until the window ends."""
    served = _Served([], [], [])
    end_ns = round(duration_s * NS_PER_S)
    free_ns, ready_ns = [0] * servers, [0] * users
    while ready_ns[0] < end_ns:
        arrival_ns = ready_ns[0]
        begun_ns = max(arrival_ns, free_ns[0])
        done_ns = begun_ns + next(services)
        heapq.heapreplace(free_ns, done_ns)
        heapq.heapreplace(ready_ns, done_ns)
        _append(served, arrival_ns, begun_ns, done_ns)
    return served


def _append(served: _Served, arrival_ns: int, begun_ns: int, done_ns: int) -> None:
    served.arrival_ns.append(arrival_ns)
    served.begun_ns.append(begun_ns)
    served.done_ns.append(done_ns)
