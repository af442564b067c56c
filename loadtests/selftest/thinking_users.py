"""Locust users who think between requests, as somebody's own locustfile would have them."""

from __future__ import annotations

import itertools

from locust import FastHttpUser, constant, task

from loadtests.selftest.cases import THINK_S

_keys = itertools.count()


class ThinkingUser(FastHttpUser):  # type: ignore[misc]
    """Asks for the next key, reads the answer, thinks."""

    wait_time = constant(THINK_S)

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        """One request."""
        self.client.get(f"/{next(_keys)}", name="ask")
