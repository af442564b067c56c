"""The relay's benchmark does not wait for ever."""

from __future__ import annotations

import socket

import pytest

from benchmarks.relay import measure
from loadtests.errors import EnvironmentNotReady


def test_a_database_that_falls_silent_ends_the_measurement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "LIMIT_S", 0.05)
    ours, silent = socket.socketpair()
    with ours, silent, pytest.raises(EnvironmentNotReady, match="1 pings had no answer"):
        measure._block_ms([ours], rate_per_s=1_000, block_s=0.01)
