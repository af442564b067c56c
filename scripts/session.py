"""The world of one command: machine facts, database and arms, up for as long as it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from loadtests.environment.core_noise import look_at, noise_of
from loadtests.environment.database import Database, connections_outside, open_database
from loadtests.environment.distance import Distance, distant_database
from loadtests.environment.drivers import check_drivers
from loadtests.environment.launch import server_options
from loadtests.environment.machine import (
    available_memory_mb,
    git_commit,
    host_facts,
    package_versions,
    usable_cores,
)
from loadtests.environment.placement import Placement, candidates, choose_placement
from loadtests.environment.processes import on_cores
from loadtests.environment.servers import RunningInstance, running_arms
from loadtests.environment.topology import cores_of
from loadtests.errors import EnvironmentNotReady
from loadtests.generator_count import choose_generators
from loadtests.manifest import read_manifest
from loadtests.resume import generators_of, placement_of
from loadtests.schedule import Limits, Sizes, choose_sizes, connections_needed
from loadtests.second_opinion.wrk import wrk_is_installed
from loadtests.spec import Spec
from scripts.console import say


@dataclass(frozen=True)
class Session:
    """A database and running arms."""

    spec: Spec
    sizes: Sizes
    placement: Placement
    database: Database
    instances: list[RunningInstance]
    distance: Distance | None = None

    def check(self) -> None:
        """Raise EnvironmentNotReady when the way to the database is gone."""
        if self.distance is not None:
            self.distance.relay.check()

    def facts(self) -> dict[str, Any]:
        """Versions, host, placement, database, its distance, durability and commit, for the
        manifest."""
        return {
            "versions": package_versions(),
            "host": host_facts(),
            "placement": self.placement.to_json(),
            **self.database.facts(),
            **({"distance": self.distance.facts()} if self.distance else {}),
            "commit": git_commit(Path(__file__).parent),
        }

    def arms(self) -> dict[str, Any]:
        """What each arm is, what it says of itself, and what its `git_ref` stood for."""
        told: dict[str, Any] = {}
        for instance in self.instances:
            arm = self.spec.arm_named(instance.target.arm)
            if arm.name not in told:
                stats = instance.stats() or {}
                told[arm.name] = {"kind": arm.kind, **{k: stats.get(k) for k in TOLD}}
                if arm.kind == "app":
                    told[arm.name]["server"] = server_options(arm)
                if instance.commit is not None:
                    told[arm.name]["commit"] = instance.commit
        return told


TOLD = ("app", "driver", "settings", "runtime", "versions")


def placement_here(spec: Spec, *, look: bool = False) -> Placement:
    """Which cores hold generator, apps and database, and the relay where there is one."""
    return with_relay_where_far(cores_shared_out(generators_here(spec), look=look), spec)


def with_relay_where_far(placement: Placement, spec: Spec) -> Placement:
    """The same, with a core for the relay where the spec asks for a distance and it has none."""
    far = spec.run.database_rtt_ms > 0
    return placement.with_relay() if far and not placement.relay else placement


def places_of(spec: Spec, resume: Path | None) -> tuple[Placement, int]:
    """Who gets which cores, by a look at them, and how many processes make the load; a run that is
    gone on with keeps what it has."""
    if resume is None:
        return placement_here(spec, look=True), generators_here(spec)
    manifest = read_manifest(resume)
    return placement_of(manifest, usable_cores(), resume), generators_of(manifest)


def generators_here(spec: Spec) -> int:
    """How many processes make the load on this machine; asked before this process gives cores
    away."""
    return choose_generators(spec, len(cores_of(usable_cores())))


def cores_shared_out(generators: int = 1, *, look: bool = False) -> Placement:
    """The usual placement; with a `look`, which takes about two seconds, by how much each
    core is seen to be slowed."""
    cores = cores_of(usable_cores())
    noise = noise_of(look_at(candidates(cores, generators)[0].cores)) if look else ()
    return choose_placement(cores, noise, generators)


class _Here(TypedDict):
    """What database, relay and arms are all told of the place they are started in."""

    placement: Placement
    log_folder: Path
    say: Callable[[str], None]


@contextmanager
def open_session(
    spec: Spec,
    sizes: Sizes,
    *,
    run: str,
    log_folder: Path,
    first_instance: int = 0,
    placement: Placement | None = None,
    tables: Mapping[str, str] | None = None,
    say: Callable[[str], None] = say,
) -> Iterator[Session]:
    """Database first, then every arm; all of it is gone when the block ends.

    Without a `placement`: the usual one; one without a relay gets it where the spec is farther away
    than the run began. `tables`: see `running_arms`. Raises EnvironmentNotReady before anything is
    started when an arm's driver is not installed.
    """
    check_drivers(spec.arm)
    placement = with_relay_where_far(placement or cores_shared_out(generators_here(spec)), spec)
    say(f"Cores: {placement.why}")
    here: _Here = {"placement": placement, "log_folder": log_folder, "say": say}
    needed, rtt_ms = connections_needed(spec.arm, sizes.instances), spec.run.database_rtt_ms
    with ExitStack() as stack:
        database = stack.enter_context(open_database(spec.run, connections_needed=needed, **here))
        distance = stack.enter_context(distant_database(database, rtt_ms, **here))
        arms = running_arms(
            spec, database, run=run, instances=sizes.instances, first_instance=first_instance,
            tables=tables, **here,
        )  # fmt: skip
        instances = stack.enter_context(arms)
        stack.enter_context(on_cores(placement.generator))  # our own work stays off the apps' core
        yield Session(spec, sizes, placement, database, instances, distance)


def sizes_here(spec: Spec, *, only_planning: bool = False) -> Sizes:
    """Instances and rounds that fit this machine, and the server where it is not ours.

    `only_planning`: a server that does not answer is told, and the plan made without it. Otherwise
    raises EnvironmentNotReady.
    """
    return choose_sizes(spec, limits_here(spec, only_planning=only_planning))


def limits_here(spec: Spec, *, only_planning: bool = False) -> Limits:
    """What memory and connections allow here; `only_planning` as in `sizes_here`."""
    outside = None
    try:
        outside = connections_outside(spec.run)
    except EnvironmentNotReady as error:
        if not only_planning:
            raise
        say(f"Planned without the server's number of connections: {error.message}")
    return Limits(
        memory_mb=available_memory_mb(),
        connections=outside.free if outside else None,
        wrk=wrk_is_installed(),
        max_connections=outside.max_connections if outside else None,
    )
