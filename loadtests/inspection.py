"""The shape of a look at everything between rounds: the journal's `inspection` event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

AS_SEEDED = ""
"""What is said of a table that does not differ from its seed."""
RESOURCES = {
    "cores": "its processes on",
    "nice": "nice",
    "policy": "scheduling policy",
    "memory_limit_mb": "a memory limit in MB of",
    "cpu_quota_cores": "a quota in cores of",
    "open_files": "a limit of open files of",
    "most_open_files": "a hard limit of open files of",
}
"""Fields of InstanceFacts that must be alike, and how they are told."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class InstanceFacts(_Shape):
    """What the system says of one instance's processes, and what the instance says of itself.

    None: not known, or (limits) there is none.
    """

    arm: str
    instance: int
    cores: tuple[int, ...] | None = None
    """Cores that any of its threads may run on."""
    nice: int | None = None
    policy: str | None = None
    memory_limit_mb: float | None = None
    cpu_quota_cores: float | None = None
    open_files: int | None = None
    most_open_files: int | None = None
    """The hard limit, up to which a process may raise its own."""
    workers: int | None = None
    """Processes that serve, where that can be told."""
    settings: Mapping[str, Any] | None = None
    runtime: Mapping[str, Any] | None = None

    @property
    def known(self) -> bool:
        """Whether the system told anything of its processes."""
        return self.nice is not None

    def words(self) -> str:
        """Its resources in words."""
        cores = ", ".join(str(core) for core in self.cores or ())
        memory = "none" if self.memory_limit_mb is None else f"{self.memory_limit_mb:.0f} MB"
        return f"cores {cores or 'any'}, nice {self.nice} ({self.policy}), memory limit {memory}"


class Inspection(_Shape):
    """One look, before the first round of a session (`round` −1) or after a round."""

    round: int
    instances: tuple[InstanceFacts, ...] = ()
    tables: Mapping[str, str] = {}
    """How each arm's table differs from its seed; AS_SEEDED where it does not."""
    database: Mapping[str, str] = {}
    """The server's own settings."""

    @property
    def begins_session(self) -> bool:
        """Whether it is the first of a session: a run that is resumed has several."""
        return self.round < 0
