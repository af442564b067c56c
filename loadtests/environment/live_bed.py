"""The running arms and their database, as a run sees them between trials."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from loadtests.environment.database import Database
from loadtests.environment.probes import HostProbe, InstanceProbe
from loadtests.environment.relay import Relay
from loadtests.environment.resources import resources_of
from loadtests.environment.servers import RunningInstance, run_reset
from loadtests.environment.stops import watching
from loadtests.errors import EnvironmentNotReady
from loadtests.inspection import AS_SEEDED, Inspection, InstanceFacts
from loadtests.spec import Spec
from loadtests.testbed import Reading, Stop
from loadtests.trials import Target

SETTLE_LIMIT_S = 15.0
"""Longer than an app's own limits let a request wait or work (5 s each by default)."""
SETTLE_POLL_S = 0.05


class LiveBed:
    """Satisfies `loadtests.testbed.Bed` with real processes and a real database."""

    def __init__(
        self,
        spec: Spec,
        database: Database,
        instances: Sequence[RunningInstance],
        relay: Relay | None = None,
        *,
        generator_pids: Sequence[int] = (),
        app_cores: Sequence[int] = (),
    ) -> None:
        self._spec = spec
        self._database = database
        self._relay = relay
        others = {
            "the database server": database.pid,
            "the relay": relay.child.pid if relay else None,
        }
        self._others = dict.fromkeys(generator_pids, "the load generator")
        self._others |= {pid: name for name, pid in others.items() if pid is not None}
        self._instances = {(i.target.arm, i.target.instance): i for i in instances}
        self._probes = {
            key: InstanceProbe(instance.child.pid if instance.child else None)
            for key, instance in self._instances.items()
        }
        self._schemas = {
            i.target.arm: i.schema
            for i in instances
            if i.schema is not None and i.arm.kind == "app"
        }
        """Of built-in arms: what somebody's own service does to its tables is its own affair."""
        self._host = HostProbe(app_cores)

    @property
    def targets(self) -> Sequence[Target]:
        """Every running instance."""
        return [instance.target for instance in self._instances.values()]

    def put_back(self, arm: str) -> None:
        """Bring the arm's tables back to their seeded state, by its own command if it has one."""
        instance = next(i for i in self._instances.values() if i.target.arm == arm)
        if instance.schema is not None:
            self._database.reset(instance.schema)
        if self._spec.arm_named(arm).reset is not None:
            run_reset(self._spec, instance, self._database)

    def read(self, target: Target, *, full: bool) -> Reading:
        """Read an instance's usage and ask it for its gauges; `full` also counts connections.

        Connections are left out while a trial runs: looking one up makes the kernel walk its whole
        table of sockets.
        """
        key = (target.arm, target.instance)
        usage, host = self._probes[key].read(), self._host.read()
        port = self._database.port
        # Before stats(), whose own socket would be a new one to look up.
        connections = self._probes[key].connections_to(port) if full and port else None
        stats = self._instances[key].stats() or {}
        return Reading(
            t_ns=time.monotonic_ns(),
            cpu_s=usage.cpu_s,
            rss_mb=usage.rss_mb,
            threads=usage.threads,
            connections=connections,
            in_flight=stats.get("in_flight"),
            server_requests=stats.get("requests"),
            database_cpu_s=self._database.cpu_s(),
            relay_cpu_s=self._relay.cpu_s() if self._relay else None,
            steal_s=host.steal_s,
            pressure_s=host.pressure_s,
            apps_busy_s=host.busy_s,
            in_flight_s=stats.get("in_flight_s"),
            arrivals_ns=stats.get("arrivals_ns"),
            last_error=stats.get("last_error"),
        )

    def settle(self, target: Target, within_s: float | None = None) -> int | None:
        """Poll the app's own gauge.

        A client that gives up does not stop the app's work, and FastAPI tears dependencies with
        `yield` down after the answer.
        """
        instance = self._instances[target.arm, target.instance]
        give_up_s = time.monotonic() + (SETTLE_LIMIT_S if within_s is None else within_s)
        while True:
            in_flight: int | None = (instance.stats() or {}).get("in_flight")
            if not in_flight or time.monotonic() > give_up_s:
                return in_flight
            time.sleep(SETTLE_POLL_S)

    def watching(self, target: Target) -> AbstractContextManager[list[Stop]]:
        """Look at the instance's processes, the generator's, the database server's and the
        relay's, as far as they are on this machine."""
        name = f"{target.arm} #{target.instance}"
        pids = self._probes[target.arm, target.instance].pids
        return watching({**self._others, **dict.fromkeys(pids, name)})

    def inspect(self, round_number: int) -> Inspection:
        """Look at every instance, every table of ours, and the database server's settings."""
        return Inspection(
            round=round_number,
            instances=tuple(map(_facts, self._instances.values())),
            tables={
                arm: self._database.drifted(schema) or AS_SEEDED
                for arm, schema in self._schemas.items()
            },
            database=self._database.settings(),
        )

    def server_counters(self) -> Mapping[str, float] | None:
        """What the database server has counted of itself since it started; None where it does not
        answer: whether it is away is for the arms to suffer, and for `put_back` to tell."""
        try:
            return self._database.counters()
        except EnvironmentNotReady:
            return None

    def check(self) -> None:
        """Raise EnvironmentNotReady when the relay has ended: no arm reaches its database."""
        if self._relay is not None:
            self._relay.check()

    def failure(self, target: Target) -> str | None:
        """Why the instance can no longer be measured; None while it lives."""
        child = self._instances[target.arm, target.instance].child
        if child is None or child.alive():
            return None
        return f"{target.arm} #{target.instance} has ended (exit code {child.returncode})"


def _facts(instance: RunningInstance) -> InstanceFacts:
    told = instance.stats() or {}
    return InstanceFacts(
        arm=instance.target.arm,
        instance=instance.target.instance,
        settings=told.get("settings"),
        runtime=told.get("runtime"),
        **resources_of(instance.child.pid if instance.child else None),
    )
