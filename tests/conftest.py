"""Fixtures for every room's tests: a real private database server, made once per session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from loadtests.environment.database import Database, open_database
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec

settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("tests")
"""No deadline: a busy machine is no counterexample. In CI the same examples with every run."""


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
