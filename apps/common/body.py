"""Receives a request's body whole before anything is done for it: bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.common.errors import Problem
from apps.common.request_times import current

BODY_BYTES_MAX = 16 * 2**20
"""1000 items whose every character is sent as \\uXXXX twice over still fit."""
# What is still to come of the body is not waited for.
_CLOSE = {"Connection": "close"}


class BodyTooLarge(Exception):
    """More bytes have arrived than a body may have."""


class WholeBody:
    """ASGI layer that hands a request on when all of its body is here, and not before.

    So a slow sender holds neither a place behind the admission gate nor a connection to the
    database, and it is given up after `wait_s`.
    """

    def __init__(self, app: ASGIApp, wait_s: float) -> None:
        self.app = app
        self.wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or answer 408 or 413."""
        if scope["type"] != "http" or scope["method"] == "GET":
            await self.app(scope, receive, send)
            return
        body: list[Message] | Problem | None
        if _declared_bytes(scope) > BODY_BYTES_MAX:
            body = _too_large()
        else:
            body = await self._received(receive)
        if isinstance(body, Problem):
            await body(scope, receive, send)
        elif body is not None:
            if (times := current.get()) is not None:
                times.whole()
            await self.app(scope, _replayed(body, receive), send)

    async def _received(self, receive: Receive) -> list[Message] | Problem | None:
        """The body's messages, or what to answer instead; None when the client went away."""
        try:
            async with asyncio.timeout(self.wait_s):
                return await _messages(receive)
        except TimeoutError:
            detail = f"The body was not here within {self.wait_s:g} s."
            return Problem(408, detail, headers=_CLOSE)
        except BodyTooLarge:
            return _too_large()


def _too_large() -> Problem:
    return Problem(413, f"A body may have {BODY_BYTES_MAX} bytes.", headers=_CLOSE)


def _declared_bytes(scope: Scope) -> int:
    """The body's size by its own account; 0 when it does not say."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(declared) if declared.isdigit() else 0


async def _messages(receive: Receive) -> list[Message] | None:
    """All messages of the body; None when the client went away in its middle."""
    messages: list[Message] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        messages.append(message)
        size_bytes += len(message.get("body", b""))
        if size_bytes > BODY_BYTES_MAX:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """A `receive` that first gives what was received already."""
    waiting = deque(messages)

    async def receive_again() -> Message:
        return waiting.popleft() if waiting else await receive()

    return receive_again
