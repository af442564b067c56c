"""PURE: does a server have enough connections for a plan?"""

from __future__ import annotations

RESERVED_CONNECTIONS = 10
"""Left for our own connection and for a person who looks at the server meanwhile."""
DEFAULT_MAX_CONNECTIONS = 151
"""Of MySQL and MariaDB where nobody set it
(https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_connections)."""


def connections_to_allow(needed: int) -> int:
    """`max_connections` for a server of our own, given what all instances may hold together.

    Twice the reserve, since connections of its start may still be closing when we count.
    """
    return max(DEFAULT_MAX_CONNECTIONS, needed + 2 * RESERVED_CONNECTIONS)


def free_connections(max_connections: int, in_use: int) -> int:
    """Connections that arms may use together."""
    return max(0, max_connections - in_use - RESERVED_CONNECTIONS)


def connection_shortage(needed: int, max_connections: int, in_use: int) -> str | None:
    """The arithmetic as a sentence when the plan does not fit the server; None when it does.

    `needed` is instances × workers × (pool_size + max_overflow), over all arms.
    """
    free = free_connections(max_connections, in_use)
    if needed <= free:
        return None
    return (
        f"The arms may need {needed} database connections together, but the server leaves {free}: "
        f"max_connections {max_connections} - {in_use} in use - {RESERVED_CONNECTIONS} reserved."
    )
