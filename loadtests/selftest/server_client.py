"""The controller's end of a known-answer server: tells it what to do, takes its log."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from loadtests.environment.processes import on_cores
from loadtests.framed_process import FramedProcess
from loadtests.generator.protocol import Frame
from loadtests.selftest.behaviour import Behaviour, Service, Stall
from loadtests.selftest.record import LOG_COLUMNS, ServerLog

ANSWER_WITHIN_S = 30.0


class KnownServer(FramedProcess):
    """A known-answer server in a process of its own, which ends with this one."""

    def __init__(self, *, cores: Sequence[int], log_path: Path) -> None:
        """Start it on `cores` (empty: wherever the system puts it). Raises EnvironmentNotReady."""
        with on_cores(cores):
            super().__init__("A known-answer server", "loadtests.selftest.server", [], log_path)
        try:
            ready = self.answer(ANSWER_WITHIN_S)
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
        self.tell(Frame(facts))
        self.answer(ANSWER_WITHIN_S)

    def end(self) -> ServerLog:
        """End the trial and hand over what was written down. Raises EnvironmentNotReady."""
        self.tell(Frame({"kind": "end"}))
        return log_in(self.answer(ANSWER_WITHIN_S))


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
