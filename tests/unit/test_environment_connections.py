"""The connection arithmetic."""

from loadtests.environment.connections import (
    RESERVED_CONNECTIONS,
    connection_shortage,
    connections_to_allow,
    free_connections,
)


def test_a_plan_that_just_fits_is_no_shortage() -> None:
    assert connection_shortage(139, max_connections=151, in_use=2) is None
    assert connection_shortage(140, max_connections=151, in_use=2) is not None


def test_the_message_shows_the_arithmetic() -> None:
    said = connection_shortage(480, max_connections=151, in_use=3)
    assert said is not None
    for number in (480, 151, 3, RESERVED_CONNECTIONS, 138):
        assert str(number) in said


def test_a_full_server_has_none_free() -> None:
    assert free_connections(max_connections=10, in_use=30) == 0


def test_a_server_of_our_own_allows_what_is_needed() -> None:
    for needed in (0, 141, 142, 5000):
        allowed = connections_to_allow(needed)
        assert allowed >= 151
        assert connection_shortage(needed, allowed, in_use=0) is None
