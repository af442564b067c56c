"""PURE: what twins are asked, to see whether they are the same: every operation, and odd inputs.

Both are asked the same in the same order on the same seeded rows, so that ids come out equal too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import numpy as np

from loadtests.scenarios.catalogue import SEEDED_ITEMS

T = TypeVar("T")

INT_MAX = 2**31 - 1
BULK = 1000
"""The most that one insert statement takes: enough to show drivers that cut it in pieces."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `content` is a JSON body (or what passes for one)."""

    method: str
    path: str
    content: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API, asked once, with the status it must be answered with."""

    name: str
    ask: Ask
    status: int


def _ask(method: str, path: str, body: Any = None) -> Ask:
    return Ask(method, path, None if body is None else json.dumps(body).encode())


_NEW = {"name": "new-ä", "description": "made to compare", "price": 7}
OPERATIONS: tuple[Operation, ...] = (
    Operation("get", _ask("GET", "/items/7"), 200),
    Operation("get, no such item", _ask("GET", f"/items/{INT_MAX}"), 404),
    Operation("get_all, by page", _ask("GET", "/items?page=3&page_size=20"), 200),
    Operation("get_all, after a key", _ask("GET", "/items?after=9990&limit=20"), 200),
    Operation("create", _ask("POST", "/objects/items", _NEW), 201),
    Operation("create2, one", _ask("POST", "/statements/items", _NEW), 201),
    Operation(f"create2, {BULK}", _ask("POST", "/statements/items", [_NEW] * BULK), 201),
    Operation("update", _ask("PATCH", "/objects/items/8", {"price": 12}), 200),
    Operation("update, no such item", _ask("PATCH", "/objects/items/99999", {"price": 1}), 404),
    Operation("update2", _ask("PATCH", "/statements/items?name=item-9", {"price": 12}), 200),
    Operation("update2, no such row", _ask("PATCH", "/statements/items?name=x", {"price": 1}), 200),
    Operation("update2, no condition", _ask("PATCH", "/statements/items", {"price": 1}), 422),
    Operation("delete", _ask("DELETE", "/objects/items/10"), 200),
    Operation("delete, no such item", _ask("DELETE", "/objects/items/10"), 404),
    Operation("delete2", _ask("DELETE", "/statements/items?name=item-11"), 200),
    Operation("delete2, no condition", _ask("DELETE", "/statements/items"), 422),
    Operation("three reads", _ask("GET", "/queries?n=3&first=5"), 200),
    Operation("a slow statement", _ask("GET", "/slow?ms=1"), 200),
    Operation("a connection held", _ask("GET", "/hold?ms=1"), 200),
    Operation("a connection given back", _ask("GET", "/release?ms=1"), 200),
    Operation("readiness", _ask("GET", "/ready"), 200),
    Operation("liveness", _ask("GET", "/health"), 200),
)  # fmt: skip
"""Every operation that both twins offer, but for /stats, which tells of one process."""

NAMES = (
    "n",
    "item-7",
    "item-8",
    "ünï-🙂",
    "",
    "x" * 100,
    "x" * 101,
    "a\0b",
    "%'\"\\",
    " ",
    None,
    7,
)
PRICES = (0, 1, 107, -(2**31), INT_MAX, 2**31, 1.5, "1", True, None)
DESCRIPTIONS = (None, "", "d" * 500, "d" * 501, "zwei\nZeilen", "🙂" * 20)
KEYS = (1, 7, 42, 9_999, SEEDED_ITEMS, SEEDED_ITEMS + 1, INT_MAX, 0, -1, 2**31, 10**20, "x", "%00")
SIZES = (1, 2, 20, 1000, 0, 1001, "x")
PAGES = (1, 2, 500, 10_001, INT_MAX, 0, -3, 2**31, "x")
BROKEN = (b"{", b"[]", b"null", b'{"name":"\\ud800","price":1}', b'{"name":"\xff"}', b"[" * 5000)
ELSEWHERE = ("/nowhere", "/items/1/2", "/objects/items", "/")


def generated(seed: int, count: int) -> tuple[Ask, ...]:
    """`count` requests, good and bad, the same for the same seed."""
    draw = _Draw(np.random.default_rng(seed))
    return tuple(draw.one(KINDS)(draw) for _ in range(count))


class _Draw:
    """Chooses from lists; `often` names what makes sense, so that most requests do."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def one(self, values: tuple[T, ...]) -> T:
        return values[self._random.integers(len(values))]

    def often(self, values: tuple[T, ...], sensible: int, share: float = 0.8) -> T:
        """Mostly one of the first `sensible` values."""
        return self.one(values[:sensible] if self.chance(share) else values)

    def chance(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def item(self) -> dict[str, Any]:
        item: dict[str, Any] = {"name": self.often(NAMES, 4), "price": self.often(PRICES, 5)}
        if self.chance(0.5):
            item["description"] = self.often(DESCRIPTIONS, 3)
        if self.chance(0.05):
            item["id"] = 5
        if self.chance(0.05):
            del item["price"]
        return item

    def changes(self) -> dict[str, Any]:
        return {key: value for key, value in self.item().items() if self.chance(0.7)}

    def conditions(self) -> str:
        choices = {
            "name": self.often(NAMES, 4),
            "price": self.often(PRICES, 5),
            "id": self.often(KEYS, 5),
            "nmae": "n",
        }
        kept = {
            name: v for name, v in choices.items() if self.chance(0.1 if name == "nmae" else 0.5)
        }
        return f"?{urlencode(kept)}" if kept else ""

    def key(self) -> str:
        return quote(str(self.often(KEYS, 5)), safe="%")


def _read(draw: _Draw) -> Ask:
    return _ask("GET", f"/items/{draw.key()}")


def _page(draw: _Draw) -> Ask:
    return _ask("GET", f"/items?page={draw.often(PAGES, 4)}&page_size={draw.often(SIZES, 4)}")


def _keyset(draw: _Draw) -> Ask:
    return _ask("GET", f"/items?after={draw.key()}&limit={draw.often(SIZES, 4)}")


def _create(draw: _Draw) -> Ask:
    return _ask("POST", "/objects/items", draw.item())


def _insert(draw: _Draw) -> Ask:
    several = [draw.item() for _ in range(draw.one((0, 1, 2, 5)))]
    return _ask("POST", "/statements/items", several if draw.chance(0.7) else draw.item())


def _update(draw: _Draw) -> Ask:
    return _ask("PATCH", f"/objects/items/{draw.key()}", draw.changes())


def _update_where(draw: _Draw) -> Ask:
    return _ask("PATCH", f"/statements/items{draw.conditions()}", draw.changes())


def _delete(draw: _Draw) -> Ask:
    return _ask("DELETE", f"/objects/items/{draw.key()}")


def _delete_where(draw: _Draw) -> Ask:
    return _ask("DELETE", f"/statements/items{draw.conditions()}")


def _broken(draw: _Draw) -> Ask:
    return Ask("POST", draw.one(("/objects/items", "/statements/items")), draw.one(BROKEN))


def _elsewhere(draw: _Draw) -> Ask:
    return Ask(draw.one(("GET", "PUT", "DELETE")), draw.one(ELSEWHERE))


KINDS: tuple[Callable[[_Draw], Ask], ...] = (
    _read, _page, _keyset, _create, _insert, _update, _update_where, _delete, _delete_where,
    _broken, _elsewhere,
)  # fmt: skip
