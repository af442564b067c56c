"""Signals as a program in a terminal has them, whatever started the tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hang_ups_count() -> Iterator[None]:
    """A closed terminal is not ignored in the block, nor by what is started in it.

    Under nohup it is ignored, and children inherit that; a handler, unlike that, they do not. So
    one that does nothing leaves children with the default, and the tests themselves protected.
    """
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
