"""Several resident processes that act as one generator, against a server that logs each request.

They share one core here: what is tested is that nothing is lost, doubled or changed, not speed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from loadtests.arrivals import RequestStream, plan_arrivals
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.generators import Generators
from loadtests.scenarios.catalogue import CRUD_MIX
from loadtests.scenarios.model import Keys, LoadSpec, Request, Scenario
from loadtests.sharing import merged
from loadtests.trials import (
    SAMPLE_SCHEMA,
    ClosedLoad,
    Load,
    OpenLoad,
    Target,
    TrialOrder,
    TrialOutcome,
)
from tests.support.known_server import KnownServer, known_server

KEYS = Keys(first=1, last=40, unique=True)
OWN = "from locust import FastHttpUser, task\nclass U(FastHttpUser):\n" + (
    "    @task\n    def read(self):\n        self.client.get('/own')\n"
)
SCENARIOS = [
    CRUD_MIX,
    Scenario(name="patient", timeout_s=5, request=(Request(name="all", path="/"),)),
    Scenario(name="few-keys", request=(Request(name="delete", path="/{key}", keys=KEYS),)),
    Scenario(name="own", locustfile="own.py", load=LoadSpec(model="closed", users=3)),
]


@pytest.fixture(scope="module")
def server() -> Iterator[KnownServer]:
    with known_server() as running:
        yield running


def started(server: KnownServer, folder: Path, count: int = 2) -> Generators:
    (folder / "own.py").write_text(OWN)
    return Generators.start(
        [Target("a", 0, server.url), Target("b", 0, server.url)],
        SCENARIOS,
        folder=folder,
        cores=sorted(os.sched_getaffinity(0))[:1],
        log_path=folder / "generator.log",
        count=count,
    )


@pytest.fixture(scope="module")
def generators(
    server: KnownServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generators]:
    with started(server, tmp_path_factory.mktemp("generators")) as running:
        yield running


def order(server: KnownServer, name: str, load: Load, *, arm: str = "a", seed: int = 3,
          steady_s: float = 0.4) -> TrialOrder:  # fmt: skip
    return TrialOrder(1, 2, 3, name, load, Target(arm, 0, server.url), seed, 0.1, steady_s)


@pytest.mark.parametrize("load", [OpenLoad(400), OpenLoad(300, "uniform")], ids=lambda x: x.name)
@pytest.mark.parametrize("arm", ["a", "b"])
def test_an_open_load_is_the_plan_each_arrival_once_with_its_request_and_key(
    generators, server, load, arm
) -> None:
    server.log.clear()
    outcome = generators.run_trial(order(server, "crud-mix", load, arm=arm))
    samples = outcome.samples.to_pandas()
    planned_ns = plan_arrivals(load.rate_per_s, 0.5, load.arrivals, 3)
    drawn = RequestStream(CRUD_MIX.request, 3).draw(len(planned_ns))
    assert outcome.samples.schema == SAMPLE_SCHEMA
    assert (samples.arrival_ns - outcome.start_ns).tolist() == planned_ns.tolist()
    names = [CRUD_MIX.request[which].name for which in drawn.which]
    assert samples.request.tolist() == names
    keys = [None if key < 0 else key for key in drawn.keys.tolist()]
    assert [None if pd.isna(key) else int(key) for key in samples.key] == keys
    assert outcome.planned == outcome.sent == outcome.recorded == len(server.log) == len(planned_ns)
    assert (samples.sent_ns >= samples.arrival_ns).all()
    assert outcome.drained_ns == samples.done_ns.max()


def test_every_second_arrival_comes_from_the_other_process(generators, server) -> None:
    server.log.clear()
    samples = generators.run_trial(order(server, "few-keys", OpenLoad(60, "uniform"))).samples
    turn = {f"/{key}": number % 2 for number, key in enumerate(samples["key"].to_pylist())}
    turns: dict[int, set[int]] = {}
    for logged in server.log:
        turns.setdefault(logged.connection, set()).add(turn[logged.path])
    assert sorted({tuple(each) for each in turns.values()}) == [(0,), (1,)]


def in_flight(samples: pd.DataFrame) -> pd.Series:
    events = sorted([(t, 1) for t in samples.sent_ns] + [(t, -1) for t in samples.done_ns])
    return pd.Series([change for _, change in events]).cumsum()


@pytest.mark.parametrize("users", [5, 1])
def test_the_users_of_a_closed_load_are_shared_out_and_counted_once(
    generators, server, users
) -> None:
    server.log.clear()
    outcome = generators.run_trial(order(server, "patient", ClosedLoad(users)))
    samples = outcome.samples.to_pandas()
    assert outcome.planned == outcome.sent == outcome.recorded == len(server.log) == len(samples)
    assert len(samples) > 20
    assert in_flight(samples).max() == users
    assert samples.arrival_ns.is_monotonic_increasing
    assert (samples.arrival_ns >= outcome.start_ns).all()
    assert (samples.arrival_ns < outcome.steady_end_ns).all()


def test_unique_keys_are_unique_over_all_processes_and_may_run_out(generators, server) -> None:
    server.log.clear()
    generators.run_trial(order(server, "few-keys", OpenLoad(50, "uniform")))
    assert max(server.paths().values()) == 1
    for load in (OpenLoad(200), ClosedLoad(4)):
        with pytest.raises(SpecError, match="ran out of unique keys"):
            generators.run_trial(order(server, "few-keys", load))
    server.log.clear()
    generators.run_trial(order(server, "patient", ClosedLoad(2)))  # and both are in step again
    assert server.paths().keys() == {"/"}


def test_a_trial_that_one_process_cannot_begin_is_begun_by_none(generators, server) -> None:
    """41 arrivals and 40 keys: the first process lacks one, the second has all it needs."""
    server.log.clear()
    with pytest.raises(SpecError, match="ran out of unique keys"):
        generators.run_trial(order(server, "few-keys", OpenLoad(82, "uniform")))
    assert not server.log
    outcome = generators.run_trial(order(server, "patient", ClosedLoad(2)))
    assert outcome.recorded == len(server.log)


def test_somebodys_own_users_stay_in_one_process(generators, server) -> None:
    server.log.clear()
    outcome = generators.run_trial(order(server, "own", ClosedLoad(3)))
    assert Counter(outcome.samples["request"].to_pylist()) == {"GET /own": len(server.log)}
    assert len({logged.connection for logged in server.log}) == 3


def test_cpu_of_processes_on_one_core_is_added_up(generators, server, monkeypatch) -> None:
    told: list[TrialOutcome] = []

    def keep(outcomes: list[TrialOutcome], places: list[int]) -> TrialOutcome:
        told.extend(outcomes)
        return merged(outcomes, places)

    monkeypatch.setattr("loadtests.generators.merged", keep)
    outcome = generators.run_trial(order(server, "patient", OpenLoad(100)))
    assert outcome.generator_cpu_s == sum(each.generator_cpu_s for each in told)
    assert outcome.generator_wall_s == max(each.generator_wall_s for each in told)
    assert len(told) == len(set(generators.pids)) == 2
    assert all(0 < each.generator_cpu_s < each.generator_wall_s for each in told)


def test_going_ahead_of_others_is_told_where_all_are_allowed_to(generators) -> None:
    allowed = [may_go_ahead(pid) for pid in generators.pids]
    assert generators.real_time is all(allowed)


def may_go_ahead(pid: int) -> bool:
    """Whether the system lets us give a process real-time priority: tried, and undone."""
    before = os.sched_getscheduler(pid), os.sched_getparam(pid)
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(pid, *before)
    return True


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_killed_in_mid_trial_is_named_and_nothing_of_the_trial_is_kept(
    server, tmp_path, victim
) -> None:
    with started(server, tmp_path) as generators:
        pids = generators.pids
        server.log.clear()

        def kill_once_loaded() -> None:
            give_up_s = time.monotonic() + 20
            while len(server.log) < 20 and time.monotonic() < give_up_s:
                time.sleep(0.005)
            os.kill(pids[victim], signal.SIGKILL)

        killer = threading.Thread(target=kill_once_loaded)
        killer.start()
        named = f"process {pids[victim]}, number {victim + 1} of 2.*SIGKILL"
        with pytest.raises(EnvironmentNotReady, match=named):
            generators.run_trial(order(server, "patient", OpenLoad(100), steady_s=1.5))
        killer.join()
        with pytest.raises(EnvironmentNotReady, match=named):  # the other one is not left waiting
            generators.run_trial(order(server, "patient", OpenLoad(100)))
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert (tmp_path / "generator-2.log").exists()


def test_one_process_is_told_of_no_number(server, tmp_path) -> None:
    with started(server, tmp_path, count=1) as generators:
        os.kill(generators.pids[0], signal.SIGKILL)
        with pytest.raises(EnvironmentNotReady, match=rf"\(process {generators.pids[0]}\)"):
            generators.run_trial(order(server, "patient", ClosedLoad(1)))
