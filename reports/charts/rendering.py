"""Charts become files in processes of their own while the next charts are drawn."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context

from reports.charts.chart import Chart, render

MOST_HELPERS = 3
"""Each takes some 150 MB; with three, drawing is what takes the time."""

Ahead = Callable[[Chart], Chart]
"""A chart whose files may already be in the making."""


def as_drawn(chart: Chart) -> Chart:
    """The chart itself: its files are made when they are asked for."""
    return chart


def spare_cores() -> int:
    """Cores beside the one that draws, up to MOST_HELPERS."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return min(cores - 1, MOST_HELPERS)


@contextmanager
def rendering_ahead(helpers: int) -> Iterator[Ahead]:
    """Hands what is drawn to `helpers` processes; without any, charts are rendered when asked.

    New processes, not forks: the threads of the libraries that read samples do not survive a fork.
    They start at once, so that what they import is there when the first chart is.
    """
    if helpers < 1:
        yield as_drawn
        return
    pool = ProcessPoolExecutor(helpers, mp_context=get_context("spawn"), initializer=_settle)
    try:
        for _ in range(helpers):
            pool.submit(os.getpid)
        yield lambda chart: _begin(pool, chart)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(pool: ProcessPoolExecutor, chart: Chart) -> Chart:
    with suppress(BrokenExecutor):  # whoever died: the files are then made here
        return replace(chart, begun=pool.submit(render, chart.name, chart.sheet.figure))
    return chart


def _settle() -> None:
    """Interrupts are the parent's; what was imported is no garbage, and is not looked through."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
