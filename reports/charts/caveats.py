"""What must be said of what is drawn: failed gates, saturated arms, distance, durability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports import words
from reports.gates import SPARED, saturation
from reports.model import CAPACITY, COST, LATENCY, Comparison, LoadFacts, Summary
from reports.run_folder import StoredRun

Place = tuple[str, str, str]
"""Scenario, load, arm."""
Asked = tuple[str, str, str, str | None]
"""Scenario, load, metric, request: what a comparison is about."""
KNEE = "knee"
"""What a check can spare beside the metrics of comparisons."""
COUNTED_BY_KNEES = frozenset({"errors", "error-parity"})
"""Checks that leave a knee alone: in its counts every error is late, and errors have a limit."""


@dataclass(frozen=True)
class Caveats:
    """What makes a finding untenable or needs to stand beside it."""

    failed: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    """Names of the gates that failed, where any did."""
    saturated: frozenset[Place] = frozenset()
    durability: Mapping[str, str] = field(default_factory=dict)
    """Server and durability, for each scenario with writes."""
    distance: str = ""
    """How far the database is, where a distance was asked for."""
    compared: Mapping[Asked, tuple[Comparison, ...]] = field(default_factory=dict)
    """Of each question, the comparisons of all candidates."""

    def failures(self, place: Place, metric: str) -> tuple[str, ...]:
        """Gates that make an arm's numbers of a metric (or its KNEE) at a load invalid; some spare
        cost or capacity, some the knee."""
        spared = COUNTED_BY_KNEES if metric == KNEE else ()
        names = self.failed.get(place, ())
        return tuple(name for name in names if SPARED.get(name) != metric and name not in spared)

    def title(
        self,
        finding: str,
        scenario: str,
        loads: Sequence[LoadFacts],
        arms: Sequence[str],
        metric: str,
    ) -> str:
        """The finding, or in its place that there is none, because gates failed."""
        told, where = [], []
        for load in loads:
            failures = {arm: self.failures((scenario, load.load, arm), metric) for arm in arms}
            if any(failures.values()):
                where.append(words.load_phrase(load))
                told += [f"{gate} ({arm})" for arm, names in failures.items() for gate in names]
        if not told:
            return finding
        what = ", ".join(dict.fromkeys(words.tidy(each) for each in told))
        return f"{words.tidy(scenario, 40)}: invalid {words.listed(where)}, by {what}"

    def apart(self, asked: Asked, arms: Sequence[str]) -> str:
        """What a finding that names the numbers of several arms must add, so that it states no
        difference which the verdicts do not."""
        if len(arms) < 2:
            return ""
        compared = self.compared.get(asked)
        if not compared:
            return "; there is no verdict on this"
        baseline, every = compared[0].baseline, len(compared)
        told: dict[str, list[str]] = {}
        for each in compared:
            told.setdefault(each.verdict, []).append(each.candidate)
        equal = told.get("equivalent", ())
        if len(equal) == every:
            return "; no difference that matters"
        some = f"; {_names(equal)}: no difference from {words.tidy(baseline, 24)} that matters"
        return cannot_tell(baseline, told.get("inconclusive", ()), every) + (some if equal else "")

    def note(self, scenario: str, loads: Sequence[LoadFacts], arms: Sequence[str]) -> str:
        """What stands below a drawing: saturated arms, the distance to the database, and
        durability where there are writes."""
        parts = [
            f"{words.tidy(arm, 24)} is saturated {words.load_phrase(load)}: its response time "
            "grows with the length of a trial"
            for load in loads
            for arm in arms
            if (scenario, load.load, arm) in self.saturated
        ]
        always = [self.distance, self.durability.get(scenario)]
        return ". ".join([*parts, *filter(None, always)])

    def shared_note(self, scenarios: Sequence[str]) -> str:
        """What stands below a drawing of several scenarios: distance and durability."""
        return ". ".join(filter(None, [self.distance, self._durability_of(scenarios)]))

    def _durability_of(self, scenarios: Sequence[str]) -> str:
        """The durability of several scenarios, naming those with writes."""
        writing = [name for name in dict.fromkeys(scenarios) if self.durability.get(name)]
        if not writing:
            return ""
        line = self.durability[writing[0]]
        if len(writing) == len(set(scenarios)):
            return line
        return f"Writes in {words.listed(words.tidy(name, 24) for name in writing)}: {line}"


NOTHING_TO_SAY = Caveats()


def cannot_tell(baseline: str, undecided: Sequence[str], candidates: int) -> str:
    """What a finding adds where so many candidates are compared and some are undecided."""
    if not undecided:
        return ""
    if len(undecided) == candidates:
        return "; these cannot be told apart"
    return f"; {_names(undecided)} cannot be told apart from {words.tidy(baseline, 24)}"


def kind_of(metric: str) -> str:
    """What checks are asked about: CAPACITY, COST, or LATENCY for any percentile."""
    return metric if metric in (CAPACITY, COST) else LATENCY


def _names(arms: Sequence[str]) -> str:
    return words.listed(words.tidy(arm, 24) for arm in arms)


def caveats_of(stored: StoredRun, summary: Summary, durability: str) -> Caveats:
    """Everything to be said of a run's charts."""
    rtt_ms = stored.spec.run.database_rtt_ms
    return Caveats(
        failed=_failed(summary, stored.arms),
        saturated=_saturated(stored, summary),
        durability={name: durability for name in stored.scenarios if stored.scenario(name).writes},
        distance=words.distance(rtt_ms) if rtt_ms else "",
        compared=_compared(summary),
    )


def _compared(summary: Summary) -> dict[Asked, tuple[Comparison, ...]]:
    compared: dict[Asked, tuple[Comparison, ...]] = {}
    for scenario in summary.scenarios:
        for each in scenario.comparisons:
            asked = (scenario.name, each.load, each.metric, each.request)
            compared[asked] = (*compared.get(asked, ()), each)
    return compared


def _failed(summary: Summary, arms: Sequence[str]) -> dict[Place, tuple[str, ...]]:
    """A gate of no load concerns all loads, one of no arm all arms."""
    failed: dict[Place, tuple[str, ...]] = {}
    for scenario in summary.scenarios:
        for gate in (gate for gate in scenario.gates if gate.ok is False):
            for load in [gate.load] if gate.load else [each.load for each in scenario.loads]:
                for arm in [gate.arm] if gate.arm else arms:
                    place = (scenario.name, load, arm)
                    failed[place] = (*failed.get(place, ()), gate.name)
    return failed


def _saturated(stored: StoredRun, summary: Summary) -> frozenset[Place]:
    return frozenset(
        (scenario.name, load.load, arm)
        for scenario in summary.scenarios
        for load in scenario.loads
        if load.model == "open"
        for data in [stored.measured(scenario.name, load)]
        for arm in stored.arms
        if saturation(data, arm)
    )
