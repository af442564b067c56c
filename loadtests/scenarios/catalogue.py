"""The built-in scenarios, against the twins' API (seeded items have the keys 1 to 10,000)."""

from __future__ import annotations

from typing import Any

from loadtests.scenarios.model import Keys, Method, Request, Scenario

SEEDED_ITEMS = 10_000
_ALL = Keys(first=1, last=SEEDED_ITEMS)
_KEPT = Keys(first=1, last=8_000)
_DELETED_BY_OBJECT = Keys(first=8_001, last=9_000, unique=True)
_DELETED_BY_STATEMENT = Keys(first=9_001, last=SEEDED_ITEMS, unique=True)
_PAGES_OF_20 = Keys(first=1, last=400)
MOST_QUERIES = 10


def _request(
    name: str,
    method: Method,
    path: str,
    weight: float = 1.0,
    *,
    keys: Keys | None = None,
    json: Any = None,
) -> Request:
    return Request(name=name, method=method, path=path, weight=weight, keys=keys, json_body=json)


READ_ONE = Scenario(
    name="read-one",
    request=(_request("read", "GET", "/items/{key}", keys=_ALL),),
)

READ_PAGE = Scenario(
    name="read-page",
    request=(
        _request("page", "GET", "/items?page={key}&page_size=100", keys=Keys(first=1, last=100)),
    ),
)

READ_LARGE_PAGE = Scenario(
    name="read-large-page",
    request=(
        _request("page", "GET", "/items?page={key}&page_size=1000", keys=Keys(first=1, last=10)),
    ),
)

_NEW_ITEM = {"name": "new-{key}", "description": "made by crud-mix", "price": 100}
CRUD_MIX = Scenario(
    name="crud-mix",
    about="read",
    request=(
        _request("read", "GET", "/items/{key}", 45, keys=_KEPT),
        _request("page", "GET", "/items?page={key}&page_size=20", 15, keys=_PAGES_OF_20),
        _request("create", "POST", "/objects/items", 10, keys=_ALL, json=_NEW_ITEM),
        _request("create2", "POST", "/statements/items", 10, keys=_ALL, json=_NEW_ITEM),
        _request("update", "PATCH", "/objects/items/{key}", 8, keys=_KEPT, json={"price": 200}),
        _request(
            "update2",
            "PATCH",
            "/statements/items?name=item-{key}",
            7,
            keys=_KEPT,
            json={"price": 300},
        ),
        _request("delete", "DELETE", "/objects/items/{key}", 3, keys=_DELETED_BY_OBJECT),
        _request(
            "delete2", "DELETE", "/statements/items?name=item-{key}", 2, keys=_DELETED_BY_STATEMENT
        ),
    ),
)

FAST_BESIDE_SLOW = Scenario(
    name="fast-beside-slow",
    about="fast",
    request=(
        _request("fast", "GET", "/items/{key}", 9, keys=_ALL),
        _request("slow", "GET", "/slow?ms=50", 1),
    ),
)

_BULK = [
    {"name": f"new-{{key}}-{number}", "description": "made by create-bulk", "price": number}
    for number in range(1, 101)
]
CREATE_BULK = Scenario(
    name="create-bulk",
    request=(_request("create2", "POST", "/statements/items", keys=_ALL, json=_BULK),),
)

# By statement: an update of a loaded object reads first, and servers with snapshot isolation
# (MariaDB 11.6 on) then refuse to change a row that somebody else has changed since.
UPDATE_HOT_ROW = Scenario(
    name="update-hot-row",
    request=(_request("update2", "PATCH", "/statements/items?id=1", json={"price": 200}),),
)

SLOW_QUERY = Scenario(name="slow-query", request=(_request("slow", "GET", "/slow?ms=50"),))

HOLD_CONNECTION = Scenario(
    name="hold-connection", request=(_request("hold", "GET", "/hold?ms=50"),)
)


def _queries_per_request(count: int) -> Scenario:
    path = f"/queries?n={count}&first={{key}}"
    keys = Keys(first=1, last=SEEDED_ITEMS - MOST_QUERIES + 1)
    return Scenario(
        name=f"queries-per-request-{count}",
        request=(_request("queries", "GET", path, keys=keys),),
    )


QUERIES_PER_REQUEST_1 = _queries_per_request(1)
QUERIES_PER_REQUEST_3 = _queries_per_request(3)
QUERIES_PER_REQUEST_10 = _queries_per_request(MOST_QUERIES)

BUILT_IN: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        READ_ONE,
        READ_PAGE,
        READ_LARGE_PAGE,
        CRUD_MIX,
        CREATE_BULK,
        UPDATE_HOT_ROW,
        FAST_BESIDE_SLOW,
        SLOW_QUERY,
        HOLD_CONNECTION,
        QUERIES_PER_REQUEST_1,
        QUERIES_PER_REQUEST_3,
        QUERIES_PER_REQUEST_10,
    )
}
