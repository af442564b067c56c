"""The controller's end of one generator process: starts it, gives it orders, sees it die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

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
from loadtests.sharing import Share
from loadtests.trials import Target, TrialOrder, TrialOutcome

READY_WITHIN_S = 60.0
GRACE_S = 45.0
"""Beyond a trial's own length and timeout: start of somebody's own users, drain, the table."""
END_WITHIN_S = 5.0
TAIL_LINES = 8
PROJECT = Path(__file__).parents[1]


class GeneratorProcess:
    """A resident Locust process: one of those that `loadtests.generators.Generators` commands."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connection: socket.socket,
        log_path: Path,
        share: Share,
    ) -> None:
        self._process, self._connection, self._log_path = process, connection, log_path
        self._share = share
        self._timeouts_s: dict[str, float] = {}
        self.real_time = False
        """Whether the system lets the generator go before its neighbours during a trial."""

    @classmethod
    def launch(cls, *, cores: Sequence[int], log_path: Path, share: Share) -> GeneratorProcess:
        """Start the process for its `share` of every trial; it is of use after `set_up`."""
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
        return cls(process, ours, log_path, share)

    def set_up(
        self, targets: Sequence[Target], scenarios: Sequence[Scenario], folder: str | Path
    ) -> None:
        """Tell it what there is to load and wait until it is ready; end it when it is not.

        Relative locustfiles are looked up in `folder`. Raises EnvironmentNotReady when it does not
        start, SpecError when a locustfile cannot be used.
        """
        self._timeouts_s = {scenario.name: scenario.timeout_s for scenario in scenarios}
        where = str(Path(folder).resolve())
        try:
            self.tell(setup_frame(targets, scenarios, where, self._share))
            ready = self.answer(READY_WITHIN_S)
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
        self.tell(trial_frame(order))
        return outcome_in(self.answer(self.trial_limit_s(order)))

    def trial_limit_s(self, order: TrialOrder) -> float:
        """How long a trial may take before the process counts as hanging."""
        own_s = order.lead_in_s + order.steady_s + self._timeouts_s[order.scenario]
        return own_s + GRACE_S

    def ask_to_end(self) -> None:
        """Tell the process to end; `close` waits until it has."""
        with suppress(OSError):
            self._connection.settimeout(END_WITHIN_S)
            send_frame(self._connection, Frame({"kind": "close"}))

    def close(self) -> None:
        """End the process; it also ends by itself when this process does."""
        self.ask_to_end()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._kill()
        self._connection.close()

    def tell(self, frame: Frame) -> None:
        """Send a frame. Raises EnvironmentNotReady when the process is gone or does not take it."""
        with self._naming_an_end(READY_WITHIN_S):
            send_frame(self._connection, frame)

    def answer(self, within_s: float) -> Frame:
        """Wait for the process's next frame.

        Raises EnvironmentNotReady when it is gone or hangs (then it is ended), and what it says
        went wrong.
        """
        with self._naming_an_end(within_s):
            answer = receive_frame(self._connection)
        if answer.kind == "error":
            raise self._told(answer)
        return answer

    @contextmanager
    def _naming_an_end(self, within_s: float) -> Iterator[None]:
        try:
            self._connection.settimeout(within_s)
            yield
        except TimeoutError as error:
            self._kill()
            raise self._gone(f"did not answer within {within_s:g} s") from error
        except (EOFError, OSError) as error:
            raise self._gone(self._how_it_ended()) from error

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
            f"The load generator ({self._which()}) {how}.{_tail(self._log_path)}",
            hint=f"Its log: {self._log_path}",
        )

    def _which(self) -> str:
        among = f", number {self._share.number + 1} of {self._share.of}"
        return f"process {self.pid}{among if self._share.of > 1 else ''}"

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
