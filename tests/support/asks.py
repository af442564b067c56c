"""Hypothesis strategies for requests to the twins: sensible ones, wild ones, and in between."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from loadtests.sameness.requests import Ask

NUMBERS = st.one_of(
    st.integers(1, 10_100),
    st.integers(-3, 3),
    st.sampled_from([999, 1000, 1001, 2**31 - 1, 2**31, -(2**31), 10**30]),
    st.integers(),
)
TEXTS = st.one_of(
    st.integers(1, 10_000).map("item-{}".format),
    st.text(max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=120),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS)
GOOD_ITEMS = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=100), "price": st.integers(-(2**31), 2**31 - 1)},
    optional={"description": st.none() | st.text(max_size=500)},
)
ODD_ITEMS = st.dictionaries(
    st.sampled_from(["name", "price", "description", "id", "x"]), SCALARS, max_size=4
)
ITEMS = GOOD_ITEMS | ODD_ITEMS
BODIES = st.one_of(
    ITEMS, st.lists(ITEMS, max_size=4), SCALARS, st.lists(GOOD_ITEMS, min_size=1, max_size=4)
)
QUERIES = st.dictionaries(
    st.sampled_from(["name", "price", "id", "page", "page_size", "after", "limit", "x"]),
    NUMBERS | TEXTS,
    max_size=3,
).map(lambda query: f"?{urlencode(query)}" if query else "")


def _coded(body: Any) -> bytes:
    """JSON, with NaN and infinity as Python writes them: no parser has to take those."""
    return json.dumps(body).encode()


CONTENTS = st.one_of(BODIES.map(_coded), BODIES.map(_coded), st.binary(max_size=20))
ITEM_IDS = (NUMBERS | TEXTS).map(lambda key: quote(str(key), safe=""))
ASKS: st.SearchStrategy[Ask] = st.one_of(
    st.builds(Ask, st.just("GET"), st.builds("/items/{}".format, ITEM_IDS)),
    st.builds(Ask, st.just("GET"), st.builds("/items{}".format, QUERIES)),
    st.builds(
        Ask, st.just("POST"), st.sampled_from(["/objects/items", "/statements/items"]), CONTENTS
    ),
    st.builds(Ask, st.just("PATCH"), st.builds("/objects/items/{}".format, ITEM_IDS), CONTENTS),
    st.builds(Ask, st.just("PATCH"), st.builds("/statements/items{}".format, QUERIES), CONTENTS),
    st.builds(Ask, st.just("DELETE"), st.builds("/objects/items/{}".format, ITEM_IDS)),
    st.builds(Ask, st.just("DELETE"), st.builds("/statements/items{}".format, QUERIES)),
    st.builds(
        Ask,
        st.sampled_from(["GET", "PUT", "POST", "HEAD", "OPTIONS"]),
        st.builds("/{}".format, TEXTS.map(lambda text: quote(text, safe=""))),
    ),
)
"""No /slow or /hold, which would sleep for as long as they are asked to."""
