"""The running twins are the same: interface, work and answers (their source: tests/unit)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtests.sameness import judge, probe
from loadtests.sameness.judge import Observed
from loadtests.sameness.probe import Client, Twin, observe
from loadtests.sameness.requests import OPERATIONS, Ask, generated
from reports.fairness import KINDS, kind
from tests.support.asks import ASKS
from tests.support.twins import Database, RunningTwin, running_twin

pytestmark = pytest.mark.database

GENERATED = generated(seed=20, count=300)
NOT_ASKED = {("GET", "/stats")}
"""Tells of one process."""


def twin_of(name: str, url: str, database: Database) -> Twin:
    return Twin(name, url, lambda: database.statement_counts(f"twin_{name}"))


@pytest.fixture(scope="module")
def seen(both: dict[str, RunningTwin], database: Database) -> tuple[Observed, Observed]:
    """What sync and async show on the same rows."""
    found = []
    for name, running in both.items():
        database.put_back(f"twin_{name}")
        found.append(observe(twin_of(name, running.url, database), OPERATIONS, GENERATED))
    sync, asynchronous = found
    return sync, asynchronous


def test_interfaces_are_equal(seen: tuple[Observed, Observed]) -> None:
    side = judge.interface(*seen)
    assert side.ok, side.detail


def test_every_operation_of_the_interface_is_asked(seen: tuple[Observed, Observed]) -> None:
    paths = json.loads(seen[0].interface.body)["paths"]
    offered = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    asked = {
        (method, path)
        for method, path in offered
        for operation in OPERATIONS
        if operation.ask.method == method
        and re.fullmatch(re.sub(r"{\w+}", r"[^/]+", path), operation.ask.path.split("?")[0])
    }
    assert offered - asked == NOT_ASKED


def test_work_is_equal_and_all_of_it_is_seen(seen: tuple[Observed, Observed]) -> None:
    side = judge.work(*seen, OPERATIONS)
    assert side.ok, side.detail
    for twin in seen:
        for _, work in twin.operations:
            assert work.sent == work.round_trips, "the driver sends nothing that nobody asked for"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("get", {"SELECT": 1, "ROLLBACK": 2}),
        ("create", {"INSERT": 1, "COMMIT": 1, "ROLLBACK": 1}),
        ("create2, 1000", {"INSERT": 1, "COMMIT": 1, "ROLLBACK": 1}),
        ("update", {"SELECT": 2, "UPDATE": 1, "COMMIT": 1, "ROLLBACK": 3}),
        ("delete2", {"DELETE": 1, "COMMIT": 1, "ROLLBACK": 1}),
        ("delete2, no condition", {}),
    ],
)
def test_what_operations_cost(
    seen: tuple[Observed, Observed], name: str, kinds: dict[str, int]
) -> None:
    place = [operation.name for operation in OPERATIONS].index(name)
    for twin in seen:
        statements = twin.operations[place][1].statements or {}
        found = {kind(text): 0 for text in statements}
        for text, count in statements.items():
            found[kind(text)] += count
        assert found == kinds


def test_no_operation_touches_the_shape_of_a_table(seen: tuple[Observed, Observed]) -> None:
    """The article's `get_db` creates all tables anew in every request."""
    for twin in seen:
        works = [work for _, work in twin.operations] + [twin.generated_work]
        assert {kind(text) for work in works for text in work.statements or {}} == set(KINDS)


def test_answers_are_equal(seen: tuple[Observed, Observed]) -> None:
    side = judge.answers(*seen, OPERATIONS, GENERATED)
    assert side.ok, side.detail
    statuses = {answer.status for answer in seen[0].generated}
    assert statuses >= {200, 201, 400, 404, 405, 422}, "errors are compared, too"
    assert not any(status is None or status >= 500 for status in statuses)


@pytest.fixture(scope="module")
def asked(both: dict[str, RunningTwin], database: Database) -> Iterator[list[Client]]:
    """A connection to each twin, on equal rows."""
    with ExitStack() as stack:
        for name in both:
            database.put_back(f"twin_{name}")
        yield [stack.enter_context(closing(Client(twin.url))) for twin in both.values()]


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(asks=st.lists(ASKS, min_size=1, max_size=6))
def test_answers_to_whatever_is_asked_are_equal(asked: list[Client], asks: list[Ask]) -> None:
    """Both twins went through the same history, so that even new ids are the same."""
    for ask in asks:
        here, there = (client.send(ask) for client in asked)
        assert here.comparable == there.comparable, ask
        assert here.status is not None, ask
        assert here.status < 500, ask


@pytest.mark.parametrize("name", ["sync", "async"])
def test_opening_a_connection_is_told_apart(
    database: Database, both: dict[str, RunningTwin], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """PyMySQL names the character set twice, aiomysql once and commits after its first command;
    neither does so in an operation."""
    monkeypatch.setattr(probe, "HOLD", Ask("GET", "/hold?ms=400"))
    with running_twin(name, database.url(f"twin_{name}"), pool_size=2) as fresh:
        found = observe(twin_of(name, fresh.url, database), OPERATIONS[:1], ())
    assert found.connection is not None
    assert found.connection.driver == {"connect": 1}
    sent = found.connection.statements or {}
    kinds = {"sync": {"SET"}, "async": {"SET", "COMMIT"}}
    assert {kind(text) for text in sent} == kinds[name]
    named = sum(count for text, count in sent.items() if text.upper().startswith("SET NAMES"))
    assert named == {"sync": 2, "async": 1}[name]
