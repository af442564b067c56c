"""Fixtures of tests that type `bench`: its database, and that nothing of it stays."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from loadtests.environment.database import Database
from scripts import cli
from tests.support.command import marked


@pytest.fixture
def nothing_left(private_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever `bench` starts in the test is gone soon after it."""
    mark = f"TEST_MARK={secrets.token_hex(8)}"
    monkeypatch.setenv(*mark.split("="))
    yield
    deadline_s = time.monotonic() + 10
    while marked(mark) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not marked(mark)


@pytest.fixture
def url(private_database: Database) -> str:
    """The test session's server as if it were the user's own."""
    schema = private_database.create_arm_schema("commands", "any")
    return private_database.url_for(schema).rsplit("/", 1)[0] + "/"


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., CompletedProcess[str]]:
    """`bench …` in this process, which is quicker: for words after which nothing is started."""

    def run(*words: str) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert isinstance(left.value.code, int)
        told = capsys.readouterr()
        return CompletedProcess(words, left.value.code, told.out, told.err)

    return run
