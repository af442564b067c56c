"""A process of ours that is told frames over a socket: started, heard, seen to die, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from loadtests.errors import BenchError, EnvironmentNotReady
from loadtests.generator.protocol import Frame, error_in, receive_frame, send_frame
from loadtests.journal import storage_error

TAKE_WITHIN_S = 60.0
END_WITHIN_S = 5.0
TAIL_LINES = 8
PROJECT = Path(__file__).parents[1]


class FramedProcess:
    """Runs `python -m MODULE FD [WORD …]`, where FD is its end of the socket.

    `name` is what errors call it, `detail` follows its process id there. It leaves the terminal's
    signals to the controller, and has to end by itself when the socket is closed. Raises
    StorageError when its log cannot be written.
    """

    def __init__(
        self, name: str, module: str, words: Sequence[str], log_path: Path, *, detail: str = ""
    ) -> None:
        self._name, self._detail, self._log_path = name, detail, log_path
        with _opened(log_path) as log:
            self._connection, theirs = socket.socketpair()
            with theirs:
                self._process = self._started(module, theirs.fileno(), words, log)

    def _started(
        self, module: str, fd: int, words: Sequence[str], log: BinaryIO
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(fd), *words],
            cwd=PROJECT,
            pass_fds=[fd],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C on the terminal reaches the controller only
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, frame: Frame) -> None:
        """Send a frame. Raises EnvironmentNotReady when the process is gone or does not take it."""
        with self._naming_an_end(TAKE_WITHIN_S):
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
            f"{self._name} (process {self.pid}{self._detail}) {how}.{_tail(self._log_path)}",
            hint=f"Its log: {self._log_path}",
        )

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait()


def _opened(log_path: Path) -> BinaryIO:
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        return log_path.open("ab")
    except OSError as error:
        raise storage_error(log_path, error) from error


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in lines[-TAIL_LINES:])
