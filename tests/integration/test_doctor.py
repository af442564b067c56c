"""`bench doctor` and the plan's sizes against a real server that has few connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pymysql
import pytest

from loadtests.environment.connections import RESERVED_CONNECTIONS
from loadtests.environment.core_noise import look_at
from loadtests.environment.database import Database
from loadtests.environment.mysql import address_from_url
from loadtests.environment.processes import free_port
from loadtests.schedule import PROCESS_MEMORY_MB, Limits, Sizes, choose_sizes
from loadtests.spec import Spec, load_spec
from scripts import doctor
from scripts.doctor import database_finding, doctor_command, memory_finding, quiet_finding
from scripts.self_comparison import Look
from scripts.session import sizes_here

FEW = 100
"""Connections of the user below: 90 for arms, less those in use; a pair of twins wants 20."""


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the quiet machine and at its cores."""
    monkeypatch.setattr(doctor, "LOOK_S", 0.1)
    monkeypatch.setattr("scripts.session.look_at", lambda cores: look_at(cores, look_s=0.1))


@pytest.fixture
def few(private_database: Database) -> Iterator[str]:
    """The URL of a server that lets us hold FEW connections."""
    address = address_from_url(private_database.url_for(""))
    with (
        closing(
            pymysql.connect(
                host=address.host, port=address.port, user=address.user, password=address.password
            )
        ) as admin,
        admin.cursor() as cursor,
    ):
        cursor.execute(
            f"CREATE USER few@'%' IDENTIFIED BY 'hunter2' WITH MAX_USER_CONNECTIONS {FEW}"
        )
        cursor.execute("GRANT ALL ON `bench\\_%`.* TO few@'%'")
        try:
            yield f"mysql://few:hunter2@{address.place}/"
        finally:
            cursor.execute("DROP USER few@'%'")


def set_database(url: str) -> str:
    return f"run.database={url}"


@pytest.mark.database
def test_auto_instances_fit_the_connections_of_a_server_that_is_not_ours(few: str) -> None:
    spec = load_spec("quick", overrides=[set_database(few)], environ={})
    sizes = sizes_here(spec)
    assert sizes.instances in (3, 4)
    assert any("connections" in note for note in sizes.notes)


@pytest.mark.database
def test_doctor_counts_connections_in_use(few: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor_command("quick", (set_database(few), "run.instances=5"), look=None)
    told = capsys.readouterr()
    assert code == 4
    assert "UNFIT  database: " in told.out
    assert "5 instances × (1 × (10 + 0) + 1 × (10 + 0)) = 100 connections" in told.out
    assert f"max_connections {FEW} - " in told.out
    assert "hunter2" not in told.out + told.err


@pytest.mark.database
def test_a_fit_database_is_said_with_its_arithmetic(
    few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = doctor_command("quick", (set_database(few), "run.instances=2"), look=None)
    out = capsys.readouterr().out
    assert "ok     database: " in out
    assert "= 40 connections" in out
    assert code == (4 if "UNFIT" in out else 0)
    assert [line.split()[1] for line in out.splitlines() if line[0] != " "] == [
        *("drivers:", "cores:", "memory:", "quiet:", "database:")
    ]


@pytest.mark.database
def test_doctor_measures_the_distance_that_a_spec_asks_for(
    few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor_command("smoke", (set_database(few), "run.database_rtt_ms=2.0"), look=None)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " distance: " in line)
    assert "2 ms asked" in line
    assert "ms added" in line


@pytest.mark.database
def test_doctor_measures_the_twin_against_itself_and_says_what_can_be_resolved(
    few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor_command("quick", (set_database(few), "run.block_s=0.3"), look=Look(2, 2))
    told = capsys.readouterr()
    assert "read-one, 2 instances × 2 rounds; steal " in told.out
    assert "capacity: " in told.out
    assert "p95 response time of read: " in told.out
    for horizon in (" 2 min: capacity ", " 8 min: capacity ", "35 min: capacity "):
        assert horizon in told.out
    assert "would help: for capacity, more " in told.out
    assert "Round 2 is done" in told.err
    assert "hunter2" not in told.out + told.err


@pytest.mark.database
def test_the_twin_is_not_measured_where_two_instances_have_no_room(
    few: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.self_comparison.sizes_here", lambda spec: sizes_of(spec, 15))
    assert doctor_command("quick", (set_database(few), "run.instances=2"), look=Look(2, 2)) == 4
    assert "UNFIT  A/A: not measured, for want of room" in capsys.readouterr().out


def sizes_of(spec: Spec, connections: int) -> Sizes:
    return choose_sizes(spec, Limits(memory_mb=None, connections=connections))


def test_nothing_is_measured_without_a_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[arm]]\nname = "a"\nurl = "http://127.0.0.1:9"\n[[scenario]]\n'
                    'name = "read-one"\n[run]\ndatabase = "none"\n')  # fmt: skip
    code = doctor_command(str(path), ())
    out = capsys.readouterr().out
    assert "ok     A/A: not measured" in out
    assert code == (4 if "UNFIT" in out else 0)


def test_a_server_that_does_not_answer_is_unfit_and_not_a_crash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"mysql://u:hunter2@127.0.0.1:{free_port()}/"
    assert doctor_command("quick", (set_database(url),)) == 4
    told = capsys.readouterr()
    assert "UNFIT  database: The database at 127.0.0.1" in told.out
    assert "hunter2" not in told.out + told.err


@pytest.mark.parametrize(
    ("in_use", "instances", "fit"), [(0, 4, True), (31, 5, True), (32, 5, False), (None, 9, True)]
)
def test_connections_in_use_by_others_count(in_use: int | None, instances: int, fit: bool) -> None:
    database = Database()
    database.kind = "external"
    database.max_connections = 100 + RESERVED_CONNECTIONS + 31
    database.connections_in_use = in_use
    found = database_finding(database, load_spec("quick", environ={}).arm, instances)
    assert found.fit == fit
    assert fit or f"{in_use} in use" in found.seen


def test_what_makes_a_machine_unfit() -> None:
    assert memory_finding(10, 10 * PROCESS_MEMORY_MB).fit
    assert not memory_finding(10, 10 * PROCESS_MEMORY_MB - 1).fit
    assert quiet_finding(None, None).fit
    assert quiet_finding(doctor.STEAL_LIMIT_PCT, doctor.PRESSURE_LIMIT_PCT).fit
    assert not quiet_finding(doctor.STEAL_LIMIT_PCT + 0.1, 0.0).fit
    assert not quiet_finding(None, doctor.PRESSURE_LIMIT_PCT + 0.1).fit
