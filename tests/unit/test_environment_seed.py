"""Names of schemas, and the agreed table."""

import pytest

from loadtests.environment.seed import LONGEST_NAME, creating, quoted, schema_name


def test_a_plain_name_stays_readable() -> None:
    assert schema_name("20261124_0315", "sync") == "bench_20261124_0315_sync"


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.b", "a-b"), ("Sync", "sync"), ("a" * 39 + "x", "a" * 39 + "y"), ("a_b", "a.b")],
)
def test_two_arms_never_share_a_schema(one: str, other: str) -> None:
    run = "20261124-031500-quick-abcdef"
    names = {schema_name(run, one), schema_name(run, other)}
    assert len(names) == 2
    assert all(len(name) <= LONGEST_NAME for name in names)


def test_names_are_harmless_in_sql() -> None:
    assert quoted("a`b") == "`a``b`"
    assert all("`x`." in statement for statement in creating("x"))
