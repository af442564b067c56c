"""DATA: which gates may fail in a real run although nothing of ours is wrong."""

from __future__ import annotations

OF_A_BUSY_MACHINE = frozenset({"send-lag", "steal"})
"""Others can keep the generator from its core when a request is due, and the host can take time.

Nothing else at 100/s: the generator's own CPU time does not grow by waiting; there are as many
users as requests; the next trial begins when the app has nothing left to do.
"""
