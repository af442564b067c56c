"""Closed load by Locust's own means, for comparison: prints requests, wall and CPU time as JSON.

    python stock_users.py fast|client URL USERS SECONDS

`fast` is Locust's FastHttpUser; `client` is a Locust user that drives geventhttpclient's HTTPClient
itself and keeps its own list of raw times (the usual advice for more speed).
"""

from __future__ import annotations

import locust  # first: it makes the standard library cooperative  # isort: skip

import json
import sys
import time
from typing import Any, ClassVar

import gevent
from geventhttpclient import HTTPClient
from locust.env import Environment

WARM_UP_S = 0.5
PATH = "/items/4711"
TIMES: list[tuple[int, int, int]] = []
"""Sent, done, status of each request of a ClientUser."""


class FastUser(locust.FastHttpUser):  # type: ignore[misc]
    """Stock Locust."""

    def read(self) -> None:
        """One request."""
        self.client.get(PATH)

    tasks: ClassVar[list[Any]] = [read]


class ClientUser(locust.User):  # type: ignore[misc]
    """geventhttpclient without Locust's client around it."""

    def on_start(self) -> None:
        """One connection for the user's life."""
        self.client = HTTPClient.from_url(self.host)

    def read(self) -> None:
        """One request, noted raw; Locust's statistics are left out."""
        sent_ns = time.monotonic_ns()
        response = self.client.get(PATH)
        response.read()
        TIMES.append((sent_ns, time.monotonic_ns(), response.status_code))

    tasks: ClassVar[list[Any]] = [read]


def requests_so_far(environment: Environment) -> int:
    """Requests finished since the start."""
    return len(TIMES) or int(environment.stats.total.num_requests)


def main(kind: str, url: str, users: int, seconds: float) -> None:
    """Spawn, warm up, count over `seconds`."""
    user_class = {"fast": FastUser, "client": ClientUser}[kind]
    environment = Environment(user_classes=[user_class], host=url)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(WARM_UP_S)
    before, cpu_s, wall_s = requests_so_far(environment), time.process_time(), time.monotonic()
    gevent.sleep(seconds)
    counted = {
        "requests": requests_so_far(environment) - before,
        "wall_s": time.monotonic() - wall_s,
        "cpu_s": time.process_time() - cpu_s,
        "failures": environment.stats.total.num_failures,
    }
    print(json.dumps(counted), flush=True)
    runner.quit()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
