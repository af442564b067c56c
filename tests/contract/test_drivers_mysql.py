"""The same tests of all four drivers on MySQL in a container, which offers TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.environment.container_server import container_server
from loadtests.spec import RunSpec
from tests.contract.test_drivers import (  # noqa: F401
    kinds,
    served,
    test_answers_are_equal,
    test_no_driver_encrypts,
    test_values_come_back_as_they_went,
    test_work_is_equal,
)
from tests.integration.test_environment_docker import skip_without_docker
from tests.support.twins import Database

pytestmark = [pytest.mark.docker, pytest.mark.database]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with pytest.MonkeyPatch.context() as patch:
        skip_without_docker(patch)
        with container_server(
            RunSpec(durability="relaxed"),
            connections=200,
            cores=[],
            log_folder=tmp_path_factory.mktemp("container"),
            why="tests",
        ) as server:
            yield Database(server)


def test_this_server_offers_tls(database: Database) -> None:
    (found,) = database.query(
        "SELECT COUNT(*) n FROM performance_schema.tls_channel_status "
        "WHERE PROPERTY = 'Enabled' AND VALUE = 'Yes'"
    )
    assert found["n"] > 0
