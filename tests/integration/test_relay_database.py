"""The relay in front of a real database."""

from __future__ import annotations

import os
import signal
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from loadtests.environment.database import Database
from loadtests.environment.distance import distant_database
from loadtests.environment.local_server import Program, find_program, local_server
from loadtests.environment.mysql import Address, Admin, address_from_url
from loadtests.environment.placement import Placement, choose_placement
from loadtests.environment.probes import InstanceProbe
from loadtests.environment.relay import running_relay
from loadtests.errors import EnvironmentNotReady
from tests.integration.test_environment_processes import running, wait_until

RTT_MS = 4.0
LIMIT_S = 20.0
CUT_OFF = struct.pack("ii", 1, 0)


def pinged(address: Address, **more: Any) -> Any:
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        autocommit=True, connect_timeout=10, read_timeout=10, **more,
    )  # fmt: skip


@pytest.mark.database
def test_the_distance_is_measured_where_the_apps_run_and_arms_are_told_the_relay(
    private_database: Database, tmp_path: Path
) -> None:
    core = max(os.sched_getaffinity(0))
    placement = Placement((), (core,), (), "test").with_relay()
    said: list[str] = []
    schema = private_database.create_arm_schema("distance", "arm")
    before = private_database.url_for(schema)
    with distant_database(
        private_database, 3.0, placement=placement, log_folder=tmp_path, say=said.append
    ) as distance:
        assert distance is not None
        address = address_from_url(private_database.url_for(schema))
        assert (address.host, address.port) == ("127.0.0.1", distance.relay.port)
        facts = distance.facts()
        with closing(pinged(address, database=schema)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM items")
                assert cursor.fetchone() == (10_000,)
            probe = InstanceProbe(os.getpid())
            assert private_database.port == distance.relay.port
            assert probe.connections_to(private_database.port) == 1
        password = address.password
    assert private_database.url_for(schema) == before
    assert facts["asked_ms"] == 3.0
    assert facts["round_trips"] >= 50
    assert facts["added_ms"]["p50"] > 2.5
    for kind in ("direct_ms", "measured_ms", "added_ms"):
        assert facts[kind]["p50"] <= facts[kind]["p99"]
    assert "3 ms asked" in said[0]
    for log in tmp_path.iterdir():
        assert password not in log.read_text()


@pytest.mark.database
def test_without_a_distance_nothing_is_started(private_database: Database, tmp_path: Path) -> None:
    port = private_database.port
    with distant_database(
        private_database, 0.0, placement=choose_placement([]), log_folder=tmp_path, say=print
    ) as distance:
        assert distance is None
    assert private_database.port == port
    assert not list(tmp_path.iterdir())


@pytest.mark.database
def test_a_restarted_database_is_found_again_through_the_same_relay(tmp_path: Path) -> None:
    program = find_program()
    assert isinstance(program, Program), program
    with (
        local_server(
            program, connections=50, durability="relaxed", cores=(), log_folder=tmp_path, why="test"
        ) as server,
        running_relay(server.address, 1.0, cores=(), log_folder=tmp_path) as relay,
    ):
        far = Address("127.0.0.1", relay.port, server.address.user, server.address.password)
        with closing(pinged(far)) as connection:
            connection.ping(reconnect=False)
            assert server.pid is not None
            argv = Path(f"/proc/{server.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
            os.kill(server.pid, signal.SIGKILL)
            wait_until(lambda: not running(server.pid or 0))
            with pytest.raises(pymysql.OperationalError):
                connection.ping(reconnect=False)
        with pytest.raises(pymysql.OperationalError):
            pinged(far)
        again = restarted(argv, tmp_path)
        try:
            wait_until(lambda: answers(server.address))
            with closing(pinged(far)) as connection:
                connection.ping(reconnect=False)
            relay.check()
        finally:
            again.stop()


def restarted(argv: list[str], folder: Path) -> Any:
    from loadtests.environment.processes import spawn

    kept = [word for word in argv if not word.startswith("--init-file")]
    return spawn(kept, env=dict(os.environ), log_path=folder / "again.log", name="database")


def answers(address: Address) -> bool:
    admin = Admin(address, connect_limit_s=2)
    try:
        admin.connect()
    except EnvironmentNotReady:
        return False
    admin.close()
    return True
