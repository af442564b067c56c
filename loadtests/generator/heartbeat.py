"""Notices when the generator's process stood still in mid-trial: stopped, or given no time."""

from __future__ import annotations

import time

from gevent import get_hub

BEAT_S = 0.02


class Heartbeat:
    """Within the block, beats in gevent's hub and keeps the longest time between two beats in
    which the process neither worked nor was allowed to rest.

    Work of its own, however long, is no standing still: it is CPU time and is subtracted.
    """

    def __init__(self) -> None:
        self.still_s = 0.0
        self._wall_ns = self._cpu_ns = 0

    def __enter__(self) -> Heartbeat:
        self._timer = get_hub().loop.timer(BEAT_S, BEAT_S)
        self._wall_ns, self._cpu_ns = time.monotonic_ns(), time.process_time_ns()
        self._timer.start(self._beat)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        self._timer.close()
        self._beat()

    def _beat(self) -> None:
        wall_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        still_s = (wall_ns - self._wall_ns - cpu_ns + self._cpu_ns) / 1e9 - BEAT_S
        self.still_s = max(self.still_s, still_s)
        self._wall_ns, self._cpu_ns = wall_ns, cpu_ns
