"""`bench doctor`: is this machine and set-up fit to measure, and what to do about it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtests.environment.connections import connection_shortage
from loadtests.environment.database import open_database
from loadtests.environment.machine import available_memory_mb, host_facts, usable_cores
from loadtests.environment.probes import HostProbe
from loadtests.errors import BenchError
from loadtests.schedule import PROCESS_MEMORY_MB, Sizes, connections_needed
from loadtests.spec import Spec, load_spec
from scripts.console import say
from scripts.session import placement_here, sizes_here

UNFIT = 4
FEWEST_CORES = 2
LOOK_S = 3.0
STEAL_LIMIT_PCT = 2.0
PRESSURE_LIMIT_PCT = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` says what to do when it is not fit."""

    name: str
    fit: bool
    seen: str
    remedy: str = ""


def doctor_command(source: str, overrides: tuple[str, ...]) -> int:
    """Look at machine, database and connections; print what was found; returns the exit code."""
    spec = load_spec(source, overrides=overrides)
    sizes = sizes_here(spec)
    findings = []
    for look in _looks(spec, sizes):
        finding = look()
        findings.append(finding)
        print(f"{'ok   ' if finding.fit else 'UNFIT'}  {finding.name}: {finding.seen}")
        if not finding.fit and finding.remedy:
            print(f"       → {finding.remedy}")
    return 0 if all(finding.fit for finding in findings) else UNFIT


def _looks(spec: Spec, sizes: Sizes) -> Iterator[Callable[[], Finding]]:
    yield _cores
    yield lambda: _memory(spec, sizes)
    yield _quiet
    yield lambda: _database(spec, sizes)


def _cores() -> Finding:
    cores = len(usable_cores()) or int(host_facts()["cores"])
    return Finding(
        "cores",
        cores >= FEWEST_CORES,
        f"{cores} usable; {placement_here().why}",
        "On one core generator, app and database take time from each other: use more.",
    )


def _memory(spec: Spec, sizes: Sizes) -> Finding:
    processes = sizes.instances * sum(arm.workers for arm in spec.arm if arm.kind != "url")
    needed_mb = processes * PROCESS_MEMORY_MB
    free_mb = available_memory_mb()
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
    steal = _share_pct(before.steal_s, after.steal_s, wall_s)
    pressure = _share_pct(before.pressure_s, after.pressure_s, wall_s)
    fit = (steal or 0.0) <= STEAL_LIMIT_PCT and (pressure or 0.0) <= PRESSURE_LIMIT_PCT
    return Finding(
        "quiet",
        fit,
        f"steal {_pct(steal)}, CPU pressure {_pct(pressure)} over {LOOK_S:g} s",
        "Something else is using this machine: end it, or expect wide intervals.",
    )


def _share_pct(before_s: float | None, after_s: float | None, wall_s: float) -> float | None:
    return None if before_s is None or after_s is None else 100.0 * (after_s - before_s) / wall_s


def _pct(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1f}%"


def _database(spec: Spec, sizes: Sizes) -> Finding:
    """Open it, say which and why, and do the connection arithmetic."""
    needed = connections_needed(spec.arm, sizes.instances)
    arithmetic = f"{sizes.instances} instances × ({_per_instance(spec)}) = {needed} connections"
    with tempfile.TemporaryDirectory(prefix="bench-doctor-") as folder:
        try:
            with open_database(
                spec.run,
                connections_needed=0,
                placement=placement_here(),
                log_folder=Path(folder),
                say=say,
            ) as database:
                limit, free = database.max_connections, database.free_connections
                seen = f"{database.flavour} {database.version} ({database.why}); {arithmetic}"
                started_by_us = database.kind in ("docker", "local")
        except BenchError as error:
            return Finding("database", False, error.message, error.hint)
    if limit is None or free is None or started_by_us:
        return Finding("database", True, seen)
    shortage = connection_shortage(needed, limit, 0) if needed > free else None
    return Finding("database", shortage is None, shortage or seen, "Lower instances or pool_size.")


def _per_instance(spec: Spec) -> str:
    return " + ".join(
        f"{arm.workers} × ({arm.pool_size} + {arm.max_overflow})"
        for arm in spec.arm
        if arm.kind != "url"
    )
