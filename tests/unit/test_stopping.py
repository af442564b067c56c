"""Signals: the first asks, the second stops where nothing is lost, later ones do nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loadtests.run_state import Interruption
from scripts.stopping import SIGNALS, Stopping
from tests.support.terminal import hang_ups_count


@pytest.fixture(autouse=True)
def terminal() -> Iterator[None]:
    with hang_ups_count():
        yield


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_stops_what_is_waited_for(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with Stopping(Interruption()) as stopping:
        with stopping.at_once():
            os.kill(os.getpid(), number)
        assert stopping.interruption.requested
        assert "Stopping after this trial" in capfd.readouterr().err
        os.kill(os.getpid(), number)  # while samples are written: nothing is cut short
        with pytest.raises(KeyboardInterrupt), stopping.at_once():
            os.kill(os.getpid(), number)
        with stopping.at_once():
            os.kill(os.getpid(), number)
    assert capfd.readouterr().err == ""


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stopping(Interruption()):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_under_nohup_a_closed_terminal_is_no_reason_to_stop() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stopping(Interruption()) as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping.interruption.requested
    finally:
        signal.signal(signal.SIGHUP, before)


CLOSED_TERMINAL = """
import os, pty, signal, sys
from loadtests.run_state import Interruption
from scripts.stopping import Stopping
ours, theirs = pty.openpty()
os.dup2(theirs, 2)
os.close(theirs)
with Stopping(Interruption()):
    os.close(ours)
    os.kill(os.getpid(), signal.SIGHUP)
    print("a message that nobody can read", file=sys.stderr, flush=True)
print("went on")
"""


def test_a_terminal_that_is_gone_does_not_break_the_rest() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOSED_TERMINAL], capture_output=True, text=True, check=True
    )
    assert done.stdout == "went on\n"
