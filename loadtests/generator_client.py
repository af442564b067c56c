"""The controller's end of the load generator: starts its process, gives orders, sees it die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from loadtests.errors import BenchError, EnvironmentNotReady
from loadtests.generator.protocol import (
    Frame,
    error_in,
    outcome_in,
    receive_frame,
    send_frame,
    setup_frame,
    trial_frame,
)
from loadtests.scenarios.model import Scenario
from loadtests.trials import Target, TrialOrder, TrialOutcome

READY_WITHIN_S = 60.0
GRACE_S = 45.0
"""Beyond a trial's own length and timeout: start of somebody's own users, drain, the table."""
END_WITHIN_S = 5.0
TAIL_LINES = 8
PROJECT = Path(__file__).parents[1]


class LocustGenerator:
    """The resident Locust process. Satisfies `loadtests.trials.Generator`."""

    def __init__(
        self, process: subprocess.Popen[bytes], connection: socket.socket, log_path: Path
    ) -> None:
        self._process, self._connection, self._log_path = process, connection, log_path
        self._timeouts_s: dict[str, float] = {}
        self.real_time = False
        """Whether the system lets the generator go before its neighbours during a trial."""

    @classmethod
    def start(
        cls,
        targets: Sequence[Target],
        scenarios: Sequence[Scenario],
        *,
        folder: str | Path,
        cores: Sequence[int],
        log_path: Path,
    ) -> LocustGenerator:
        """Start the process on `cores` (empty: wherever the system puts it) and wait until it is
        ready for the first trial.

        Relative locustfiles are looked up in `folder`. Raises EnvironmentNotReady when it does not
        start, SpecError when a locustfile cannot be used.
        """
        ours, theirs = socket.socketpair()
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log_path.open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "loadtests.generator.process",
                    str(theirs.fileno()),
                    *map(str, cores),
                ],
                cwd=PROJECT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C on the terminal reaches the controller only
            )
        generator = cls(process, ours, log_path)
        generator._set_up(targets, scenarios, Path(folder).resolve())
        return generator

    def _set_up(
        self, targets: Sequence[Target], scenarios: Sequence[Scenario], folder: Path
    ) -> None:
        self._timeouts_s = {scenario.name: scenario.timeout_s for scenario in scenarios}
        try:
            ready = self._ask(setup_frame(targets, scenarios, str(folder)), READY_WITHIN_S)
            self.real_time = bool(ready.header["real_time"])
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The generator's process id."""
        return self._process.pid

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Run one trial and return once it has drained. Raises EnvironmentNotReady when the
        generator is gone or hangs."""
        own_s = order.lead_in_s + order.steady_s + self._timeouts_s[order.scenario]
        return outcome_in(self._ask(trial_frame(order), own_s + GRACE_S))

    def close(self) -> None:
        """End the process; it also ends by itself when this process does."""
        with suppress(OSError):
            self._connection.settimeout(END_WITHIN_S)
            send_frame(self._connection, Frame({"kind": "close"}))
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._kill()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, frame: Frame, within_s: float) -> Frame:
        """Send a frame and wait for the answer."""
        try:
            self._connection.settimeout(within_s)
            send_frame(self._connection, frame)
            answer = receive_frame(self._connection)
        except TimeoutError as error:
            self._kill()
            raise self._gone(f"did not answer within {within_s:g} s") from error
        except (EOFError, OSError) as error:
            raise self._gone(self._how_it_ended()) from error
        if answer.kind == "error":
            raise self._told(answer)
        return answer

    def _told(self, answer: Frame) -> BenchError:
        error = error_in(answer)
        return type(error)(error.message, hint=error.hint or f"Its log: {self._log_path}")

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._kill()
            return "closed its connection"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _gone(self, how: str) -> EnvironmentNotReady:
        return EnvironmentNotReady(
            f"The load generator (process {self.pid}) {how}.{_tail(self._log_path)}",
            hint=f"Its log: {self._log_path}",
        )

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait()


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in lines[-TAIL_LINES:])
