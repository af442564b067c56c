"""Sends every request that one twin was sent to the other one too, and compares the answers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import schemathesis

ANSWER_LIMIT_S = 60.0
WAIT_MS = 5
WAIT_MS_MAX = 60_000
MOMENT = re.compile(rb'_at":"2(?!026-01-01T00:00:00")[^"]*"')
"""A timestamp that is not a seeded one: it says when the request came, not what was done."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that the twins answered differently."""

    method: str
    url: str
    body: str
    here: str
    there: str


@dataclass
class Mirror:
    """Counts what one twin answers, and replays each of its requests on the other at once.

    The twins stay on equal data, since both get all requests in the same order.
    """

    other_url: str
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Requests by phase and status code."""
    differences: list[Difference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def requests(self) -> int:
        """Requests that each twin has answered."""
        return sum(self.answered.values())

    def after_call(
        self, _: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response
    ) -> None:
        """Schemathesis' hook: `response` is the first twin's."""
        phase = case.meta.phase.name.value if case.meta is not None else "other"
        self.answered[phase, response.status_code] += 1
        request = response.request
        there = self._session.send(
            self._elsewhere(request), timeout=ANSWER_LIMIT_S, allow_redirects=False
        )
        media_type = response.headers.get("content-type", [""])[0]
        here = (response.status_code, media_type, _lasting(response.content))
        other = (
            there.status_code, there.headers.get("content-type", ""), _lasting(there.content),
        )  # fmt: skip
        if here != other and not _tells_of_itself(request):
            told = Difference(str(request.method), str(request.url), repr(request.body)[:400],
                              repr(here)[:400], repr(other)[:400])  # fmt: skip
            self.differences.append(told)

    def _elsewhere(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        copy = request.copy()
        here, there = urlsplit(str(request.url)), urlsplit(self.other_url)
        copy.url = urlunsplit((there.scheme, there.netloc, here.path, here.query, here.fragment))
        copy.headers.pop("Host", None)
        return copy


def shorten_waits(_: schemathesis.HookContext, case: schemathesis.Case, __: Any) -> None:
    """Schemathesis' hook before a call: a wait that would be granted takes a few ms only.

    What is tried is which values are taken, not how long a minute is; values out of range stay.
    """
    if case.path in ("/slow", "/hold", "/release") and case.query and "ms" in case.query:
        given = case.query["ms"]
        many = isinstance(given, list)
        case.query["ms"] = [_shortened(ms) for ms in given] if many else _shortened(given)


def _shortened(ms: Any) -> Any:
    """`WAIT_MS` in place of a longer wait that would be granted, however it is written."""
    try:
        granted = WAIT_MS < float(str(ms)) <= WAIT_MS_MAX
    except ValueError:
        return ms
    return WAIT_MS if granted else ms


def _lasting(content: bytes) -> bytes:
    """A body without the present moment."""
    return MOMENT.sub(b'_at":"now"', content)


def _tells_of_itself(request: requests.PreparedRequest) -> bool:
    """`/stats` is about one process: pid, app and counts differ by nature."""
    return request.method == "GET" and urlsplit(str(request.url)).path == "/stats"
