"""What goes over the wire for each request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.errors import SpecError
from loadtests.generator.messages import Message, messages_for
from loadtests.scenarios.model import Keys, Request

URL = "http://127.0.0.1:8000"
KEYS = Keys(first=1, last=10**9)


def only(request: Request, url: str = URL, headers: tuple[tuple[str, str], ...] = ()) -> Message:
    return messages_for([request], url, headers)[0]


def parsed(data: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@given(key=st.integers(0, 10**9))
def test_the_key_stands_in_path_and_body_and_the_length_fits(key):
    body = {"name": "n-{key}", "list": ["{key}", 5], "text": "Grüße {not a key}"}
    request = Request(name="w", method="POST", path="/x/{key}?k={key}", keys=KEYS, json=body)
    first, headers, sent = parsed(only(request).filled(key))
    assert first == f"POST /x/{key}?k={key} HTTP/1.1"
    assert int(headers["content-length"]) == len(sent)
    assert json.loads(sent) == {
        "name": f"n-{key}",
        "list": [str(key), 5],
        "text": "Grüße {not a key}",
    }


def test_a_read_has_no_body_and_no_length() -> None:
    first, headers, body = parsed(only(Request(name="r", path="/items")).filled(-1))
    assert (first, body) == ("GET /items HTTP/1.1", b"")
    assert headers["host"] == "127.0.0.1:8000"
    assert "content-length" not in headers


def test_a_write_without_body_says_so() -> None:
    _, headers, body = parsed(only(Request(name="w", method="POST", path="/x")).filled(-1))
    assert (headers["content-length"], body) == ("0", b"")


def test_a_body_without_key_is_sent_as_it_is() -> None:
    request = Request(name="w", method="PATCH", path="/x/{key}", keys=KEYS, json={"price": 3})
    first, headers, body = parsed(only(request).filled(7))
    assert (first, body) == ("PATCH /x/7 HTTP/1.1", b'{"price":3}')
    assert headers["content-length"] == "11"
    assert headers["content-type"] == "application/json"


def test_headers_of_the_request_win_over_those_of_the_server_and_ours() -> None:
    request = Request(name="r", path="/x", headers={"Accept": "text/plain", "X-A": "request"})
    _, headers, _ = parsed(only(request, headers=(("x-a", "server"), ("x-b", "b"))).filled(-1))
    assert (headers["accept"], headers["x-a"], headers["x-b"]) == ("text/plain", "request", "b")


def test_the_path_of_the_server_stands_first_and_is_encoded() -> None:
    first, *_ = parsed(only(Request(name="r", path="/ü?q=a+b%20c"), f"{URL}/base/").filled(-1))
    assert first == "GET /base/%C3%BC?q=a+b%20c HTTP/1.1"


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nY: b"}, {"X Y": "a"}, {"Content-Length": "5"}, {"X": "\u20ac"}],
)
def test_headers_that_would_break_the_request_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SpecError):
        only(Request(name="r", path="/x", headers=headers))


def test_what_counts_as_good() -> None:
    default = only(Request(name="r", path="/x"))
    created = only(Request(name="w", path="/x", expect_status=(201, 404)))
    assert [status for status in (200, 204, 302, 404) if default.is_good(status)] == [200, 204]
    assert [status for status in (200, 201, 404) if created.is_good(status)] == [201, 404]
