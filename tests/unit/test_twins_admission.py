"""The admission layer: when a request takes its place, and that it always gives it back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from apps.common.admission import Admission, AdmissionGate

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"", "more_body": False}


def scope(method: str = "GET", path: str = "/items/1") -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": []}


def receiving(*messages: Message) -> Receive:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    return receive


class Wire:
    """What was sent, and how many places were free at each message."""

    def __init__(self, gate: AdmissionGate) -> None:
        self.gate = gate
        self.messages: list[Message] = []
        self.free: list[int] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        self.free.append(self.gate.free)


def handle(app: Any, gate: AdmissionGate, asked: Scope, *messages: Message) -> Wire:
    wire = Wire(gate)
    asyncio.run(Admission(app, gate)(asked, receiving(*messages), wire.send))
    return wire


def test_place_is_held_until_the_answer_starts_and_given_back_once() -> None:
    gate, inside = AdmissionGate(1, 5), []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        inside.append(gate.free)
        await send(START)
        await send(END)

    wire = handle(app, gate, scope())
    assert (inside, wire.free, gate.free) == ([0], [1, 1], 1)


def test_place_is_given_back_when_the_app_fails() -> None:
    gate = AdmissionGate(1, 5)

    async def app(*_: Any) -> None:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        handle(app, gate, scope())
    assert gate.free == 1


def test_refusal_after_the_wait() -> None:
    gate = AdmissionGate(0, 0.01)

    async def app(*_: Any) -> None:
        raise AssertionError

    start, body = handle(app, gate, scope()).messages
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]
    assert b"0.01 s" in body["body"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/stats"])
def test_the_app_s_own_paths_pass_by(path: str) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(START)

    assert handle(app, AdmissionGate(0, 5), scope(path=path)).messages == [START]
