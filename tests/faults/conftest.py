"""A private database server for the faults that leave it alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.twins import Database, private_server


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with private_server(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def name(request: pytest.FixtureRequest) -> str:
    """Which twin."""
    twin: str = request.param
    return twin
