"""`bench doctor`: is this machine and set-up fit to measure, and what to do about it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from loadtests.environment.connections import connection_shortage
from loadtests.environment.database import Database, open_database
from loadtests.environment.distance import Distance, distant_database
from loadtests.environment.drivers import check_drivers, driver_of
from loadtests.environment.machine import available_memory_mb, host_facts, usable_cores
from loadtests.environment.placement import Placement
from loadtests.environment.probes import HostProbe
from loadtests.environment.server_database import SHORTAGE_HINT
from loadtests.environment.topology import cores_of
from loadtests.errors import BenchError, EnvironmentNotReady
from loadtests.schedule import PROCESS_MEMORY_MB, Sizes, connections_needed
from loadtests.spec import Arm, Spec, load_spec
from loadtests.trial_facts import share_pct
from reports.gates import DISTANCE_REMEDY, distance_gate
from scripts.console import say
from scripts.finding import Finding
from scripts.resolving import findings_of
from scripts.self_comparison import Look, instances_with_room, look_at_twin
from scripts.session import limits_here, placement_here, sizes_here

UNFIT = 4
FEWEST_CPUS = 2
"""Threads of one core would do: many small machines have no more."""
FEWEST_INSTANCES = 2
USUAL_LOOK = Look()
LOOK_S = 3.0
STEAL_LIMIT_PCT = 2.0
PRESSURE_LIMIT_PCT = 10.0
STARTED_BY_US = ("docker", "local")


def doctor_command(
    source: str, overrides: tuple[str, ...], *, look: Look | None = USUAL_LOOK
) -> int:
    """Look at machine, database and connections, and at the twin against itself (`look` None: not
    at that); print what was found; returns the exit code."""
    spec = load_spec(source, overrides=overrides)
    sizes = sizes_here(spec, only_planning=True)
    fit = True
    for finding in _findings(spec, sizes, look):
        print(finding.words(), flush=True)
        fit = fit and finding.fit
    return 0 if fit else UNFIT


def _findings(spec: Spec, sizes: Sizes, look: Look | None) -> Iterator[Finding]:
    placement = placement_here(spec, look=True)
    yield _drivers(spec)
    yield _cores(placement)
    yield _memory(spec, sizes)
    yield _quiet()
    ready = True
    for finding in _database(spec, sizes, placement):
        ready = ready and finding.fit
        yield finding
    if look is not None:
        yield from _twin_against_itself(spec, placement, look, ready=ready)


def _twin_against_itself(
    spec: Spec, placement: Placement, look: Look, *, ready: bool
) -> Iterator[Finding]:
    """What this machine resolves, found by measuring identical arms."""
    if spec.run.database == "none":
        yield Finding("A/A", True, 'not measured: the twins need a database, and this is "none"')
        return
    if not ready:
        yield Finding("A/A", False, "not measured, for want of a database that is fit")
        return
    instances = instances_with_room(spec, look)
    if instances < FEWEST_INSTANCES:
        room = "Two instances of two arms must fit memory and connections."
        yield Finding("A/A", False, "not measured, for want of room", room)
        return
    try:
        seen = look_at_twin(spec, replace(look, instances=instances), placement)
    except EnvironmentNotReady as error:
        yield Finding("A/A", False, error.message, error.hint)
        return
    yield from findings_of(seen, spec, limits_here(spec), placement)


def _drivers(spec: Spec) -> Finding:
    try:
        check_drivers(spec.arm)
    except BenchError as error:
        return Finding("drivers", False, error.message, error.hint)
    named = sorted({driver for arm in spec.arm if (driver := driver_of(arm)) is not None})
    return Finding("drivers", True, ", ".join(named) or "the arms bring their own")


def _cores(placement: Placement) -> Finding:
    cpus = usable_cores()
    count = len(cpus) or int(host_facts()["cores"])
    of_cores = f" of {len(cores_of(cpus))} cores" if cpus else ""
    return Finding(
        "cores",
        count >= FEWEST_CPUS,
        f"{count} CPUs{of_cores} usable; {placement.why}",
        "On one CPU generator, app and database take time from each other: use more.",
    )


def _memory(spec: Spec, sizes: Sizes) -> Finding:
    processes = sizes.instances * sum(arm.workers for arm in spec.arm if arm.kind != "url")
    return memory_finding(processes, available_memory_mb())


def memory_finding(processes: int, free_mb: float) -> Finding:
    """Whether that many worker processes fit into the memory that is free."""
    needed_mb = processes * PROCESS_MEMORY_MB
    return Finding(
        "memory",
        needed_mb <= free_mb,
        f"{free_mb:.0f} MB free; {processes} processes may need {needed_mb:.0f} MB",
        "Lower instances: --set run.instances=4",
    )


def _quiet() -> Finding:
    """Steal and CPU pressure while nothing of ours runs."""
    probe, started_s = HostProbe(), time.monotonic()
    before = probe.read()
    time.sleep(LOOK_S)
    after, wall_s = probe.read(), time.monotonic() - started_s
    return quiet_finding(
        share_pct(before.steal_s, after.steal_s, wall_s),
        share_pct(before.pressure_s, after.pressure_s, wall_s),
    )


def quiet_finding(steal_pct: float | None, pressure_pct: float | None) -> Finding:
    """Whether others leave this machine alone; None is unknown and no reason against it."""
    fit = (steal_pct or 0.0) <= STEAL_LIMIT_PCT and (pressure_pct or 0.0) <= PRESSURE_LIMIT_PCT
    return Finding(
        "quiet",
        fit,
        f"steal {_pct(steal_pct)}, CPU pressure {_pct(pressure_pct)} over {LOOK_S:g} s",
        "Something else is using this machine: end it, or expect wide intervals.",
    )


def _pct(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1f}%"


def _database(spec: Spec, sizes: Sizes, placement: Placement) -> Iterator[Finding]:
    """Open it, say which and why, do the connection arithmetic; measure the distance, if any."""
    name = "database"
    with tempfile.TemporaryDirectory(prefix="bench-doctor-") as folder:
        log_folder = Path(folder)
        try:
            with open_database(
                spec.run,
                connections_needed=0,
                placement=placement,
                log_folder=log_folder,
                say=say,
            ) as database:
                yield database_finding(database, spec.arm, sizes.instances)
                name = "distance"
                with distant_database(
                    database,
                    spec.run.database_rtt_ms,
                    placement=placement,
                    log_folder=log_folder,
                    say=lambda _: None,
                ) as distance:
                    if distance is not None:
                        yield _distance(distance)
        except BenchError as error:
            yield Finding(name, False, error.message, error.hint)


def _distance(distance: Distance) -> Finding:
    gate = distance_gate(distance.relay.rtt_ms, [distance.facts()], None)
    priority = "" if distance.relay.real_time else "; real-time priority was not allowed"
    return Finding(
        "distance",
        gate.ok is True,
        distance.words().removeprefix("Distance to the database: ").rstrip(".") + priority,
        DISTANCE_REMEDY,
    )


def database_finding(database: Database, arms: Sequence[Arm], instances: int) -> Finding:
    """Which database it is, and whether it has connections for every instance of every arm.

    A server that we start gets as many as are needed.
    """
    needed = connections_needed(tuple(arms), instances)
    seen = (
        f"{database.flavour} {database.version} ({database.why}); "
        f"{instances} instances × ({_per_instance(arms)}) = {needed} connections"
    )
    limit, in_use = database.max_connections, database.connections_in_use
    if limit is None or in_use is None:
        return Finding("database", True, database.why)
    if database.kind in STARTED_BY_US:
        return Finding("database", True, seen)
    shortage = connection_shortage(needed, limit, in_use)
    told = f"{seen}. {shortage}" if shortage else f"{seen}; {limit - in_use} of {limit} are free"
    return Finding("database", shortage is None, told, SHORTAGE_HINT)


def _per_instance(arms: Sequence[Arm]) -> str:
    ours = [arm for arm in arms if arm.kind != "url"]
    return " + ".join(f"{arm.workers} × ({arm.pool_size} + {arm.max_overflow})" for arm in ours)
