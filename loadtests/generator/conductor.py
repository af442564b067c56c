"""Runs one trial after the other in the generator's process, with users that stay for the run."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from loadtests.arrivals import NO_KEY, RequestStream, Window, plan_arrivals
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.generator.connections import Site
from loadtests.generator.crews import Crews
from loadtests.generator.heartbeat import Heartbeat
from loadtests.generator.messages import Message, messages_for
from loadtests.generator.own_users import OwnUsers, forbid_silent_retries, gate_tasks, load_users
from loadtests.generator.work import ClosedWork, OpenWork, Work
from loadtests.priority import GENERATOR, ahead_of_others
from loadtests.recorder import Row, assemble, sample_table
from loadtests.scenarios.model import Scenario
from loadtests.sharing import WHOLE, DealtStream, Share
from loadtests.trials import ClosedLoad, Load, Target, TrialOrder, TrialOutcome

START_DELAY_NS = 5_000_000
"""From the last preparation to a trial's start: time to turn the plan into instants."""
DRAIN_GRACE_S = 5.0
"""Every request has ended by its timeout; a trial that has not drained this much later is a bug."""
FEWEST_OPEN_USERS, MOST_OPEN_USERS = 64, 512
FEWEST_OPEN_CONNECTIONS = 32
USUAL_IN_FLIGHT_S = 0.05
"""Connections opened ahead for an open load: those in use at this mean response time."""

Place = tuple[str, int]
"""Arm and instance."""


def users_for(load: Load, duration_s: float) -> int:
    """How many users a load of this length needs.

    For an open load: enough for all its requests to be in flight at once (a stall, or a load far
    above capacity), as far as the usual limit of 1024 open files of a server allows.
    """
    if isinstance(load, ClosedLoad):
        return load.users
    planned = math.ceil(load.rate_per_s * duration_s)
    return max(FEWEST_OPEN_USERS, min(MOST_OPEN_USERS, planned))


def connections_for(load: Load) -> int:
    """Connections opened before a trial begins; more are opened as they are needed."""
    if isinstance(load, ClosedLoad):
        return load.users
    usual = math.ceil(load.rate_per_s * USUAL_IN_FLIGHT_S)
    return max(FEWEST_OPEN_CONNECTIONS, min(MOST_OPEN_USERS, usual))


def soon_ns() -> int:
    """When a process that is alone starts a trial that is prepared."""
    return time.monotonic_ns() + START_DELAY_NS


class Conductor:
    """The resident users of one process, their connections, and one trial at a time.

    `share` is this process's part of every trial. `agree` is called when a trial can start here and
    returns the instant at which all processes start it. Raises SpecError when a scenario's
    locustfile cannot be used.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        scenarios: Sequence[Scenario],
        folder: Path,
        share: Share = WHOLE,
        agree: Callable[[], int] = soon_ns,
    ) -> None:
        forbid_silent_retries()
        self._share, self._agree = share, agree
        self._scenarios = {scenario.name: scenario for scenario in scenarios}
        self._sites = {_place(target): Site(target.url, target.idle_limit_s) for target in targets}
        self._messages: dict[tuple[str, Place], list[Message]] = {}
        self._crews = Crews([scenario for scenario in scenarios if scenario.request])
        self._files = {
            scenario.name: folder / scenario.locustfile
            for scenario in scenarios
            if scenario.locustfile is not None
        }
        self._own_classes = {name: load_users(path) for name, path in self._files.items()}
        self._own: dict[tuple[str, Place, int], OwnUsers] = {}
        if self._files:
            gate_tasks()

    def run(self, order: TrialOrder) -> TrialOutcome:
        """This process's share of one whole trial, drained; own users are never shared."""
        if order.scenario in self._files:
            return self._run_own_users(order)
        scenario, place = self._scenarios[order.scenario], _place(order.target)
        messages = self._messages_of(scenario, order.target)
        work = self._work(order, scenario, self._sites[place], messages)
        connections = connections_for(self._share.of_load(order.load))
        self._sites[place].prepare(connections, time.monotonic_ns(), scenario.timeout_s)
        gc.collect()
        within_s = order.lead_in_s + order.steady_s + scenario.timeout_s + DRAIN_GRACE_S
        with ahead_of_others(GENERATOR):
            start_ns = self._agree()
            window, used = Window.beginning(start_ns, order.lead_in_s, order.steady_s), _Usage()
            with Heartbeat() as heartbeat:
                drained = work.run(window, within_s)
        usage = used.until_now()
        if not drained:
            raise EnvironmentNotReady("A trial had not drained long after its last timeout.")
        table = sample_table(order, window, work.rows, messages, work.which, work.keys)
        outcome = _outcome(table, work.rows, window, work.planned, usage, work.no_free_user)
        return replace(outcome, generator_still_s=heartbeat.still_s)

    def close(self) -> None:
        """End the users and their connections."""
        for own in self._own.values():
            own.close()
        self._crews.close()
        for site in self._sites.values():
            site.close()

    def _work(
        self, order: TrialOrder, scenario: Scenario, site: Site, messages: list[Message]
    ) -> Work:
        duration_s = order.lead_in_s + order.steady_s
        count = users_for(self._share.of_load(order.load), duration_s)
        users = self._crews.users(scenario.name, count)
        stream = DealtStream(RequestStream(scenario.request, order.seed), self._share)
        common = (site, messages, stream, users, scenario.timeout_s)
        if isinstance(order.load, ClosedLoad):
            return ClosedWork(duration_s, *common)
        rate_per_s, kind = order.load.rate_per_s, order.load.arrivals
        planned_ns = plan_arrivals(rate_per_s, duration_s, kind, order.seed)
        return OpenWork(self._share.of_arrivals(planned_ns), *common)

    def _messages_of(self, scenario: Scenario, target: Target) -> list[Message]:
        key = (scenario.name, _place(target))
        if key not in self._messages:
            self._messages[key] = messages_for(scenario.request, target.url, target.headers)
        return self._messages[key]

    def _run_own_users(self, order: TrialOrder) -> TrialOutcome:
        own = self._own_users(order)
        own.start()
        gc.collect()
        window = Window.beginning(time.monotonic_ns(), order.lead_in_s, order.steady_s)
        used = _Usage()
        named = own.run(window, self._scenarios[order.scenario].timeout_s)
        usage = used.until_now()
        rows = [row for _, row in named]
        errors = [row[7] for row in rows]
        requests, keys = [name for name, _ in named], [NO_KEY] * len(rows)
        table = assemble(order, window, rows, requests, keys, errors)
        return _outcome(table, rows, window, len(rows), usage)

    def _own_users(self, order: TrialOrder) -> OwnUsers:
        if not isinstance(order.load, ClosedLoad):
            raise SpecError(f"Scenario {order.scenario!r}: own users run in a closed load only.")
        key = (order.scenario, _place(order.target), order.load.users)
        if key not in self._own:
            self._own[key] = OwnUsers(
                self._files[order.scenario],
                self._own_classes[order.scenario],
                order.target,
                order.load.users,
            )
        return self._own[key]


class _Usage:
    """CPU and wall time of this process since the object was made."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = time.process_time(), time.monotonic()

    def until_now(self) -> tuple[float, float]:
        return time.process_time() - self._cpu_s, time.monotonic() - self._wall_s


def _place(target: Target) -> Place:
    return target.arm, target.instance


def _outcome(
    table: pa.Table,
    rows: Sequence[Row],
    window: Window,
    planned: int,
    usage: tuple[float, float],
    no_free_user: int = 0,
) -> TrialOutcome:
    return TrialOutcome(
        samples=table,
        start_ns=window.start_ns,
        steady_start_ns=window.steady_start_ns,
        steady_end_ns=window.steady_end_ns,
        drained_ns=max((row[3] for row in rows), default=window.steady_end_ns),
        planned=planned,
        sent=sum(row[2] is not None for row in rows),
        recorded=len(rows),
        no_free_user=no_free_user,
        generator_cpu_s=usage[0],
        generator_wall_s=usage[1],
    )
