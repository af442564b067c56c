"""The arms' schemas on a real server, and which database a run gets."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pymysql
import pytest

from loadtests.environment import container_server, local_server
from loadtests.environment.database import Database, open_database
from loadtests.environment.local_server import Program, find_program
from loadtests.environment.mysql import Admin, Server, address_from_url
from loadtests.environment.placement import Placement, choose_placement
from loadtests.environment.seed import ITEMS_DDL
from loadtests.environment.server_database import ServerDatabase
from loadtests.environment.server_settings import durability_facts
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.spec import RunSpec

pytestmark = pytest.mark.database

ROOT = Path(__file__).parents[2]
UNPINNED = choose_placement([])


def connect(database: Database, schema: str | None = None) -> Any:
    address = address_from_url(database.url_for(""))
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        database=schema, autocommit=True,
    )  # fmt: skip


def query(database: Database, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
    with closing(connect(database, schema)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.fixture
def schema(private_database: Database, request: pytest.FixtureRequest) -> Iterator[str]:
    name = private_database.create_arm_schema(f"t{abs(hash(request.node.name)) % 10**8}", "arm")
    yield name
    query(private_database, f"DROP DATABASE {name}")


def opened(database: str, folder: Path, **more: Any) -> Any:
    said: list[str] = more.pop("said", [])
    run = RunSpec(database=database, durability=more.pop("durability", "durable"))
    return open_database(
        run,
        connections_needed=more.pop("connections_needed", 20),
        placement=more.pop("placement", UNPINNED),
        log_folder=folder,
        say=said.append,
    )


# The private server


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


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from loadtests.environment.database import open_database
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec
with open_database(RunSpec(database=sys.argv[3]), connections_needed=5,
                   placement=choose_placement([]), log_folder=Path(sys.argv[2])) as database:
    print(database.pid, flush=True)
    time.sleep(300)
"""


@contextmanager
def killed_run(kind: str, folder: Path) -> Iterator[int]:
    """A run that opens a database and is killed by -9: the server's process id."""
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(ROOT), str(folder), kind],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with run:
        assert run.stdout is not None
        server = int(run.stdout.readline())
        assert psutil.pid_exists(server)
        yield server
        os.kill(run.pid, signal.SIGKILL)
        run.wait()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


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


# Schemas


def test_an_arms_schema_is_seeded_as_agreed(private_database: Database, schema: str) -> None:
    rows = query(private_database, "SELECT * FROM items WHERE id IN (1, 900, 10000)", schema)
    told = [(*row[:4], str(row[4]), str(row[5])) for row in rows]
    at = "2026-01-01 00:00:00"
    assert told == [
        (1, "item-1", "Seeded item 1", 101, at, at),
        (900, "item-900", "Seeded item 900", 100, at, at),
        (10000, "item-10000", "Seeded item 10000", 200, at, at),
    ]
    ((count, low, high),) = query(
        private_database, "SELECT COUNT(*), MIN(id), MAX(id) FROM items", schema
    )
    assert (count, low, high) == (10_000, 1, 10_000)
    assert (
        query(private_database, "CHECKSUM TABLE items", schema)[0][1]
        == (query(private_database, "CHECKSUM TABLE items_pristine", schema)[0][1])
    )
    assert private_database.drifted(schema) is None


def test_the_table_is_the_agreed_one(private_database: Database, schema: str) -> None:
    columns = (
        "SELECT column_name, column_type, is_nullable, extra, column_key FROM "
        f"information_schema.columns WHERE table_schema = '{schema}' AND table_name = '%s'"
    )
    query(private_database, ITEMS_DDL.replace("items (", "agreed (", 1), schema)
    agreed = query(private_database, columns % "agreed")
    assert len(agreed) == 6
    assert sorted(agreed) == sorted(query(private_database, columns % "items"))


def change(database: Database, schema: str) -> None:
    for statement in (
        "INSERT INTO items SELECT NULL, name, description, price, created_at, updated_at "
        "FROM items_pristine WHERE id <= 30",
        "UPDATE items SET price = price + 1 WHERE id BETWEEN 10 AND 19",
        "UPDATE items SET description = NULL WHERE id = 50",
        "DELETE FROM items WHERE id BETWEEN 9000 AND 9004",
        "DELETE FROM items WHERE id = 10005",
        "UPDATE items SET id = 0 WHERE id = 9500",
    ):
        query(database, statement, schema)


def test_drift_is_told_in_numbers_and_put_back(private_database: Database, schema: str) -> None:
    change(private_database, schema)
    told = private_database.drifted(schema)
    assert told is not None
    assert "30 rows extra" in told  # 30 new, less one deleted, and the one moved to key 0
    assert "6 rows missing" in told
    assert "11 rows changed" in told
    assert "next key" in told
    private_database.reset(schema)
    assert private_database.drifted(schema) is None
    sums = [
        query(private_database, f"CHECKSUM TABLE {table}", schema)[0][1]
        for table in ("items", "items_pristine")
    ]
    assert sums[0] == sums[1]
    with closing(connect(private_database, schema)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(6), NOW(6)")
        assert cursor.lastrowid == 10_001


def test_very_many_new_rows_are_put_back_as_well(private_database: Database, schema: str) -> None:
    query(
        private_database,
        "INSERT INTO items (name, price, created_at, updated_at) "
        "SELECT p.name, 1, NOW(6), NOW(6) FROM items_pristine p, (SELECT 1 UNION SELECT 2) twice",
        schema,
    )
    query(private_database, "UPDATE items SET price = 0 WHERE id = 5", schema)
    private_database.reset(schema)
    assert private_database.drifted(schema) is None
    statistics = query(
        private_database,
        f"SELECT n_rows FROM mysql.innodb_table_stats WHERE database_name = '{schema}' "
        "AND table_name = 'items'",
    )
    assert 9_000 < statistics[0][0] < 11_000, "plans need to know how much there is"


def test_new_rows_that_are_gone_again_still_put_the_key_back(
    private_database: Database, schema: str
) -> None:
    query(private_database, "INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(), NOW()", schema)
    query(private_database, "DELETE FROM items WHERE id > 10000", schema)
    assert private_database.drifted(schema) == "the next key is 10002 instead of 10001"
    private_database.reset(schema)
    assert private_database.drifted(schema) is None


def test_an_open_transaction_is_blamed_and_nothing_is_half_put_back(
    private_database: Database, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(private_database, ServerDatabase)
    query(private_database, "INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(), NOW()", schema)
    before = private_database.drifted(schema)
    private_database._admin.rows("SET SESSION innodb_lock_wait_timeout = 1")
    with closing(connect(private_database, schema)) as holder, holder.cursor() as cursor:
        holder.begin()
        cursor.execute("UPDATE items SET price = 0 WHERE id = 7777")
        with pytest.raises(EnvironmentNotReady, match="locked by a transaction that stays open"):
            private_database.reset(schema)
        assert private_database.drifted(schema) == before
    private_database._admin.rows("SET SESSION innodb_lock_wait_timeout = 10")
    private_database.reset(schema)
    assert private_database.drifted(schema) is None


def test_the_servers_own_counts(private_database: Database, schema: str) -> None:
    assert private_database.connections(schema) == 0
    with closing(connect(private_database, schema)), closing(connect(private_database, schema)):
        assert private_database.connections(schema) == 2
    query(private_database, "SELECT price FROM items WHERE id = 1", schema)
    before = private_database.statement_digests(schema)
    for key in (2, 3, 4):
        query(private_database, f"SELECT price FROM items WHERE id = {key}", schema)
    after = private_database.statement_digests(schema)
    assert before is not None
    assert after is not None
    (text,) = [text for text in after if text.startswith("SELECT `price` FROM")]
    assert after[text].count - before[text].count == 3
    assert 0 < after[text].total_s - before[text].total_s < 60


def test_a_connection_that_was_dropped_is_opened_again(
    private_database: Database, schema: str
) -> None:
    assert isinstance(private_database, ServerDatabase)
    for _ in range(2):
        number = private_database._admin.value("SELECT CONNECTION_ID()")
        query(private_database, f"KILL {number}")
        private_database.reset(schema)
    query(private_database, f"KILL {private_database._admin.value('SELECT CONNECTION_ID()')}")
    assert private_database.connections(schema) == 0


def test_several_threads_may_ask_at_once(private_database: Database, schema: str) -> None:
    answers: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(private_database.connections(schema)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [0] * 8


def test_a_schema_of_the_same_run_is_made_anew(private_database: Database, schema: str) -> None:
    ((run_id, arm),) = query(private_database, "SELECT run_id, arm FROM bench_marker", schema)
    change(private_database, schema)
    assert private_database.create_arm_schema(run_id, arm) == schema
    assert private_database.drifted(schema) is None


@pytest.mark.parametrize("marker", [None, "bench_marker"])
def test_a_schema_that_is_not_ours_is_refused_and_left_alone(
    private_database: Database, marker: str | None
) -> None:
    query(private_database, "CREATE DATABASE bench_other_arm")
    query(private_database, "CREATE TABLE precious (id INT)", "bench_other_arm")
    if marker:
        query(
            private_database,
            "CREATE TABLE bench_marker SELECT 'other' run_id, 'somebody' created_by",
            "bench_other_arm",
        )
    try:
        with pytest.raises(EnvironmentNotReady, match=r"bench_other_arm.*left alone"):
            private_database.create_arm_schema("other", "arm")
        with pytest.raises(EnvironmentNotReady, match="not one that this run created"):
            private_database.reset("bench_other_arm")
        assert query(private_database, "SELECT COUNT(*) FROM precious", "bench_other_arm")
    finally:
        query(private_database, "DROP DATABASE bench_other_arm")


def test_too_few_connections_are_refused_with_the_arithmetic(private_database: Database) -> None:
    server = Server("external", address_from_url(private_database.url_for("")), "test")
    admin = Admin(server.address)
    with (
        closing(admin),
        pytest.raises(EnvironmentNotReady, match=r"may need 5000 .* leaves") as why,
    ):
        ServerDatabase(server, admin, connections_needed=5000)
    assert "pool_size" in why.value.hint


# A server that is not ours


@contextmanager
def account(database: Database, user: str, rights: str | None) -> Iterator[str]:
    """A user with one grant on the private server: its URL."""
    password = "p/w:" + "x" * 16
    query(database, f"CREATE USER {user} IDENTIFIED BY '{password}'")
    if rights:
        query(database, f"GRANT {rights} TO {user}")
    try:
        yield f"mysql://{user}:{quote(password, safe='')}@{place(database)}/somewhere"
    finally:
        query(database, f"DROP USER {user}")


def place(database: Database) -> str:
    return address_from_url(database.url_for("")).place


def schemas(database: Database) -> set[str]:
    return {row[0] for row in query(database, "SHOW DATABASES")}


def test_on_a_server_that_is_not_ours_only_our_schemas_come_and_go(
    private_database: Database, tmp_path: Path
) -> None:
    before = schemas(private_database)
    globals_before = query(private_database, "SHOW GLOBAL VARIABLES")
    said: list[str] = []
    with account(private_database, "guest", "ALL ON `bench\\_%`.*") as url:
        with opened(url, tmp_path, said=said) as found:
            assert found.kind == "external"
            assert found.pid is None
            assert found.cpu_s() is None
            assert found.facts()["durability"]["profile"] == "relaxed"  # read, whatever was asked
            one = found.create_arm_schema("ext", "sync")
            two = found.create_arm_schema("ext", "async")
            assert schemas(private_database) == before | {one, two}
            found.reset(one)
            assert found.drifted(one) is None
            assert found.statement_digests(one) is None, "guests may not look"
            assert found.masked_url(one) == f"mysql://guest:***@{place(found)}/{one}"
        assert schemas(private_database) == before
    changed = set(query(private_database, "SHOW GLOBAL VARIABLES")) - set(globals_before)
    assert not {name for name, _ in changed} - {"gtid_binlog_pos", "timestamp"}
    assert "x" * 16 not in "".join(said)
    assert any("run.database names the server" in line for line in said)


def test_the_environment_is_named_when_the_url_came_from_there(
    private_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private_database.url_for("")
    monkeypatch.setenv("BENCH_DATABASE_URL", url)
    with opened(url, tmp_path) as found:
        assert found.why.startswith("BENCH_DATABASE_URL names")


def test_a_user_who_may_not_create_is_told_the_grant(
    private_database: Database, tmp_path: Path
) -> None:
    with account(private_database, "poor", None) as url, opened(url, tmp_path) as found:
        with pytest.raises(EnvironmentNotReady, match=r"poor.*lacks a right") as why:
            found.create_arm_schema("ext", "sync")
        assert "GRANT ALL ON `bench\\_%`.* TO 'poor'@'%'" in why.value.hint


def test_a_wrong_password_is_told_without_it(private_database: Database, tmp_path: Path) -> None:
    url = f"mysql://bench:very-wrong@{place(private_database)}/"
    with (
        pytest.raises(EnvironmentNotReady, match="refused user 'bench'") as why,
        opened(url, tmp_path),
    ):
        pass
    assert why.value.exit_code == 3
    assert "very-wrong" not in str(why.value)


def test_a_server_that_is_not_there_and_a_url_that_is_none(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentNotReady, match=r"127.0.0.1:1 cannot be reached"),
        opened("mysql://u:p@127.0.0.1:1/", tmp_path),
    ):
        pass
    with pytest.raises(SpecError), opened("mysql://u:p@h/?ssl=1", tmp_path):
        pass


def test_an_old_server_is_refused(
    private_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        __import__("loadtests.environment.mysql", fromlist=["OLDEST"]).OLDEST,
        str(private_database.flavour), (99, 0),
    )  # fmt: skip
    with (
        pytest.raises(EnvironmentNotReady, match=r"is too old; 99.0"),
        opened(private_database.url_for(""), tmp_path),
    ):
        pass


# Which one is taken


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH on which there is nothing; returns it, to put things there."""
    places = tmp_path / "bin"
    places.mkdir()
    monkeypatch.setenv("PATH", str(places))
    return places


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_none_means_none(tmp_path: Path) -> None:
    with opened("none", tmp_path) as found:
        assert found.facts()["database"]["kind"] == "none"
        assert found.facts()["durability"] is None
        assert found.free_connections is None
        assert found.cpu_s() is None
        with pytest.raises(EnvironmentNotReady, match='"sync" needs a database'):
            found.create_arm_schema("run", "sync")


def test_auto_without_docker_takes_the_local_server_and_says_why(
    no_docker: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    with opened("auto", tmp_path, said=said, durability="relaxed") as found:
        assert found.kind == "local"
        assert "no docker command" in found.why
        assert "BENCH_DATABASE_URL is not set" in found.why
    assert any(line.startswith("Not used:") for line in said)


@pytest.mark.parametrize(
    ("docker", "words"),
    [
        ("echo 'Cannot connect to the daemon' >&2; exit 1", "no Docker engine answers.*Cannot"),
        ('[ $1 = info ] || { echo "unknown command: $1" >&2; exit 1; }', "no Compose v2"),
        (
            "case $1 in info|compose) ;; *) echo 'no such host' >&2; exit 1;; esac",
            "be pulled.*host",
        ),
    ],
)
def test_docker_asked_for_by_name_fails_with_the_reason(
    no_docker: Path, tmp_path: Path, docker: str, words: str
) -> None:
    script(no_docker / "docker", docker)
    with pytest.raises(EnvironmentNotReady, match=words) as why, opened("docker", tmp_path):
        pass
    for way in ("BENCH_DATABASE_URL", "start Docker", "mariadb-server-core"):
        assert way in why.value.hint
    assert container_server.why_not_docker(lambda _: None) is not None


def test_with_nothing_at_all_the_three_ways_out_are_named(
    no_docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "PROGRAMS", ("no-such-server",))
    with (
        pytest.raises(EnvironmentNotReady, match="No database could be found") as why,
        opened("auto", tmp_path),
    ):
        pass
    assert "no docker command" in why.value.message
    assert "no mysqld or mariadbd is installed" in why.value.message
    for way in ("BENCH_DATABASE_URL", "start Docker", "mariadb-server-core"):
        assert way in why.value.hint
    with (
        pytest.raises(EnvironmentNotReady, match="no mysqld or mariadbd"),
        opened("local", tmp_path),
    ):
        pass


def test_an_old_or_broken_program_is_passed_over(
    no_docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(no_docker / "mysqld", "echo 'mysqld  Ver 5.7.44 for Linux on x86_64'")
    script(no_docker / "mariadbd", "exit 3")
    monkeypatch.setattr(local_server, "MORE_PLACES", ())
    found = find_program()
    assert isinstance(found, str)
    assert "MySQL 5.7 is too old" in found
    assert "does not tell its version" in found
    script(no_docker / "mariadbd", "echo 'mariadbd Ver 10.6.1-MariaDB for Linux'")
    found = find_program()
    assert isinstance(found, Program)
    assert found.flavour == "mariadb"


def test_a_server_that_does_not_start_shows_the_end_of_its_log(
    no_docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{no_docker}:/usr/bin:/bin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others may be starting servers
    said = "if [ $2 = --version ]; then echo 'mysqld Ver 8.4.1'; exit; fi\necho boom; "
    monkeypatch.setattr(local_server, "PROGRAMS", ("mysqld",))
    for last, words in (
        ("exit 1", "could not create a data directory"),
        ("case $* in *--initialize-insecure*) ;; *) exit 1;; esac", "did not start"),
    ):
        script(no_docker / "mysqld", said + last)
        with (
            pytest.raises(EnvironmentNotReady, match=rf"{words}.*\n.*boom"),
            opened("local", tmp_path),
        ):
            pass
    assert not list(tmp_path.rglob("init.sql"))
