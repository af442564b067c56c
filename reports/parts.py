"""What a report is made of, whichever form it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.sameness.record import Proof
from reports.charts import ChartSet
from reports.model import Summary


@dataclass(frozen=True)
class Parts:
    """A run's answer, its charts and how it was made."""

    summary: Summary
    manifest: Mapping[str, Any]
    charts: ChartSet
    arms: tuple[str, ...]
    """The baseline first."""
    equivalence_pct: float
    proofs: tuple[Proof, ...] = ()
    """What the run saw when it looked whether its twins are the same."""

    def is_alone(self, scenario: str) -> bool:
        """Whether a scenario has one arm only, so that there is nothing to compare."""
        spec = self.manifest.get("spec") or {}
        named = [each.get("arms") for each in spec.get("scenario", ()) if each["name"] == scenario]
        return len((named and named[0]) or self.arms) == 1
