"""What must be said of what is drawn: failed gates, saturated arms, distance, durability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reports import words
from reports.gates import SPARED, saturation
from reports.measures import LoadData
from reports.model import CAPACITY, COST, LATENCY, LoadFacts, Summary
from reports.run_folder import StoredRun

Place = tuple[str, str, str]
"""Scenario, load, arm."""
HOLLOW = (
    " Hollow marks, and labels with ✕, are numbers of an arm that failed a check: they are shown "
    "but answer nothing."
)


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
    undecided: frozenset[tuple[str, str, str]] = frozenset()
    """Scenario, load and metric (CAPACITY, LATENCY, COST) of which no comparison is decided: of
    primary ones, but of cost, which is never primary."""

    def failures(self, place: Place, metric: str) -> tuple[str, ...]:
        """Gates that make an arm's numbers of a metric at a load invalid; some spare cost or
        capacity."""
        names = self.failed.get(place, ())
        return tuple(name for name in names if SPARED.get(name) != metric)

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

    def apart(self, scenario: str, load: LoadFacts, metric: str) -> str:
        """What a finding must add that names both arms' numbers of a metric without a verdict."""
        undecided = (scenario, load.load, metric) in self.undecided
        return "; these cannot be told apart" if undecided else ""

    def caption(self, text: str, places: Sequence[Place], metric: str) -> str:
        """A caption that explains hollow marks where there are any."""
        hollow = any(self.failures(place, metric) for place in places)
        return text + HOLLOW if hollow else text

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


def caveats_of(stored: StoredRun, summary: Summary, durability: str) -> Caveats:
    """Everything to be said of a run's charts."""
    rtt_ms = stored.spec.run.database_rtt_ms
    return Caveats(
        failed=_failed(summary, stored.arms),
        saturated=_saturated(stored, summary),
        durability={name: durability for name in stored.scenarios if stored.scenario(name).writes},
        distance=words.distance(rtt_ms) if rtt_ms else "",
        undecided=frozenset(_undecided(summary)),
    )


def _undecided(summary: Summary) -> Iterator[tuple[str, str, str]]:
    for scenario in summary.scenarios:
        verdicts: dict[tuple[str, str, str], set[str]] = {}
        for each in scenario.comparisons:
            if each.primary or each.metric == COST:
                metric = each.metric if each.metric in (CAPACITY, COST) else LATENCY
                verdicts.setdefault((scenario.name, each.load, metric), set()).add(each.verdict)
        yield from (place for place, told in verdicts.items() if told == {"inconclusive"})


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
        for data in [measured(stored, scenario.name, load)]
        for arm in stored.arms
        if saturation(data, arm)
    )


def measured(stored: StoredRun, scenario: str, load: LoadFacts) -> LoadData:
    """Finished trials and samples of one scenario at one load."""
    return stored.measured(scenario, load)
