"""Every built-in scenario on both twins: good answers only, and tables that can be put back."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from loadtests.arrivals import RequestStream
from loadtests.environment.database import Database
from loadtests.generator.messages import messages_for
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import Scenario
from tests.contract.conftest import TWINS
from tests.support.twins import RunningTwin, running_twin

pytestmark = pytest.mark.database

SEED = 7


def schema_of(twin: str) -> str:
    return f"bench_scenarios_{twin}"


@pytest.fixture(scope="module")
def twins(private_database: Database) -> Iterator[dict[str, RunningTwin]]:
    """Both twins on schemas made, seeded and put back by the harness."""
    with ExitStack() as stack:
        running = {}
        for name in TWINS:
            schema = private_database.create_arm_schema("scenarios", name)
            assert schema == schema_of(name)
            url = private_database.url_for(schema)
            running[name] = stack.enter_context(running_twin(name, url, pool_size=8))
        yield running


def statuses(scenario: Scenario, url: str, count: int, at_once: int) -> list[tuple[bool, int]]:
    """Whether each of the scenario's first `count` requests was good, and its status."""
    drawn = RequestStream(scenario.request, SEED).draw(count)
    messages = messages_for(scenario.request, url)

    def ask(which: int, key: int) -> tuple[bool, int]:
        status = exchange(url, messages[which].filled(key), messages[which].method)
        return messages[which].is_good(status), status

    with ThreadPoolExecutor(at_once) as crowd:
        return list(crowd.map(ask, drawn.which.tolist(), drawn.keys.tolist()))


def exchange(url: str, message: bytes, method: str) -> int:
    """The status of the answer to these bytes."""
    site = urlsplit(url)
    with socket.create_connection((site.hostname or "", site.port or 0), timeout=30) as wire:
        wire.sendall(message)
        with http.client.HTTPResponse(wire, method=method) as response:
            response.begin()
            response.read()
            return response.status


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_all_answers_are_good(
    twins: dict[str, RunningTwin], private_database: Database, name: str, twin: str
) -> None:
    found = statuses(BUILT_IN[name], twins[twin].url, count=60, at_once=6)
    assert [status for good, status in found if not good] == []
    changed = private_database.drifted(schema_of(twin)) is not None
    assert changed is BUILT_IN[name].writes
    private_database.reset(schema_of(twin))
    assert private_database.drifted(schema_of(twin)) is None


@pytest.mark.parametrize("twin", TWINS)
def test_more_users_than_connections_on_one_row(twins: dict[str, RunningTwin], twin: str) -> None:
    """Row locks are waited for; nobody is refused and nothing deadlocks."""
    found = statuses(BUILT_IN["update-hot-row"], twins[twin].url, count=300, at_once=24)
    assert [status for good, status in found if not good] == []
