"""Asks one instance of a twin, and reads from server and driver what each request cost."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loadtests.sameness.judge import COMPARED_HEADERS, Answer, Observed
from loadtests.sameness.record import Counts, Work
from loadtests.sameness.requests import Ask, Operation

ANSWER_LIMIT_S = 10.0
COUNTED_WITHIN_S = 0.25
"""A server counts a statement just after it has answered it: so long is waited for the count."""
HOLD = Ask("GET", "/hold?ms=80")
"""Keeps a connection for a while, so that whatever is asked meanwhile needs another."""
MEANWHILE = Ask("GET", "/items/7")

ReadDigests = Callable[[], Mapping[str, int] | None]
"""How often each kind of statement has run so far, by digest text; None where nobody counts."""


@dataclass(frozen=True, slots=True)
class Twin:
    """One instance to be asked, and how its own statements are counted."""

    name: str
    url: str
    digests: ReadDigests
    one_process: bool = True
    """Whether all requests meet the same process (and pool); with several workers they do not."""


class Client:
    """One kept connection to an instance."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=ANSWER_LIMIT_S
        )

    def send(self, ask: Ask) -> Answer:
        """The answer, or an Answer without status that says what went wrong."""
        headers = {"content-type": "application/json"} if ask.content is not None else {}
        try:
            self._http.request(ask.method, ask.path, body=ask.content, headers=headers)
            response = self._http.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            return Answer(None, (), repr(error).encode())
        told = ((name, response.headers.get(name)) for name in COMPARED_HEADERS)
        return Answer(
            response.status, tuple((name, value) for name, value in told if value is not None), body
        )

    def driver_calls(self) -> Counts | None:
        """The app's own counts of driver calls; None when it does not count."""
        calls = self.stats().get("driver_calls")
        return calls if isinstance(calls, dict) else None

    def stats(self) -> Mapping[str, Any]:
        """What the app tells about itself; empty when it does not."""
        answer = self.send(Ask("GET", "/stats"))
        told = json.loads(answer.body) if answer.status == 200 else None
        return told if isinstance(told, dict) else {}

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def observe(twin: Twin, operations: Sequence[Operation], asks: Sequence[Ask]) -> Observed:
    """Ask everything, one request after the other."""
    client = Client(twin.url)
    try:
        client.send(Ask("GET", "/ready"))  # opens this process's first connection, if need be
        meter = _Meter(twin, client)
        seen = tuple(meter.measured([operation.ask]) for operation in operations)
        generated, generated_work = meter.measured(asks)
        return Observed(
            name=twin.name,
            interface=client.send(Ask("GET", "/openapi.json")),
            operations=tuple((answer, work) for (answer,), work in seen),
            generated=generated,
            generated_work=generated_work,
            connection=_connection(twin, meter) if twin.one_process else None,
        )
    finally:
        client.close()


def _connection(twin: Twin, meter: _Meter) -> Work | None:
    """What opening one connection costs: a request while another holds the first connection, less
    the same two one after the other.

    The server's counts are kept without locks: two statements of a kind that end in the same
    instant may count once. So the second is asked when the first is known to hold its connection.
    """
    _, alone = meter.measured([HOLD, MEANWHILE])
    at_once = meter.work_of(lambda: _meanwhile(twin.url))
    opened = at_once.less(alone)
    if opened.driver is None or opened.driver.get("connect") != 1:
        return None  # the pool holds one connection only, or has two already
    return opened


def _meanwhile(url: str) -> None:
    """Ask for an item while another request holds a connection."""
    with closing(Client(url)) as holder, closing(Client(url)) as other, ThreadPoolExecutor(1) as at:
        held = at.submit(holder.send, HOLD)
        while not held.done() and not other.stats().get("checked_out"):
            pass
        other.send(MEANWHILE)
        held.result()


class _Meter:
    """Reads server's and driver's counts after whatever is done; each is the next one's before."""

    def __init__(self, twin: Twin, client: Client) -> None:
        self._twin, self._client = twin, client
        self._patience_s = COUNTED_WITHIN_S
        self._so_far = self._read()

    def measured(self, asks: Sequence[Ask]) -> tuple[tuple[Answer, ...], Work]:
        """The answers to some requests and what they cost together."""
        answers: list[Answer] = []
        work = self.work_of(lambda: answers.extend(self._client.send(ask) for ask in asks))
        return tuple(answers), work

    def work_of(self, done: Callable[[], object]) -> Work:
        """What doing something costs, once two readings agree that say no less than the driver."""
        before = self._so_far
        done()
        until_s = time.monotonic() + self._patience_s
        last, self._so_far = self._so_far, self._read()
        while not self._settled(before, last):
            if time.monotonic() > until_s:
                self._patience_s = 0.0  # it leaves some out, which is judged, not waited for again
                break
            last = self._so_far
            self._so_far = Work(statements=self._twin.digests(), driver=last.driver)
        return self._so_far.less(before)

    def _settled(self, before: Work, last: Work) -> bool:
        cost = self._so_far.less(before)
        if cost.sent is None:
            return True
        return cost.sent >= (cost.round_trips or 0) and self._so_far.statements == last.statements

    def _read(self) -> Work:
        return Work(statements=self._twin.digests(), driver=self._client.driver_calls())
