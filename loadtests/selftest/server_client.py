"""The controller's end of a known-answer server: starts it, tells it what to do, takes its log."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np

from loadtests.environment.processes import on_cores
from loadtests.errors import EnvironmentNotReady
from loadtests.generator.protocol import Frame, receive_frame, send_frame
from loadtests.selftest.behaviour import Behaviour, Service, Stall
from loadtests.selftest.record import LOG_COLUMNS, ServerLog

ANSWER_WITHIN_S = 30.0
END_WITHIN_S = 5.0
PROJECT = Path(__file__).parents[2]


class KnownServer:
    """A known-answer server in a process of its own, which ends with this one."""

    def __init__(self, *, cores: Sequence[int], log_path: Path) -> None:
        """Start it on `cores` (empty: wherever the system puts it). Raises EnvironmentNotReady."""
        self._log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._connection, theirs = socket.socketpair()
        self._connection.settimeout(ANSWER_WITHIN_S)
        with theirs, log_path.open("ab") as log, on_cores(cores):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loadtests.selftest.server", str(theirs.fileno())],
                cwd=PROJECT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            ready = self._receive()
        except BaseException:
            self.close()
            raise
        self.real_time = bool(ready.header["real_time"])
        """Whether the system lets it go before its neighbours during a trial."""
        self.port = int(ready.header["port"])
        self.url = f"http://127.0.0.1:{self.port}"

    def begin(self, behaviour: Behaviour, seed: int) -> None:
        """Behave like this from now on, with service times and fates drawn from `seed`."""
        facts = {"kind": "begin", "behaviour": dataclasses.asdict(behaviour), "seed": seed}
        self._send(Frame(facts))
        self._receive()

    def end(self) -> ServerLog:
        """End the trial and hand over what was written down. Raises EnvironmentNotReady."""
        self._send(Frame({"kind": "end"}))
        return log_in(self._receive())

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, 9)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, frame: Frame) -> None:
        try:
            send_frame(self._connection, frame)
        except OSError as error:
            raise self._gone(error) from error

    def _receive(self) -> Frame:
        try:
            return receive_frame(self._connection)
        except (EOFError, OSError) as error:
            raise self._gone(error) from error

    def _gone(self, error: BaseException) -> EnvironmentNotReady:
        return EnvironmentNotReady(
            f"A known-answer server (process {self._process.pid}) does not answer: {error}.",
            hint=f"Its log: {self._log_path}",
        )


def behaviour_in(frame: Frame) -> Behaviour:
    """The behaviour of a begin frame."""
    facts = frame.header["behaviour"]
    stall = Stall(**facts["stall"]) if facts["stall"] is not None else None
    return Behaviour(**{**facts, "service": Service(**facts["service"]), "stall": stall})


def log_in(frame: Frame) -> ServerLog:
    """The log of a log frame."""
    rows = np.frombuffer(frame.payload, dtype=np.int64).reshape(-1, len(LOG_COLUMNS))
    stalls = tuple((int(begun), int(ended)) for begun, ended in frame.header["stalls_ns"])
    columns = {name: rows[:, number].copy() for number, name in enumerate(LOG_COLUMNS)}
    return ServerLog(**columns, stalls_ns=stalls)
