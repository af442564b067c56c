"""PURE: a request of a scenario as the bytes that go to one server, a key filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from loadtests.errors import SpecError
from loadtests.scenarios.model import Request

KEY = "{key}"
USER_AGENT = "sync-async-bench"
OURS = frozenset({"content-length", "transfer-encoding", "expect"})
"""Headers that say where a message ends; only this module may write them."""
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_SAFE_IN_TARGETS = "/?&=%:;,@!$'()*+[]~{}-._"


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of request to one server, ready to be filled with keys."""

    name: str
    method: str
    head: tuple[bytes, ...]
    """Request line and headers, cut wherever the key goes; ends with `content-length: ` if the
    length depends on the key, else with the empty line and the body."""
    body: tuple[bytes, ...] = ()
    expect_status: frozenset[int] = frozenset()

    @property
    def has_no_answer_body(self) -> bool:
        """Whether the answer ends with its headers, whatever length they announce."""
        return self.method == "HEAD"

    def filled(self, key: int) -> bytes:
        """The bytes on the wire."""
        digits = b"%d" % key
        if not self.body:
            return digits.join(self.head)
        body = digits.join(self.body)
        return b"%b%d\r\n\r\n%b" % (digits.join(self.head), len(body), body)

    def is_good(self, status: int) -> bool:
        """Whether an answer with this status counts as good."""
        return status in self.expect_status if self.expect_status else 200 <= status < 300


def messages_for(
    requests: Sequence[Request], url: str, headers: Sequence[tuple[str, str]] = ()
) -> list[Message]:
    """Every request of a scenario as sent to `url`, whose path stands before each request's path.

    `headers` are the server's own; a request's headers win over them. Raises SpecError for a header
    that cannot be sent.
    """
    return [_message(request, url, headers) for request in requests]


def _message(request: Request, url: str, headers: Sequence[tuple[str, str]]) -> Message:
    site = urlsplit(url)
    path = quote(site.path.rstrip("/") + request.path, safe=_SAFE_IN_TARGETS)
    body = _body(request)
    fields = {"host": site.netloc.rpartition("@")[2], "user-agent": USER_AGENT, "accept": "*/*"}
    if body is not None:
        fields["content-type"] = "application/json"
    fields |= _lowered(headers) | _lowered(list(request.headers.items()))
    head = f"{request.method} {path} HTTP/1.1\r\n{_header_lines(fields)}"
    return _assembled(request, head.encode("latin-1"), body)


def _assembled(request: Request, head: bytes, body: bytes | None) -> Message:
    common = (request.name, request.method)
    key, expect = KEY.encode(), frozenset(request.expect_status)
    if body is not None and key in body:
        head_parts = (head + b"content-length: ").split(key)
        return Message(*common, tuple(head_parts), tuple(body.split(key)), expect)
    if body is not None or request.method in METHODS_WITH_BODY:
        head += b"content-length: %d\r\n" % len(body or b"")
    return Message(*common, tuple((head + b"\r\n" + (body or b"")).split(key)), (), expect)


def _body(request: Request) -> bytes | None:
    if request.json_body is None:
        return None
    return json.dumps(request.json_body, ensure_ascii=False, separators=(",", ":")).encode()


def _lowered(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _header_lines(fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        if not name.isascii() or any(letter in "\r\n\0: " for letter in name) or name in OURS:
            raise SpecError(f"The header name {name!r} cannot be set in a spec.")
        if not _is_latin_1(value) or any(letter in "\r\n\0" for letter in value):
            raise SpecError(f"The value of the header {name!r} cannot be sent over HTTP.")
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())


def _is_latin_1(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)
