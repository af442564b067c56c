"""The outermost layer of a twin: counts requests and writes Server-Timing on every answer.

Pure ASGI, and outside of Starlette's own error handling, so that a 500 carries the header too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic_ns

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.common.request_times import RequestTimes, current

OWN_PATHS = frozenset({"/health", "/ready", "/stats", "/openapi.json"})
"""Paths of the app about itself: they neither count as requests nor wait at the admission gate."""


@dataclass(slots=True)
class Counts:
    """The app's own gauges, as told by /stats."""

    requests: int = 0
    """Completed requests."""
    in_flight: int = 0
    arrivals_ns: int = 0
    """Sum of the instants (`time.monotonic_ns`) at which requests came."""
    _in_flight_ns: int = 0
    _changed_ns: int = field(default_factory=monotonic_ns)
    last_error: str | None = None
    """What the last refused request failed for, in the error's own words."""

    def came(self) -> None:
        """A request has arrived. On the event loop only, as all of this: there is no lock."""
        self.arrivals_ns += self._pass_time()
        self.in_flight += 1

    def left(self) -> None:
        """A request is done with, however it ended."""
        self._pass_time()
        self.in_flight -= 1
        self.requests += 1

    @property
    def in_flight_s(self) -> float:
        """Integral of `in_flight` over time until now; over a span, its mean by Little's law."""
        self._pass_time()
        return self._in_flight_ns / 1e9

    def _pass_time(self) -> int:
        now_ns = monotonic_ns()
        self._in_flight_ns += self.in_flight * (now_ns - self._changed_ns)
        self._changed_ns = now_ns
        return now_ns


class Edge:
    """ASGI layer that opens each request's times, counts it, and sends its times with its answer.

    Without `server_timing` the header, and the work of collecting it, are left out.
    """

    def __init__(self, app: ASGIApp, counts: Counts, *, server_timing: bool) -> None:
        self.app = app
        self.counts = counts
        self.server_timing = server_timing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request and count it, however it ends."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        counted = scope["path"] not in OWN_PATHS
        if counted:
            self.counts.came()
        times = RequestTimes()
        current.set(times)
        if self.server_timing:
            send = _sending(times, send)
        try:
            await self.app(scope, receive, send)
        finally:
            if counted:
                self.counts.left()


def _sending(times: RequestTimes, send: Send) -> Send:
    """A `send` that adds the header to the start of the response."""

    async def send_with_times(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = (b"server-timing", times.server_timing().encode("ascii"))
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return send_with_times
