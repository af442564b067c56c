"""Which database a run gets, and servers that are not ours."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from loadtests.environment import container_server, local_server
from loadtests.environment.database import Database
from loadtests.environment.local_server import Program, find_program
from loadtests.environment.mysql import address_from_url
from loadtests.errors import EnvironmentNotReady, SpecError
from tests.support.real_database import opened, query

pytestmark = pytest.mark.database


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
