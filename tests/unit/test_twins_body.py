"""Bodies are received whole before anything else happens, or refused for their size or time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from apps.common.body import BODY_BYTES_MAX, WholeBody
from apps.common.request_times import RequestTimes, current

LONG_S = 30.0


def scope(method: str = "POST", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": "/objects/items", "headers": named}


def part(body: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Handled:
    """What the app behind the layer received, and what was sent to the client."""

    def __init__(self, asked: Scope, *messages: Message, wait_s: float = LONG_S) -> None:
        self.received: list[Message] | None = None
        self.sent: list[Message] = []
        self._messages = list(messages)
        asyncio.run(WholeBody(self._app, wait_s)(asked, self._receive, self._send))

    async def _receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        return await asyncio.get_running_loop().create_future()  # a client that says no more

    async def _app(self, _: Scope, receive: Receive, __: Send) -> None:
        self.received = [await receive()]
        while self.received[-1].get("more_body"):
            self.received.append(await receive())

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def refusal(self) -> tuple[int, dict[str, Any]]:
        start, body = self.sent
        assert (b"connection", b"close") in start["headers"], "the rest is not waited for"
        return start["status"], json.loads(body["body"])


def test_a_body_is_replayed_as_it_came() -> None:
    parts = [part(b"a", True), part(b"b", False)]
    assert Handled(scope(), *parts).received == parts


def test_a_request_s_limit_counts_from_its_last_byte() -> None:
    times = RequestTimes()
    token = current.set(times)
    Handled(scope("GET"), part(b"", False))
    assert times.asked_s == times.arrived_s
    Handled(scope(), part(b"a", False))
    assert times.asked_s > times.arrived_s
    current.reset(token)


def test_a_broken_upload_does_not_reach_the_app() -> None:
    handled = Handled(scope(), part(b"a", True), {"type": "http.disconnect"})
    assert (handled.received, handled.sent) == (None, [])


def test_a_body_that_does_not_come_is_given_up() -> None:
    handled = Handled(scope(), part(b"a", True), wait_s=0.01)
    status, problem = handled.refusal
    assert (status, problem["status"], handled.received) == (408, 408, None)


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    handled = Handled(scope(content_length=str(BODY_BYTES_MAX + 1)))
    assert handled.refusal[0] == 413


@pytest.mark.parametrize(
    ("size_bytes", "fits"), [(BODY_BYTES_MAX, True), (BODY_BYTES_MAX + 1, False)]
)
def test_a_body_of_unknown_length_is_counted(size_bytes: int, fits: bool) -> None:
    half = size_bytes // 2
    handled = Handled(scope(), part(b"x" * half, True), part(b"x" * (size_bytes - half), False))
    assert (handled.received is not None) is fits
    assert fits or handled.refusal[0] == 413


def test_a_get_is_handed_on_at_once() -> None:
    assert Handled(scope("GET"), part(b"", False)).received == [part(b"", False)]
