"""A private database server for the contract tests, and both twins running on it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec

import httpx
import pytest

from tests.support.twins import Database, RunningTwin, private_server, running_twin

TWINS = ("sync", "async")
# `make drivers` installs mysqldb and asyncmy; Linux on ARM has no wheel of the former.
HAS_MYSQLDB = (
    sys.platform != "linux" or platform.machine() == "x86_64" or find_spec("MySQLdb") is not None
)
DRIVERS = (
    ("sync", "pymysql"),
    *([("sync", "mysqldb")] if HAS_MYSQLDB else []),
    ("async", "aiomysql"),
    ("async", "asyncmy"),
)
"""Every driver with its twin."""


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with private_server(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture(scope="session")
def both(database: Database) -> Iterator[dict[str, RunningTwin]]:
    """Both twins with a pool of 5, each on a schema of its own called after it."""
    with ExitStack() as stack:
        running = {}
        for name in TWINS:
            database.make_schema(f"twin_{name}")
            url = database.url(f"twin_{name}")
            running[name] = stack.enter_context(
                running_twin(name, url, pool_size=5, pool_timeout_s=5.0)
            )
        yield running


@pytest.fixture(params=TWINS)
def twin(both: dict[str, RunningTwin], request: pytest.FixtureRequest) -> RunningTwin:
    return both[request.param]


@pytest.fixture(scope="session")
def clients(both: dict[str, RunningTwin]) -> Iterator[dict[str, httpx.Client]]:
    """One connection to each twin, kept for all tests."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(httpx.Client(base_url=twin.url, timeout=20))
            for name, twin in both.items()
        }
