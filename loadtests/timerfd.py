"""Linux's timerfd with absolute time (timerfd_create(2)), the most punctual alarm there is."""

from __future__ import annotations

import ctypes
import os

NS_PER_S = 1_000_000_000
_CLOCK_MONOTONIC = 1
_NONBLOCK, _CLOEXEC, _ABSTIME = os.O_NONBLOCK, getattr(os, "O_CLOEXEC", 0), 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerFd:
    """A descriptor that becomes readable at an instant of `time.monotonic_ns`."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._settime = library.timerfd_settime
        self.fd: int = library.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()
        self._argument = ctypes.byref(self._spec)

    def set(self, at_ns: int) -> None:
        """Ring at this instant instead of any set before; at once if it has passed.

        Setting the time also clears the ticks that made the descriptor readable.
        """
        value = self._spec.value
        value.seconds, value.nanoseconds = divmod(max(at_ns, 1), NS_PER_S)
        if self._settime(self.fd, _ABSTIME, self._argument, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def rang(self) -> bool:
        """Whether it has rung since it was last set or asked."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
