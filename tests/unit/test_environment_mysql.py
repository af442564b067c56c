"""Addresses, versions and error messages of servers."""

import socket
import threading
from urllib.parse import quote

import pymysql
import pytest

from loadtests.environment.mysql import (
    WHO_LISTENS,
    Address,
    Admin,
    address_from_url,
    explained,
    too_old,
    version_of,
)
from loadtests.errors import BenchError, EnvironmentNotReady, SpecError

PASSWORD = "p@ss:/w%rd"
ADDRESS = Address("db.example.org", 3307, "an@n", PASSWORD)


def test_an_address_survives_its_url() -> None:
    assert address_from_url(ADDRESS.url("shop")) == ADDRESS


def test_defaults_of_a_short_url() -> None:
    assert address_from_url("mysql://h") == Address("h", 3306, "root", "")
    assert address_from_url("mysql://u@[::1]:4000/x") == Address("::1", 4000, "u", "")
    assert Address("::1", 4000, "u", "").url() == "mysql://u:@[::1]:4000/"


def test_the_password_is_in_no_printed_form() -> None:
    for text in (repr(ADDRESS), ADDRESS.masked_url("x"), ADDRESS.place):
        assert PASSWORD not in text
        assert quote(PASSWORD, safe="") not in text
    log = f"cannot use {ADDRESS.url('x')} with {PASSWORD}"
    assert ADDRESS.mask(log) == "cannot use mysql://an%40n:***@db.example.org:3307/x with ***"
    assert Address("h", 1, "u", "").mask("as it is") == "as it is"


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h:port/", "mysql://u:secret@/x", "mysql://u:secret@h/?ssl=1"]
)
def test_a_bad_url_is_explained_but_not_repeated(url: str) -> None:
    with pytest.raises(SpecError) as caught:
        address_from_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "comment", "expected"),
    [
        ("10.11.19-MariaDB-0+deb12u1", "Debian 12", ("mariadb", (10, 11))),
        ("/usr/sbin/mariadbd  Ver 11.8.2-MariaDB for Linux", "", ("mariadb", (11, 8))),
        ("11.4.5-log", "mariadb.org binary distribution", ("mariadb", (11, 4))),
        ("8.4.3", "MySQL Community Server - GPL", ("mysql", (8, 4))),
        ("mysqld  Ver 9.7.4-2 for Linux on x86_64", "", ("mysql", (9, 7))),
        ("8.0.11-TiDB-v7.5.0", "", ("mysql", (8, 0))),
    ],
)
def test_flavour_and_version(text: str, comment: str, expected: object) -> None:
    assert version_of(text, comment) == expected


def test_only_old_servers_are_too_old() -> None:
    assert too_old("mysql", (8, 4)) is None
    assert too_old("mysql", (10, 0)) is None
    assert too_old("mariadb", (10, 6)) is None
    assert "8.4" in str(too_old("mysql", (8, 3)))
    assert "10.6" in str(too_old("mariadb", (10, 5)))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1045, ("refused", "an@n")),
        (2003, ("cannot be reached", "host and port")),
        (1044, ("lacks a right", "GRANT")),
        (1040, ("no connection left", "max_connections")),
        (1205, ("locked", "open")),
        (1234, ("reports", "doctor")),
    ],
)
def test_each_error_names_cause_and_remedy(code: int, words: tuple[str, ...]) -> None:
    error = explained(pymysql.OperationalError(code, f"said with {PASSWORD}"), ADDRESS)
    assert isinstance(error, BenchError)
    assert error.exit_code == 3
    assert error.hint
    text = str(error)
    assert "db.example.org:3307" in text
    assert PASSWORD not in text
    assert all(word in text for word in words)


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x02\x00\x00\x00\x0a8"])
def test_what_listens_and_is_no_mysql_is_told_in_time(greeting: bytes) -> None:
    """The first says nothing at all: it accepts, and waits for us to speak."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address("127.0.0.1", listener.getsockname()[1], "u", "hunter2")

        def greet() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(greeting)
                while sock.recv(4096):
                    pass

        greeter = threading.Thread(target=greet)
        greeter.start()
        with pytest.raises(EnvironmentNotReady) as told:
            Admin(address, connect_limit_s=1).connect()
        greeter.join()
    assert str(address.port) in told.value.message
    assert told.value.hint == WHO_LISTENS
    assert "hunter2" not in str(told.value)
