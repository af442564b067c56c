"""The private server: what a measurement needs, and gone afterwards."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pymysql
import pytest

from loadtests.environment.database import Database
from loadtests.environment.mysql import Admin, address_from_url
from loadtests.environment.placement import Placement
from loadtests.environment.server_settings import durability_facts
from loadtests.errors import EnvironmentNotReady
from tests.support.real_database import (
    gone,
    killed_run,
    opened,
    query,
    wait_until,
)

pytestmark = pytest.mark.database


def test_a_private_server_is_what_a_measurement_needs(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))[-1:]
    said: list[str] = []
    placement = Placement((), (), tuple(cores), "test")
    with opened("local", tmp_path, said=said, placement=placement, connections_needed=480) as found:
        facts = found.facts()
        assert facts["database"]["kind"] == "local"
        assert facts["database"]["flavour"] in ("mysql", "mariadb")
        assert facts["database"]["max_connections"] == 500
        assert facts["database"]["settings"]["performance_schema"] == "ON"
        assert facts["database"]["settings"]["character_set_server"] == "utf8mb4"
        assert facts["database"]["settings"]["transaction_isolation"] == "REPEATABLE-READ"
        assert facts["durability"]["profile"] == "durable"
        assert facts["durability"]["innodb_flush_log_at_trx_commit"] == 1
        assert found.free_connections == 490
        assert found.pid is not None
        assert os.sched_getaffinity(found.pid) == set(cores)
        assert found.cpu_s() > 0
        password = address_from_url(found.url_for("")).password
        assert len(password) >= 20
        listening = [c for c in psutil.Process(found.pid).net_connections() if c.status == "LISTEN"]
        assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
        arguments = Path(f"/proc/{found.pid}/cmdline").read_text()
        data = next(a for a in arguments.split("\0") if a.startswith("--datadir="))[10:]
        assert Path(data).is_dir()
        accounts = {row[0] for row in query(found, "SELECT user FROM mysql.user")}
        assert "bench" in accounts
        assert "" not in accounts
        for user in ("root", ""):
            with pytest.raises(pymysql.MySQLError):
                pymysql.connect(host="127.0.0.1", port=found.port, user=user)
    everything = "\n".join([str(facts), *said, arguments, (tmp_path / "database.log").read_text()])
    assert password not in everything
    assert any("/usr" in line or "mysqld" in line or "mariadbd" in line for line in said)
    assert not Path(data).parent.exists()
    assert not psutil.pid_exists(found.pid)


@contextmanager
def small_file_system(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_temporary_folder_that_cannot_be_written_is_the_machine_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "below"))
    (tmp_path / "file").touch()
    with (
        pytest.raises(EnvironmentNotReady, match=r"file/below.*: Not a directory"),
        opened("local", tmp_path, durability="relaxed"),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_temporary_disk_is_the_machine_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_file_system(tmp_path / "small") as small:
        monkeypatch.setattr(tempfile, "tempdir", str(small))
        with (
            pytest.raises(EnvironmentNotReady, match="No space left on device") as caught,
            opened("local", tmp_path, durability="relaxed"),
        ):
            pass
        assert list(small.iterdir()) == []
    assert "TMPDIR" in caught.value.hint


def test_the_relaxed_profile_is_set_on_a_server_of_ours(private_database: Database) -> None:
    assert private_database.facts()["durability"] == {
        "profile": "relaxed",
        "innodb_flush_log_at_trx_commit": 2,
        "sync_binlog": None,
        "log_bin": False,
    }


@pytest.mark.parametrize(
    ("flush", "log_bin", "sync", "profile"),
    [
        ("1", "OFF", "0", "durable"),
        ("1", "ON", "1", "durable"),
        ("1", "ON", "0", "relaxed"),
        ("2", "ON", "1", "relaxed"),
        ("0", "OFF", "0", "relaxed"),
    ],
)
def test_what_counts_as_durable(flush: str, log_bin: str, sync: str, profile: str) -> None:
    told = durability_facts(
        {"innodb_flush_log_at_trx_commit": flush, "log_bin": log_bin, "sync_binlog": sync}
    )
    assert told["profile"] == profile
    assert told["sync_binlog"] == (int(sync) if log_bin == "ON" else None)


def test_a_private_server_and_its_data_do_not_outlive_kill_9(tmp_path: Path) -> None:
    with killed_run("local", tmp_path) as server:
        data = Path(f"/proc/{server}/cwd").resolve()
        assert data.name == "data"
    wait_until(lambda: gone(server) and not data.parent.exists())


@pytest.mark.database
def test_the_limit_on_connecting_is_none_on_answers(private_database: Database) -> None:
    admin = Admin(address_from_url(private_database.url_for("")), connect_limit_s=1)
    with closing(admin):
        assert admin.value("SELECT SLEEP(1.3)") == 0


def test_a_private_server_takes_nothing_of_another_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts removes `#sql…` files of the folder for temporary tables, whosever."""
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    in_use = shared / "#sql-temptable-1-1-1.MAI"
    in_use.write_bytes(b"a temporary table of another server")
    with opened("local", tmp_path):
        assert in_use.exists()
