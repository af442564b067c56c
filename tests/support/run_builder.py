"""Builds a run's folder without a server: simulated trials in the formats the harness writes.

The noise has the shape that was measured (see docs/method.md): every instance has its own speed,
every block of time its own, shared in part by the arms of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from loadtests.environment.machine import package_versions
from loadtests.inspection import AS_SEEDED, Inspection, InstanceFacts
from loadtests.plan import Block, RoundShape, ScenarioLoads, derived_seed, plan_round
from loadtests.sameness.record import Proof
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import Scenario
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.store import RunStore
from loadtests.trials import SAMPLE_SCHEMA, ClosedLoad, Load, OpenLoad
from tests.support.proofs import proof

MS = 1_000_000
LEAD_IN_MS = 150
EPOCH_NS = 10_000_000_000_000_000
"""Late enough that float64 nanoseconds would be rounded."""
BASE_MS = {"slow": 55.0, "page": 9.0, "create": 7.0, "create2": 7.0, "update": 8.0}

Trial = dict[str, Any]
Columns = dict[str, Any]


@dataclass(frozen=True)
class SimulatedArm:
    """How an arm behaves: true values, before noise."""

    app: str | None = "sync"
    url: str | None = None
    command: str | None = None
    capacity_per_s: float = 300.0
    response_ms: float = 4.0
    cpu_ms: float = 2.5
    error_share: float = 0.0
    timeout_share: float = 0.0
    last_error: str | None = None
    """What the app says of its last failure."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the arm's spec says, beside its app (pool_size, threads, …)."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What /stats tells, where it differs from the spec."""


TWINS: Mapping[str, SimulatedArm] = {
    "sync": SimulatedArm(app="sync"),
    "async": SimulatedArm(app="async"),
}


@dataclass(frozen=True)
class Noise:
    """Standard deviations of logarithms, and how long-tailed single requests are."""

    instance_sd: float = 0.05
    block_sd: float = 0.07
    """Of one trial against its block partner's: the log ratio of a block has √2 of it."""
    drift_sd: float = 0.15
    """Shared by all arms of a block."""
    request_sd: float = 0.35
    lag_ms: float = 0.1


Loads = Sequence[Load] | Mapping[str, Sequence[Load]]
TWO_LOADS: Loads = (ClosedLoad(16), OpenLoad(150.0))


def build_run(
    folder: Path,
    *,
    arms: Mapping[str, SimulatedArm] = TWINS,
    scenarios: Sequence[str | Scenario] = ("read-one",),
    loads: Loads = TWO_LOADS,
    instances: int = 3,
    rounds: int = 2,
    pairs: int = 1,
    block_s: float = 1.0,
    seed: int = 1,
    noise: Noise = Noise(),
    run: Mapping[str, Any] | None = None,
    proofs: Sequence[Proof] | None = None,
    status: str | None = "complete",
    edit_trial: Callable[[Trial], Trial] = lambda trial: trial,
    edit_samples: Callable[[Trial, Columns], Columns] = lambda _, columns: columns,
    edit_look: Callable[[Inspection], Inspection] = lambda look: look,
) -> Path:
    """Write a run into `folder` and return it; the same arguments give the same bytes.

    `loads` are those of every scenario, or of each by its name. `proofs` stand for what the run saw
    of its twins: by default that they are the same. `run` holds keys of the spec's `[run]`.
    `status` None leaves the journal without an end. `edit_trial` changes a journal trial event,
    `edit_samples` a trial's sample columns (name to list or array), `edit_look` what was looked at
    before the first round and after each round, before they are written: that is how tests break a
    run.
    """
    spec = _spec(arms, scenarios, loads, block_s, seed, run or {})
    store = RunStore(folder)
    store.write_manifest(_manifest(spec, arms, folder.name, instances, seed))
    journal = store.journal
    for each in _good_proofs(arms) if proofs is None else proofs:
        journal.write("sameness", **each.model_dump(mode="json"))
    for scenario in spec.scenario:
        journal.write(
            "rates", scenario=scenario.name, capacity_per_s=None, loads=_facts(_of(loads, scenario))
        )
    simulation = _Simulation(spec, arms, noise, instances, seed, edit_trial, edit_samples)
    entries = tuple(
        ScenarioLoads(
            each.name, tuple(_of(loads, each)), tuple(arm.name for arm in spec.arms_of(each))
        )
        for each in spec.scenario
    )
    shape = RoundShape(entries, instances, pairs)
    look = _look(spec, arms, instances)
    journal.write("inspection", **edit_look(look).model_dump(mode="json"))
    for number in range(rounds):
        _write_round(store, simulation, plan_round(shape, number, seed), number)
        later = edit_look(look.model_copy(update={"round": number}))
        journal.write("inspection", **later.model_dump(mode="json"))
    store.write_telemetry(simulation.telemetry)
    if status is not None:
        journal.write("end", status=status, reason="simulated")
    store.close()
    return folder


def _write_round(
    store: RunStore, simulation: _Simulation, blocks: Iterable[Block], number: int
) -> None:
    store.journal.write("round", round=number, state="planned")
    tables: dict[tuple[str, str], list[pa.Table]] = {}
    for block in blocks:
        for event, columns in simulation.block(block):
            store.journal.write("trial", **event)
            key = (block.scenario, block.load.name)
            tables.setdefault(key, []).append(pa.table(columns, schema=SAMPLE_SCHEMA))
    for (scenario, load), parts in tables.items():
        store.write_samples(scenario, load, number, parts)
    store.journal.write("round", round=number, state="finished")


def _look(spec: Spec, arms: Mapping[str, SimulatedArm], instances: int) -> Inspection:
    """What a run sees of its arms, their tables and its server when all is well."""
    ours = [arm for arm in spec.arm if arm.kind != "url"]
    return Inspection(
        round=-1,
        instances=tuple(
            InstanceFacts(
                arm=arm.name, instance=number, cores=(1,), nice=0, policy="ordinary",
                open_files=4096, most_open_files=8192, workers=arm.workers,
                settings=_told(arm, arms[arm.name]),
            )
            for arm in ours
            for number in range(instances)
        ),
        tables={arm.name: AS_SEEDED for arm in ours if arm.kind == "app"},
        database={"innodb_flush_log_at_trx_commit": "1"},
    )  # fmt: skip


def _good_proofs(arms: Mapping[str, SimulatedArm]) -> list[Proof]:
    others = {name: "not a twin" for name, arm in arms.items() if arm.app is None}
    twins = [name for name in arms if name not in others]
    if len(twins) < 2:
        return [Proof(not_checked=others | dict.fromkeys(twins, "no second twin"))]
    return [proof(twins).model_copy(update={"not_checked": others})]


def _spec(
    arms: Mapping[str, SimulatedArm],
    scenarios: Sequence[str | Scenario],
    loads: Loads,
    block_s: float,
    seed: int,
    run: Mapping[str, Any],
) -> Spec:
    chosen = [BUILT_IN[each] if isinstance(each, str) else each for each in scenarios]
    return Spec(
        run=RunSpec.model_validate({"seed": seed, "block_s": block_s, **run}),
        arm=tuple(_arm(name, arm) for name, arm in arms.items()),
        scenario=tuple(
            Scenario.model_validate({**each.model_dump(), "load": _load_spec(_of(loads, each))})
            for each in chosen
        ),
    )


def _arm(name: str, arm: SimulatedArm) -> Arm:
    way = "url" if arm.url else "command" if arm.command else "app"
    return Arm.model_validate({"name": name, way: getattr(arm, way), **arm.settings})


def _of(loads: Loads, scenario: Scenario) -> Sequence[Load]:
    return loads[scenario.name] if isinstance(loads, Mapping) else loads


def _load_spec(loads: Sequence[Load]) -> dict[str, Any]:
    if len(loads) > 1:
        return {"model": "auto"}
    only = loads[0]
    if isinstance(only, ClosedLoad):
        return {"model": "closed", "users": only.users}
    return {"model": "open", "rate_per_s": only.rate_per_s}


def _facts(loads: Sequence[Load]) -> list[dict[str, Any]]:
    return [
        {"load": load.name, "model": "closed", "users": load.users}
        if isinstance(load, ClosedLoad)
        else {"load": load.name, "model": "open", "rate_per_s": load.rate_per_s}
        for load in loads
    ]


def _manifest(
    spec: Spec, arms: Mapping[str, SimulatedArm], run: str, instances: int, seed: int
) -> dict[str, Any]:
    return {
        "schema": 1,
        "run": run,
        "created_utc": "2026-11-01T12:00:00Z",
        "command": "bench run (simulated)",
        "overrides": [],
        "spec": spec.model_dump(mode="json"),
        "seed": seed,
        "versions": package_versions(),
        "host": {
            "cpu": "simulated",
            "cores": 2,
            "memory_mb": 8000,
            "python": {"version": "3.11.7"},
        },
        "placement": {"generator": [0], "apps": [1], "database": [0], "why": "simulated"},
        "database": {
            "kind": "none",
            "flavour": "mariadb",
            "version": "10.11",
            "max_connections": 151,
            "why": "simulated",
        },
        "durability": {
            "profile": "durable",
            "innodb_flush_log_at_trx_commit": 1,
            "sync_binlog": None,
            "log_bin": False,
        },
        "commit": {"sha": "0" * 40, "dirty": False},
        "instances": instances,
        "arms": {
            arm.name: {"kind": arm.kind, "settings": _told(arm, arms[arm.name])} for arm in spec.arm
        },
        "baseline": spec.arm[0].name,
    }


def _told(arm: Arm, simulated: SimulatedArm) -> dict[str, Any] | None:
    if arm.kind != "app":
        return None
    keys = ("pool_size", "max_overflow", "pool_timeout_s", "threads", "admission")
    return {**{key: getattr(arm, key) for key in keys}, **simulated.told}


class _Simulation:
    """Trials one after the other on a simulated clock."""

    def __init__(
        self,
        spec: Spec,
        arms: Mapping[str, SimulatedArm],
        noise: Noise,
        instances: int,
        seed: int,
        edit_trial: Callable[[Trial], Trial],
        edit_samples: Callable[[Trial, Columns], Columns],
    ) -> None:
        self.spec, self.arms, self.noise = spec, arms, noise
        self.edit_trial, self.edit_samples = edit_trial, edit_samples
        self.random = np.random.default_rng(derived_seed(seed, "simulation"))
        self.slowness = {  # of every instance, for as long as it lives
            (arm, i): float(np.exp(self.random.normal(0, noise.instance_sd)))
            for arm in arms
            for i in range(instances)
        }
        self.cpu_s = dict.fromkeys(self.slowness, 0.5)
        self.now_ns = EPOCH_NS
        self.trial = 0
        self.telemetry: list[dict[str, Any]] = []

    def block(self, block: Any) -> list[tuple[Trial, Columns]]:
        """One trial of every arm, with the same arrivals and requests for all."""
        drift = float(np.exp(self.random.normal(0, self.noise.drift_sd)))
        shared = int(self.random.integers(2**31))
        return [
            self._trial(block, arm, position, drift, shared)
            for position, arm in enumerate(block.arms)
        ]

    def _trial(
        self, block: Any, arm: str, position: int, drift: float, shared: int
    ) -> tuple[Trial, Columns]:
        one_only = self.arms[arm].url is not None
        instance = 0 if one_only else block.instance
        own = float(np.exp(self.random.normal(0, self.noise.block_sd)))
        slowness = self.slowness[arm, instance] * drift * own
        event: Trial = {
            "trial": self.trial,
            "round": block.round,
            "block": block.block,
            "scenario": block.scenario,
            "load": block.load.name,
            "arm": arm,
            "instance": instance,
            "position": position,
            "state": "finished",
        }
        columns = self._samples(event, block.load, slowness, shared)
        cpu_s = self._finish(event, columns, slowness)
        self._watch(event, cpu_s)
        edited = self.edit_trial(dict(event))
        self.trial += 1
        return edited, self.edit_samples(edited, columns)

    def _samples(self, event: Trial, load: Load, slowness: float, shared: int) -> Columns:
        arm = self.arms[event["arm"]]
        alike = np.random.default_rng(shared)
        arrival_ms = self._arrivals_ms(alike, load, arm, slowness)
        count = len(arrival_ms)
        requests = self._requests(alike, event["scenario"], count)
        base_ms = np.array([BASE_MS.get(name, 4.0) for name in requests]) / 4.0 * arm.response_ms
        db_ms = np.array([50.0 if name == "slow" else 0.0 for name in requests])
        service_ms = db_ms + (base_ms - db_ms).clip(1.0) * slowness * np.exp(
            self.random.normal(0, self.noise.request_sd, count)
        )
        lag_ms = np.zeros(count)
        if isinstance(load, OpenLoad):
            lag_ms = self.random.gamma(2.0, self.noise.lag_ms / 2.0, count)
        fate = self.random.random(count)
        timed_out = fate < arm.timeout_share
        failed = ~timed_out & (fate < arm.timeout_share + arm.error_share)
        timeout_ms = self.spec.scenario_named(event["scenario"]).timeout_s * 1000.0
        service_ms = np.where(timed_out, timeout_ms, service_ms)
        start_ns = self.now_ns
        arrival_ns = start_ns + (arrival_ms * MS).astype("int64")
        sent_ns = arrival_ns + (lag_ms * MS).astype("int64")
        steady = arrival_ms >= LEAD_IN_MS
        app_ms = np.where(timed_out, np.nan, service_ms * 0.9)
        return {
            "arm": [event["arm"]] * count,
            "instance": np.full(count, event["instance"], "int32"),
            "round": np.full(count, event["round"], "int32"),
            "block": np.full(count, event["block"], "int32"),
            "trial": np.full(count, event["trial"], "int32"),
            "request": list(requests),
            "key": alike.integers(1, 10_001, count),
            "arrival_ns": arrival_ns,
            "sent_ns": sent_ns,
            "done_ns": sent_ns + (service_ms * MS).astype("int64"),
            "status": np.select([timed_out, failed], [0, 500], 200).astype("int16"),
            "ok": ~(timed_out | failed),
            "error": [_error(t, f) for t, f in zip(timed_out, failed, strict=True)],
            "bytes": np.where(timed_out, 0, 180),
            "thread_ms": _known(app_ms * 0.1),
            "pool_ms": _known(app_ms * 0.1),
            "db_ms": _known(app_ms * 0.4),
            "total_ms": _known(app_ms),
            "phase": np.where(steady, "steady", "lead-in").tolist(),
        }

    def _arrivals_ms(
        self, alike: np.random.Generator, load: Load, arm: SimulatedArm, slowness: float
    ) -> Any:
        length_ms = LEAD_IN_MS + 1000.0 * self.spec.run.block_s
        if isinstance(load, OpenLoad):
            count = int(load.rate_per_s * length_ms / 1000.0 * 2) + 20
            times = np.cumsum(alike.exponential(1000.0 / load.rate_per_s, count))
            return times[times < length_ms]
        count = int(self.random.poisson(arm.capacity_per_s / slowness * length_ms / 1000.0))
        return np.sort(self.random.random(count) * length_ms)

    def _requests(self, alike: np.random.Generator, scenario: str, count: int) -> Any:
        entries = self.spec.scenario_named(scenario).request
        weights = np.array([entry.weight for entry in entries])
        names = np.array([entry.name for entry in entries])
        return names[alike.choice(len(names), count, p=weights / weights.sum())]

    def _finish(self, event: Trial, columns: Columns, slowness: float) -> float:
        """Fill in the rest of a trial's event; returns the CPU seconds it used."""
        count = len(columns["arm"])
        arm = self.arms[event["arm"]]
        steady_start_ns = self.now_ns + LEAD_IN_MS * MS
        steady_end_ns = steady_start_ns + int(self.spec.run.block_s * 1e9)
        done_ns = columns["done_ns"]
        drained_ns = max(steady_end_ns, int(done_ns.max()) if count else 0)
        cpu_s = round(arm.cpu_ms * slowness * count / 1000.0, 2)  # /proc ticks in 10 ms
        ours = arm.url is None
        never = int((columns["status"] == 0).sum())
        tells = ours and arm.app is not None and count > never
        waited_s = float((columns["done_ns"] - columns["sent_ns"]).sum()) / 1e9
        arrived_ns = columns["sent_ns"] + MS // 10
        mean_ns = int((arrived_ns - self.now_ns).mean()) + self.now_ns if tells else None
        event |= {
            "start_ns": self.now_ns,
            "steady_start_ns": steady_start_ns,
            "steady_end_ns": steady_end_ns,
            "drained_ns": drained_ns,
            "planned": count,
            "sent": count,
            "recorded": count,
            "no_free_user": 0,
            "left_in_flight": 0,
            "generator_cpu_s": 0.2 * self.spec.run.block_s,
            "generator_wall_s": (drained_ns - self.now_ns) / 1e9,
            "app_cpu_s": cpu_s if ours else None,
            "app_rss_mb": 80.0 if ours else None,
            "app_threads": 44 if ours else None,
            "connections": 10 if ours else None,
            "server_requests": count - never if ours and arm.app else None,
            "server_in_flight_s": 0.95 * waited_s if tells else None,
            "server_arrival_ns": mean_ns,
            "database_cpu_s": 0.1 if ours else None,
            "apps_busy_s": cpu_s + 0.02 if ours else None,
            "watched_s": (drained_ns - self.now_ns) / 1e9,
            "steal_pct": 0.5,
            "pressure_pct": 1.0,
            "last_error": arm.last_error,
            "reason": None,
        }
        self.now_ns = drained_ns + 100 * MS
        return cpu_s

    def _watch(self, event: Trial, cpu_s: float) -> None:
        """Telemetry at the trial's boundaries, and one tick in between."""
        key = (event["arm"], event["instance"])
        ours = event["app_cpu_s"] is not None
        used = self.cpu_s[key]
        self.cpu_s[key] = used + cpu_s
        middle_ns = (event["start_ns"] + event["drained_ns"]) // 2
        for at, t_ns, share in (
            ("start", event["start_ns"], 0.0),
            ("tick", middle_ns, 0.5),
            ("end", event["drained_ns"], 1.0),
        ):
            self.telemetry.append(
                {
                    **{name: event[name] for name in ("scenario", "load", "arm", "instance")},
                    "t_ns": t_ns,
                    "cpu_s": used + share * cpu_s if ours else None,
                    "rss_mb": 80.0 if ours else None,
                    "threads": 44 if ours else None,
                    "connections": 10 if ours else None,
                    "in_flight": 3 if ours and at == "tick" else None,
                    "steal_pct": 0.5,
                    "pressure_pct": 1.0,
                    "at": at,
                    "trial": event["trial"],
                }
            )


def _known(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def _error(timed_out: bool, failed: bool) -> str | None:
    return "timeout" if timed_out else "HTTP 500" if failed else None
