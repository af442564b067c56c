"""One scenario of a run with everything that its charts are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.charts.caveats import Caveats
from reports.charts.style import Mark
from reports.measures import LoadData
from reports.model import LoadFacts, ScenarioSummary
from reports.run_folder import StoredRun


@dataclass(frozen=True)
class Scene:
    """A scenario's trials and samples beside its summary; read on demand, and kept while its
    charts are drawn."""

    stored: StoredRun
    summary: ScenarioSummary
    number: int
    """From 1, in the order of the run; part of the names of files."""
    marks: Mapping[str, Mark]
    caveats: Caveats
    _read: dict[str, LoadData] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.summary.name

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the scenario is for, its baseline first."""
        return self.stored.arms_of(self.name)

    @property
    def judged_request(self) -> str | None:
        """The request that the scenario is about; None means all."""
        return self.stored.scenario(self.name).judged_request

    @property
    def expects_errors(self) -> bool:
        """Whether response times would be those of the requests that survived."""
        return self.stored.scenario(self.name).expect_errors

    @property
    def judged_load(self) -> LoadFacts | None:
        """The load that response times are judged at: the first open one, else the first."""
        loads = self.summary.loads
        return next((load for load in loads if load.model == "open"), loads[0] if loads else None)

    @property
    def open_loads(self) -> list[LoadFacts]:
        """From light to heavy."""
        known = [load for load in self.summary.loads if load.model == "open" and load.rate_per_s]
        return sorted(known, key=lambda load: load.rate_per_s or 0.0)

    def at(self, load: LoadFacts) -> LoadData:
        """Finished trials and samples at one load."""
        if load.load not in self._read:
            self._read[load.load] = self.stored.measured(self.name, load)
        return self._read[load.load]

    def failed(self, load: LoadFacts, arm: str, metric: str) -> bool:
        """Whether a check makes an arm's numbers of a metric at a load invalid."""
        return bool(self.caveats.failures((self.name, load.load, arm), metric))
