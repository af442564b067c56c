"""A short selftest for real: known-answer servers, the resident generator, the whole report."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.compute as pc
import pytest

from loadtests.arrivals import RequestStream, Window, plan_arrivals
from loadtests.environment.core_noise import look_at
from loadtests.environment.placement import Placement
from loadtests.errors import EnvironmentNotReady, UsageError
from loadtests.recorder import Row, assemble
from loadtests.selftest import wire
from loadtests.selftest.behaviour import Behaviour, Service, Stall
from loadtests.selftest.cases import CASES
from loadtests.selftest.measure import Bench, measure_case, open_bench
from loadtests.selftest.plan import REQUEST
from loadtests.selftest.record import NEVER, Case, Measured
from loadtests.selftest.server_client import KnownServer
from loadtests.trials import OpenLoad, TrialOrder, TrialOutcome
from reports.selftest.judge import judge_case
from reports.selftest.model import Check
from scripts import selftest as command

BY_NAME = {case.name: case for case in CASES}
ANYWHERE = Placement((), (), (), "wherever the system puts it")
EXACT = {"requests", "failed"}


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the cores."""
    monkeypatch.setattr("scripts.session.look_at", lambda cores: look_at(cores, look_s=0.1))


def short(name: str, steady_s: float = 0.5, **changes: Any) -> Case:
    return replace(BY_NAME[name], steady_s=steady_s, lead_in_s=0.1, **changes)


def short_stall() -> Case:
    behaviour = replace(BY_NAME["stall"].behaviour, stall=Stall(0.4, 0.4))
    return short("stall", 1.8, behaviour=behaviour, load=OpenLoad(150, "uniform"))


SHORT = [
    short("constant"),
    short("wire"),
    short("two arms", 0.3, pairs=2),
    short_stall(),
    short("overload"),
    short("M/M/1 0.8"),
    short("errors 30%"),
    short("timeouts", timeout_s=0.2),
    short("closes"),
    short("hangs up"),
    short("drops"),
    short("closed"),
    short("closed queue"),
    short("closed, think"),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(SHORT, ANYWHERE, tmp_path_factory.mktemp("logs")) as running:
        yield running


def checks_of(measured: Measured) -> dict[str, Check]:
    return {check.quantity: check for check in judge_case(measured).checks}


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.name)
def test_counts_are_the_server_s_exactly(bench: Bench, case: Case) -> None:
    """Times are not judged here: this machine may be busy."""
    measured = measure_case(bench, case, seed=1)
    found = checks_of(measured)
    for name in EXACT & found.keys():
        assert found[name].why_off == (), name
    assert found["requests"].measured > 20
    does = case.behaviour
    if does.hangs_up != "unannounced":  # there, chance decides
        assert ("failed" in found) == bool(
            does.failed_share + does.dropped_share + does.unanswered_share
        )
    assert all(check.measured is not None for check in found.values())
    if case.behaviour.hangs_up != "never":
        log = measured.trials[0].log
        answered = log.connection[log.end_ns != NEVER].tolist()
        assert len(set(answered)) == len(answered)


def test_a_stall_is_in_what_was_recorded(bench: Bench) -> None:
    measured = measure_case(bench, short_stall(), seed=1)
    [(begin_ns, end_ns)] = measured.trials[0].log.stalls_ns
    assert end_ns - begin_ns > 0.3e9
    samples = measured.trials[0].outcome.samples.to_pandas()
    due_in_it = samples[(samples.arrival_ns > begin_ns) & (samples.arrival_ns < end_ns)]
    assert len(due_in_it) > 10
    assert (due_in_it.done_ns >= end_ns).all()


def test_packets_are_timed_where_that_is_allowed(bench: Bench) -> None:
    measured = measure_case(bench, short("wire"), seed=1)
    times, trial = measured.wire, measured.trials[0]
    assert times is not None
    if times.why_not:
        assert "not allowed here" in times.why_not
        pytest.skip(times.why_not)
    assert sorted(times.key.tolist()) == sorted(trial.log.key.tolist())
    assert (times.answered_ns > times.asked_ns).all()


def test_where_packets_may_not_be_captured_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(wire.socket, "socket", refuse)
    with wire.captured(80) as capture:
        pass
    assert capture.times().why_not == "not allowed here (Operation not permitted)"


class OmittingGenerator:
    """What must be found: one user, who waits for each answer, and whose clock starts as it sends.

    Satisfies `loadtests.trials.Generator`.
    """

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        assert isinstance(order.load, OpenLoad)
        length_s = order.lead_in_s + order.steady_s
        due_ns = plan_arrivals(
            order.load.rate_per_s, length_s, order.load.arrivals, order.seed
        ).tolist()
        keys = RequestStream((REQUEST,), order.seed).draw(len(due_ns)).keys.tolist()
        window = Window.beginning(time.monotonic_ns(), order.lead_in_s, order.steady_s)
        connection = http.client.HTTPConnection(urlsplit(order.target.url).netloc)
        rows: list[Row] = []
        for index, (offset_ns, key) in enumerate(zip(due_ns, keys, strict=True)):
            threading.Event().wait(max(0, window.start_ns + offset_ns - time.monotonic_ns()) / 1e9)
            sent_ns = time.monotonic_ns()
            connection.request("GET", f"/{key}")
            connection.getresponse().read()
            rows.append((index, sent_ns, sent_ns, time.monotonic_ns(), 200, 0, b"", None))
        connection.close()
        errors: list[str | None] = [None] * len(rows)
        samples = assemble(order, window, rows, ["ask"] * len(rows), keys, errors)
        ends = (window.start_ns, window.steady_start_ns, window.steady_end_ns, rows[-1][3])
        return TrialOutcome(samples, *ends, len(rows), len(rows), len(rows), 0, 0.0, 1.0)

    def close(self) -> None: ...


def test_a_generator_that_omits_is_found_by_the_stall(bench: Bench) -> None:
    case = short_stall()
    honest = checks_of(measure_case(bench, case, seed=1))
    omitting = Bench(bench.servers, bench.targets, OmittingGenerator(), real_time=False)
    found = checks_of(measure_case(omitting, case, seed=1))
    assert found["p50"].theory == honest["p50"].theory
    assert found["p95"].theory > 200
    assert found["p95"].measured < 100
    assert honest["p95"].measured > 200
    assert not found["p95"].ok
    assert not found["requests"].ok


class LosingGenerator:
    """Loses one sample of each trial, and counts as if it had never been planned."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        outcome: TrialOutcome = self._honest.run_trial(order)
        count = outcome.recorded - 1
        samples = outcome.samples.slice(0, count)
        return replace(outcome, samples=samples, planned=count, sent=count, recorded=count)

    def close(self) -> None: ...


@pytest.mark.parametrize("name", ["constant", "closed", "closed, think"])
def test_a_lost_sample_is_found_by_the_counts(bench: Bench, name: str) -> None:
    losing = Bench(bench.servers, bench.targets, LosingGenerator(bench.generator), False)
    [requests] = [
        check
        for check in judge_case(measure_case(losing, short(name), seed=1)).checks
        if check.quantity == "requests"
    ]
    assert not requests.ok
    assert requests.log - requests.measured == 1


class LateGenerator:
    """Records every answer a millisecond late."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        outcome: TrialOutcome = self._honest.run_trial(order)
        samples = outcome.samples
        place = samples.schema.get_field_index("done_ns")
        late = pc.add(samples["done_ns"], 1_000_000)
        return replace(
            outcome, samples=samples.set_column(place, samples.schema.field(place), late)
        )

    def close(self) -> None: ...


@pytest.mark.parametrize(("name", "quantity"), [("M/M/1 0.8", "p50"), ("closed", "mean R")])
def test_a_recorder_that_is_a_millisecond_late_is_off(
    bench: Bench, name: str, quantity: str
) -> None:
    late = Bench(bench.servers, bench.targets, LateGenerator(bench.generator), False)
    found = checks_of(measure_case(late, short(name), seed=1))
    assert "from the server's log" in found[quantity].why_off[0]
    assert found["requests"].ok


def test_the_whole_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = command.selftest_command(tmp_path, [short("constant"), short("closed")])
    told = capsys.readouterr()
    facts = json.loads((tmp_path / "selftest.json").read_text())
    assert code == (0 if facts["ok"] else 4)
    assert "1/2 constant" in told.err
    assert "Measured" in told.out
    assert facts["headline"] in told.out
    assert facts["cases"][0]["checks"][0]["ok"]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("logs", "selftest.json", "selftest.md", "selftest.html", "selftest.png", "selftest.svg")
    }

    stored = (tmp_path / "selftest.json").read_bytes()
    with pytest.raises(UsageError, match="already holds a selftest"):
        command.selftest_command(tmp_path, [short("constant", 0.2)])
    assert (tmp_path / "selftest.json").read_bytes() == stored


def test_exit_code_4_when_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reports.selftest.open_checks.LIMIT_P50_MS", -1.0)
    monkeypatch.setattr("reports.selftest.open_checks.LIMIT_P99_SHARE", -1.0)
    assert command.selftest_command(tmp_path, [short("constant", 0.2)]) == 4
    assert "OFF  constant, p50: " in capsys.readouterr().out


def test_an_answer_due_as_a_stall_begins_is_given_after_it(tmp_path: Path) -> None:
    both = Behaviour(Service("constant", 0.05), stall=Stall(after_s=0.05, for_s=0.05))
    with KnownServer(cores=(), log_path=tmp_path / "log") as server:
        server.begin(both, seed=1)
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
            client.request("GET", "/0")
            assert client.getresponse().status == 200
        log = server.end()
    [(begin_ns, end_ns)] = log.stalls_ns
    assert log.due_ns[0] <= begin_ns < end_ns <= log.end_ns[0]


def test_a_server_that_is_gone_is_named(tmp_path: Path) -> None:
    with KnownServer(cores=(), log_path=tmp_path / "log") as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(
            EnvironmentNotReady, match=r"known-answer server .* was ended by SIGKILL"
        ):
            server.begin(BY_NAME["constant"].behaviour, 1)
