"""The resident generator against a server that logs each request."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd
import psutil
import pytest

from loadtests.arrivals import plan_arrivals
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.generators import Generators
from loadtests.priority import has_priority
from loadtests.scenarios.catalogue import CRUD_MIX
from loadtests.scenarios.model import Request, Scenario
from loadtests.trials import (
    SAMPLE_SCHEMA,
    ClosedLoad,
    OpenLoad,
    Target,
    TrialOrder,
    TrialOutcome,
)
from tests.support.known_server import BIG, BODY, KnownServer, known_server
from tests.support.lonely_generator import lonely, order

TIMEOUT_S = 1.0
"""Of what is never answered; other answers of that scenario come within it."""
PATIENCE_S = 5.0
"""Longer than any answer takes here, however busy the machine is."""


def scenario(name: str, *requests: Request, timeout_s: float = PATIENCE_S) -> Scenario:
    return Scenario(name=name, timeout_s=timeout_s, request=requests)


def one(path: str, **more: Any) -> Request:
    return Request(name=path, path=path, **more)


SCENARIOS = [
    CRUD_MIX,
    scenario("patient", one("/")),
    scenario("hang", one("/hang"), one("/fine", weight=3), timeout_s=TIMEOUT_S),
    scenario("stuck", one("/hang"), timeout_s=1.6),
    scenario("drop", one("/drop"), one("/fine", weight=3)),
    scenario("close", one("/close")),
    scenario(
        "answers",
        one("/chunked"),
        one("/big"),
        one("/status/204"),
        one("/status/302"),
        one("/status/503"),
        one("/status/404", expect_status=(404,)),
        one("/head", method="HEAD"),
    ),
    Scenario(
        name="large",
        timeout_s=10,
        request=(one("/upload", method="POST", json={"text": "y" * 16_000_000}),),
    ),
    scenario("few-keys", one("/{key}", keys={"from": 1, "to": 5, "unique": True})),
]


@pytest.fixture(scope="module")
def server() -> Iterator[KnownServer]:
    with known_server() as running:
        yield running


@pytest.fixture(scope="module")
def refusing() -> str:
    """A URL where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture(scope="module")
def targets(server: KnownServer, refusing: str) -> dict[str, Target]:
    return {
        "a": Target("a", 0, server.url, (("x-token", "secret"),)),
        "b": Target("b", 0, server.url),
        "nobody": Target("nobody", 0, refusing),
        "impatient": Target("impatient", 0, server.url, idle_limit_s=0.0),
    }


@pytest.fixture(scope="module")
def generator(
    targets: dict[str, Target], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generators]:
    log_path = tmp_path_factory.mktemp("generator") / "generator.log"
    with Generators.start(
        list(targets.values()), SCENARIOS, folder=".", cores=[], log_path=log_path
    ) as running:
        yield running


def run(
    generator: Generators, server: KnownServer, wanted: TrialOrder
) -> tuple[TrialOutcome, pd.DataFrame]:
    """One trial, with what must hold for every trial."""
    server.log.clear()
    outcome = generator.run_trial(wanted)
    assert outcome.samples.schema == SAMPLE_SCHEMA
    assert outcome.planned == outcome.sent == outcome.recorded == outcome.samples.num_rows
    assert not has_priority(generator.pids[0]), "in a trial only"
    samples = outcome.samples.to_pandas()
    assert (samples.arrival_ns <= samples.sent_ns).all()
    assert (samples.sent_ns <= samples.done_ns).all()
    assert samples.arrival_ns.is_monotonic_increasing
    assert ((samples.arrival_ns >= outcome.steady_start_ns) == (samples.phase == "steady")).all()
    assert (samples.arrival_ns < outcome.steady_end_ns).all()
    assert outcome.drained_ns == samples.done_ns.max()
    if isinstance(wanted.load, OpenLoad):
        load, length_s = wanted.load, wanted.lead_in_s + wanted.steady_s
        planned = plan_arrivals(load.rate_per_s, length_s, load.arrivals, wanted.seed)
        assert (samples.arrival_ns - outcome.start_ns).tolist() == planned.tolist()
    return outcome, samples


@pytest.mark.parametrize(
    "load", [ClosedLoad(8), OpenLoad(400), OpenLoad(400, "uniform")], ids=lambda load: load.name
)
def test_server_and_samples_count_the_same(generator, server, targets, load) -> None:
    _, samples = run(generator, server, order(targets["a"], "crud-mix", load))
    assert len(samples) == len(server.log) > 100
    assert samples.ok[~samples.request.str.startswith("create")].all()
    assert Counter(logged.method for logged in server.log) == Counter(
        samples.request.map({entry.name: entry.method for entry in CRUD_MIX.request})
    )
    assert (samples.bytes == len(BODY)).all()
    timings = samples[["thread_ms", "pool_ms", "db_ms", "total_ms"]].drop_duplicates()
    assert timings.to_numpy().tolist() == [[0.25, 1.5, 2.0, 4.75]]


def test_arms_of_a_block_get_the_same_arrivals_requests_and_keys(
    generator, server, targets
) -> None:
    _, first = run(generator, server, order(targets["a"], "crud-mix", OpenLoad(300)))
    sent_first = Counter((logged.method, logged.path, logged.body) for logged in server.log)
    assert {logged.headers.get("x-token") for logged in server.log} == {"secret"}
    _, second = run(generator, server, order(targets["b"], "crud-mix", OpenLoad(300)))
    sent_second = Counter((logged.method, logged.path, logged.body) for logged in server.log)
    assert {logged.headers.get("x-token") for logged in server.log} == {None}
    assert sent_first == sent_second
    assert first.request.equals(second.request)
    assert first.key.equals(second.key)
    gaps = [frame.arrival_ns - frame.arrival_ns[0] for frame in (first, second)]
    assert gaps[0].equals(gaps[1])
    third = run(generator, server, order(targets["b"], "crud-mix", OpenLoad(300), seed=4))[1]
    assert not third.key.equals(second.key)


def test_closed_users_wait_for_their_answers(generator, server, targets) -> None:
    _, samples = run(generator, server, order(targets["a"], "patient", ClosedLoad(5)))
    assert (samples.arrival_ns == samples.sent_ns).all()
    events = sorted([(t, 1) for t in samples.sent_ns] + [(t, -1) for t in samples.done_ns])
    in_flight = pd.Series([change for _, change in events]).cumsum()
    assert in_flight.max() == 5


@pytest.mark.parametrize("load", [ClosedLoad(4), OpenLoad(100)], ids=lambda load: load.name)
def test_timeouts_are_recorded_when_given_up(generator, server, targets, load) -> None:
    outcome, samples = run(generator, server, order(targets["a"], "hang", load))
    assert len(server.log) == len(samples)
    hung = samples[samples.request == "/hang"]
    assert len(hung) == server.paths()["/hang"] > 0
    assert (hung.error == "timeout").all()
    assert (hung.status == 0).all()
    assert not hung.ok.any()
    assert (hung.done_ns - hung.arrival_ns >= TIMEOUT_S * 1e9).all()
    assert samples[samples.request == "/fine"].ok.all()
    assert outcome.drained_ns >= hung.done_ns.max()


def test_an_open_load_stays_open_while_nothing_is_answered(generator, server, targets) -> None:
    """As far above its capacity as a server can be, all that is sent is in flight at once."""
    wanted = order(targets["a"], "stuck", OpenLoad(80, "uniform"), steady_s=1.4)
    outcome, samples = run(generator, server, wanted)
    assert len(samples) == 120
    assert outcome.no_free_user == 0
    assert samples.sent_ns.max() < samples.done_ns.min()


@pytest.mark.parametrize("load", [ClosedLoad(4), OpenLoad(200)], ids=lambda load: load.name)
def test_a_dropped_connection_is_an_error_and_nothing_is_sent_twice(
    generator, server, targets, load
) -> None:
    _, samples = run(generator, server, order(targets["a"], "drop", load))
    assert server.paths() == Counter(samples.request)
    dropped = samples[samples.request == "/drop"]
    assert len(dropped) > 0
    assert set(dropped.error) <= {"connection closed", "connection reset"}
    assert samples[samples.request == "/fine"].ok.all()


@pytest.mark.parametrize("load", [ClosedLoad(4), OpenLoad(200)], ids=lambda load: load.name)
def test_a_server_that_closes_after_each_answer_is_met_with_new_connections(
    generator, server, targets, load
) -> None:
    _, samples = run(generator, server, order(targets["b"], "close", load))
    assert samples.ok.all()
    assert server.paths() == {"/close": len(samples)}
    assert len({logged.connection for logged in server.log}) == len(samples)


def test_every_kind_of_answer(generator, server, targets) -> None:
    _, samples = run(generator, server, order(targets["a"], "answers", OpenLoad(400)))
    assert server.paths() == Counter(samples.request)  # no redirect was followed
    seen = samples.groupby("request")[["status", "ok", "error", "bytes"]].first()
    expected = {
        "/chunked": (200, True, None, 8),
        "/big": (200, True, None, len(BIG)),
        "/status/204": (204, True, None, 0),
        "/status/302": (302, False, "unexpected status 302", len(BODY)),
        "/status/503": (503, False, "HTTP 503", len(BODY)),
        "/status/404": (404, True, None, len(BODY)),
        "/head": (200, True, None, 0),
    }
    found = {
        str(name): (row.status, row.ok, None if pd.isna(row.error) else row.error, row.bytes)
        for name, row in seen.iterrows()
    }
    assert found == expected


def test_a_body_larger_than_the_socket_takes_at_once(generator, server, targets) -> None:
    _, samples = run(generator, server, order(targets["a"], "large", OpenLoad(6, "uniform")))
    assert samples.ok.all()
    assert [len(logged.body) for logged in server.log] == [16_000_011] * 3


@pytest.mark.parametrize("load", [ClosedLoad(4), OpenLoad(50)], ids=lambda load: load.name)
def test_a_server_that_is_not_there(generator, server, targets, load) -> None:
    _, samples = run(generator, server, order(targets["nobody"], "patient", load))
    assert set(samples.error) == {"connection refused"}
    assert len(samples) < 1000


def test_a_stall_is_in_the_response_time_of_what_was_planned_within_it(
    generator, server, targets
) -> None:
    stall_s = 0.5
    server.stall_after_the_first_request((0.4, stall_s))
    outcome, samples = run(
        generator, server, order(targets["a"], "patient", OpenLoad(200, "uniform"), steady_s=1.2)
    )
    logged_ns = sorted(logged.at_ns for logged in server.log)
    gap_ns, resumed_ns = max(
        (after - before, after) for before, after in itertools.pairwise(logged_ns)
    )
    assert gap_ns >= 0.4e9
    begun_ns = resumed_ns - stall_s * 1e9
    within = samples[(samples.arrival_ns > begun_ns) & (samples.arrival_ns < resumed_ns)]
    assert len(within) >= 0.8 * stall_s * 200  # they were planned, and all of them were sent
    assert (within.done_ns >= resumed_ns).all()
    assert len(samples) == outcome.planned == len(server.log)


def test_what_finds_no_free_user_is_counted_and_sent_late_but_arrives_as_planned(
    generator, server, targets
) -> None:
    """512 users are the most there are; a stall of 0.6 s at 1500/s needs 900."""
    server.stall_after_the_first_request((0.2, 0.6))
    outcome, samples = run(
        generator, server, order(targets["a"], "patient", OpenLoad(1500, "uniform"), steady_s=1.0)
    )
    assert outcome.no_free_user > 100
    assert (samples.sent_ns - samples.arrival_ns).max() > 50e6
    assert len(server.log) == outcome.planned


def test_connections_are_kept_and_opened_anew_when_idle_for_too_long(
    generator, server, targets
) -> None:
    for target, grows in (("a", False), ("impatient", True)):
        wanted = order(targets[target], "patient", ClosedLoad(6), steady_s=0.1)
        run(generator, server, wanted)
        before = server.connections
        run(generator, server, wanted)
        assert server.connections - before == (6 if grows else 0)


def test_running_out_of_unique_keys_is_a_mistake_in_the_spec(generator, server, targets) -> None:
    for load in (OpenLoad(200), ClosedLoad(2)):
        with pytest.raises(SpecError, match="ran out of unique keys after 5 requests"):
            generator.run_trial(order(targets["a"], "few-keys", load))
    run(generator, server, order(targets["a"], "patient", ClosedLoad(2)))


def test_a_killed_generator_is_named_and_a_closed_one_is_gone(server, tmp_path) -> None:
    with lonely(server, tmp_path, *SCENARIOS) as generator:
        pid = generator.pids[0]
        assert psutil.Process(pid).cpu_affinity() == sorted(os.sched_getaffinity(0))[:1]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EnvironmentNotReady, match=f"process {pid}.*SIGKILL"):
            generator.run_trial(order(Target("a", 0, server.url), "patient", ClosedLoad(1)))
    with lonely(server, tmp_path, *SCENARIOS) as generator:
        pid = generator.pids[0]
    assert not psutil.pid_exists(pid)


def test_a_hung_generator_is_named_and_ended(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("loadtests.generator_client.GRACE_S", -5.0)
    with lonely(server, tmp_path, *SCENARIOS) as generator:
        os.kill(generator.pids[0], signal.SIGSTOP)
        with pytest.raises(EnvironmentNotReady, match="did not answer within"):
            generator.run_trial(order(Target("a", 0, server.url), "patient", ClosedLoad(1)))
        assert not psutil.pid_exists(generator.pids[0])


def test_the_generator_dies_with_its_controller(server, tmp_path) -> None:
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from threading import Timer
        from loadtests.generators import Generators
        from loadtests.scenarios.catalogue import READ_ONE
        from loadtests.trials import OpenLoad, Target, TrialOrder
        target = Target("a", 0, {server.url!r})
        generator = Generators.start([target], [READ_ONE], folder=".", cores=[],
                                          log_path=Path({str(tmp_path / "log")!r}))
        print(generator.pids[0], flush=True)
        Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
        order = TrialOrder(1, 1, 1, "read-one", OpenLoad(20), target, 1, 0.0, 60.0)
        generator.run_trial(order)
    """)
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not psutil.pid_exists(pid)
