"""wrk itself, against a server that logs each request; and a run that asks it."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.errors import EnvironmentNotReady
from loadtests.generator.messages import messages_for
from loadtests.journal import read_journal
from loadtests.run import execute
from loadtests.scenarios.model import Keys, LoadSpec, Request, Scenario
from loadtests.second_opinion.plan import NotPlanned, Plan
from loadtests.second_opinion.script import END_S, LEAD_IN_S, WINDOW_S
from loadtests.second_opinion.wrk import Counted, load_with_wrk
from loadtests.trials import Target
from reports.model import Comparison, Summary
from reports.run_folder import load_run
from reports.summarise import summarise
from reports.write import write_report
from tests.integration.test_whole_run import prepared, spec_for
from tests.support.known_server import KnownServer, known_server

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
HEADERS = (("x-token", 'a "secret"'),)


@pytest.fixture(scope="module")
def server() -> Iterator[KnownServer]:
    with known_server() as running:
        yield running


def scenario(*requests: Request, users: int = 3) -> Scenario:
    load = LoadSpec(model="closed", users=users)
    return Scenario(name="some", load=load, timeout_s=2, request=requests)


@needs_wrk
def test_wrk_sends_what_our_generator_sends_and_counts_what_the_server_answered(server) -> None:
    server.log.clear()
    read = Request(name="read", path="/items/{key}", keys=Keys(first=98, last=101), weight=3)
    asked = scenario(read, Request(name="slow", path="/slow?ms=50"))
    counted = load_with_wrk(asked, Target("a", 0, server.url, HEADERS), seed=7)
    paths = server.paths()
    assert set(paths) == {"/slow?ms=50", *(f"/items/{key}" for key in range(98, 102))}
    assert 0.7 < 1 - paths["/slow?ms=50"] / paths.total() < 0.8
    assert len({logged.connection for logged in server.log}) == 3
    assert counted.failed == 0
    [sent, _] = messages_for(asked.request, server.url, HEADERS)
    head = sent.filled(98).decode("latin-1").split("\r\n\r\n")[0]
    fields = (line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert server.log[0].headers == dict(fields)


@needs_wrk
def test_wrk_counts_what_is_answered_within_its_window(server) -> None:
    """Nothing is answered around the window's ends, so that the count is exact."""
    server.log.clear()
    server.stalls_ns.clear()
    server.stall_after_the_first_request((LEAD_IN_S - 0.1, 0.3), (END_S - 0.2, 0.4))
    counted = load_with_wrk(scenario(Request(name="r", path="/")), Target("a", 0, server.url), 7)
    while len(server.stalls_ns) < 2:
        threading.Event().wait(0.01)
    (first, from_ns), (until_ns, _) = server.stalls_ns
    within = sum(from_ns <= logged.at_ns < until_ns for logged in server.log)
    assert within > 20
    assert server.log[0].at_ns < first, "something was answered before the window, too"
    assert counted.per_s * WINDOW_S == pytest.approx(within)


@needs_wrk
def test_bad_answers_are_failures_and_not_capacity(server) -> None:
    bad = scenario(Request(name="bad", path="/status/503"))
    counted = load_with_wrk(bad, Target("a", 0, server.url), seed=7)
    assert counted.failed > 10
    assert counted.per_s == 0


@needs_wrk
def test_a_server_that_is_not_there_is_an_error(server) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        nobody = Target("a", 0, f"http://127.0.0.1:{sock.getsockname()[1]}")
        with pytest.raises(EnvironmentNotReady, match="wrk failed"):
            load_with_wrk(scenario(Request(name="r", path="/")), nobody, seed=7)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("#!/bin/sh\necho '{\"good\": 3}'\n", 'wrk did not say what it counted: {"good": 3}'),
        ('#!/bin/sh\necho \'{"good": null, "failed": 0}\'\n', "wrk did not say what it counted"),
        ("#!/bin/sh\nprintf '\\377\\n'\n", "wrk did not say what it counted"),
        ("#!/nowhere/at-all\n", "wrk could not be run: No such file or directory"),
    ],
)
def test_a_wrk_that_is_not_what_it_should_be_is_told(tmp_path, monkeypatch, program, told) -> None:
    (tmp_path / "wrk").write_text(program)
    (tmp_path / "wrk").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentNotReady, match=re.escape(told)):
        load_with_wrk(scenario(Request(name="r", path="/")), Target("a", 0, "http://h:1"), seed=7)


PLAN = Plan("read-one", 16, ("sync", "async"), alternations=4)


def run_with(folder: Path, plan: Plan | NotPlanned, ask_wrk) -> dict[str, object]:
    run, _, _ = prepared(folder, spec_for("run.instances=3", "run.rounds=1"), ask_wrk=ask_wrk)
    run.sizes = replace(run.sizes, second_opinion=plan)
    assert execute(run) == "complete"
    [event] = [
        each for each in read_journal(folder / "journal.jsonl") if each["event"] == "second-opinion"
    ]
    return event


def capacities(summary: Summary) -> list[Comparison]:
    return [
        each
        for entry in summary.scenarios
        for each in entry.comparisons
        if entry.name == "read-one" and each.metric == "capacity_per_s"
    ]


def test_a_run_asks_after_its_rounds_and_the_report_says_what_came_of_it(tmp_path) -> None:
    """The simulated async twin has 1/1.4 of the capacity; this wrk sees them alike."""
    asked: list[tuple[str, int]] = []

    def wrk(scenario: Scenario, target: Target, seed: int) -> Counted:
        asked.append((target.arm, target.instance))
        return Counted(per_s=700.0 + len(asked) % 3, failed=0)

    event = run_with(tmp_path / "run", PLAN, wrk)
    assert len(event["turns"]) == 4 * 2 * 2
    assert sorted(set(asked)) == [("async", 0), ("sync", 0)]
    assert len(asked) == 8
    summary = write_report(tmp_path / "run")
    assert summary.second_opinion is not None
    assert summary.second_opinion.word == "differs"
    assert summary.second_opinion.load == "closed-16"
    [capacity] = capacities(summary)
    assert "wrk saw another difference" in capacity.reasons[-1]
    [unwarned] = capacities(summarise(replace(load_run(tmp_path / "run"), opinion=None)))
    assert replace(capacity, reasons=capacity.reasons[:-1]) == unwarned
    for report in ("report.html", "report.md"):
        assert "wrk saw another difference" in (tmp_path / "run" / report).read_text()
        assert "A second opinion: " in (tmp_path / "run" / report).read_text()


def test_what_goes_wrong_with_it_is_told_and_ends_no_run(tmp_path) -> None:
    def gone(scenario: Scenario, target: Target, seed: int) -> Counted:
        raise EnvironmentNotReady("wrk failed (exit code 1): no luck")

    def stopped(scenario: Scenario, target: Target, seed: int) -> Counted:
        raise KeyboardInterrupt

    def broken(scenario: Scenario, target: Target, seed: int) -> Counted:
        raise OSError(24, "Too many open files")

    for name, plan, ask_wrk, reason in (
        ("broken", PLAN, broken, "it could not be checked ([Errno 24] Too many open files)"),
        ("gone", PLAN, gone, "wrk failed (exit code 1): no luck"),
        ("stopped", PLAN, stopped, "it was interrupted"),
        ("unplanned", NotPlanned("wrk is not installed"), gone, "wrk is not installed"),
    ):
        event = run_with(tmp_path / name, plan, ask_wrk)
        assert event["not_made"] == reason
        assert event["turns"] == []
        told = summarise(load_run(tmp_path / name)).second_opinion
        assert told is not None
        assert told.word == "not made"
        assert reason in told.detail
    write_report(tmp_path / "gone")
    report = (tmp_path / "gone" / "report.md").read_text().replace("\\", "")
    assert "wrk failed (exit code 1): no luck" in report
