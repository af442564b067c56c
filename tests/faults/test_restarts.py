"""A database killed and started again under writes, with durable settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults.restarts import kill_under_writes
from tests.support.restartable import restartable_server
from tests.support.twins import running_twin

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_acknowledged_writes_survive_and_the_app_heals(name: str, tmp_path: Path) -> None:
    with restartable_server(tmp_path) as server:
        server.database.make_schema("killed", rows=1)
        with running_twin(name, server.database.url("killed"), pool_size=5) as twin:
            seen = kill_under_writes(twin, server, "killed", kills=2)
            assert seen.ok, seen
            assert (seen.kills, len(seen.healed_s)) == (2, 2)
            assert seen.answered[503] > 0, "the kills were felt"
