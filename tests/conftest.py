"""Fixtures for every room's tests: a real private database server, made once per session."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from loadtests.environment.database import Database, open_database
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec


def pytest_configure() -> None:
    """Signals as in a terminal: under nohup a closed terminal is ignored, which is inherited."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def private_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A private server on this machine, unpinned and not durable; make schemas by
    `create_arm_schema` with a run id of your own."""
    with open_database(
        RunSpec(database="local", durability="relaxed"),
        connections_needed=300,
        placement=choose_placement([]),
        log_folder=tmp_path_factory.mktemp("private-database"),
        say=lambda _: None,
    ) as database:
        yield database
