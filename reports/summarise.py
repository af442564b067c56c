"""A stored run's answer: the same samples give the same numbers, with no database and no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.comparisons import Rules, compare, questions, verdict_of
from reports.estimates import Question
from reports.gates import (
    Conditions,
    database_gate,
    distance_gate,
    load_gates,
    pair_gates,
    resources_gate,
    settings_gate,
    shared_gates,
    tables_gate,
)
from reports.gates.noise import alpha_of_each
from reports.headline import headline
from reports.measures import LoadData, tidy
from reports.model import (
    CAPACITY,
    PRIMARY_LATENCY,
    Comparison,
    GateResult,
    LoadFacts,
    ScenarioSummary,
    Summary,
)
from reports.resolution import planned_primaries
from reports.results import results
from reports.run_folder import FINISHED, StoredRun
from reports.same_work import same_work_gate
from reports.second_opinion import judge_opinion, with_warnings
from reports.statistics import adjusted_alpha
from reports.verdicts import Verdict

SCHEMA = 1
EVERY_STATE = (*FINISHED, "invalid", "abandoned", "unstored", "disturbed")


@dataclass(frozen=True, slots=True)
class Interim:
    """A primary comparison as it stands while a run is going on."""

    scenario: str
    candidate: str
    metric: str
    request: str | None
    change_pct: float | None
    half_width_pct: float | None


def summarise(run: StoredRun) -> Summary:
    """The whole answer. Raises StorageError when a sample file is damaged."""
    opinion = None if run.opinion is None else judge_opinion(run.opinion)
    scenarios = with_warnings(tuple(_scenario(run, name) for name in run.scenarios), opinion)
    everything = [comparison for each in scenarios for comparison in each.comparisons]
    return Summary(
        schema=SCHEMA,
        run=run.run,
        status=run.status,
        valid=_valid(scenarios, everything),
        headline=headline(
            scenarios,
            run.arms,
            run.pairs,
            run.spec.run.equivalence_pct,
            run.status,
            run.spec.run.database_rtt_ms,
        ),
        scenarios=scenarios,
        notes=run.notes,
        second_opinion=opinion,
    )


def _valid(scenarios: Sequence[ScenarioSummary], comparisons: Sequence[Comparison]) -> bool:
    """No primary result is invalid; an arm alone is valid when no gate failed."""
    if comparisons:
        return all(each.verdict != "invalid" for each in comparisons if each.primary)
    return all(gate.ok is not False for each in scenarios for gate in each.gates)


def interim(run: StoredRun) -> list[Interim]:
    """The primary comparisons on what there is so far: estimate and interval, no more.

    Gates, reasons, spreads and outlook are left to the end: while a run goes on nothing is decided
    by them, and this is asked after every round, between trials.
    """
    rules = _rules(run)
    return [
        _as_it_stands(
            name, candidate, question, verdict_of(data, baseline, candidate, question, rules)
        )
        for name in run.scenarios
        for data, question in _primary_data(run, name)
        for baseline, candidate in _pairs_of(run, name)
    ]


def _primary_data(run: StoredRun, name: str) -> Iterator[tuple[LoadData, Question]]:
    for facts, question in primary_questions(run, name):
        yield run.measured(name, facts), question


def _as_it_stands(name: str, candidate: str, question: Question, found: Verdict) -> Interim:
    interval = found.ci_pct
    return Interim(
        scenario=name,
        candidate=candidate,
        metric=question.metric,
        request=question.request,
        change_pct=tidy(found.change_pct),
        half_width_pct=None if interval is None else tidy((interval[1] - interval[0]) / 2.0),
    )


def _pairs_of(run: StoredRun, name: str) -> list[tuple[str, str]]:
    """A scenario's baseline with each of its candidates."""
    baseline, *candidates = run.arms_of(name)
    return [(baseline, candidate) for candidate in candidates]


def primary_questions(run: StoredRun, name: str) -> Iterator[tuple[LoadFacts, Question]]:
    """The primaries, fixed before the run: capacity at the first closed load, and p95 of the
    request the scenario is about at the first open load."""
    loads = run.loads(name)
    for model, metric in (("closed", CAPACITY), ("open", PRIMARY_LATENCY)):
        first = next((facts for facts in loads if facts.model == model), None)
        if first is not None:
            judged = run.scenario(name).judged_request if model == "open" else None
            yield first, Question(metric, judged, primary=True)


def _rules(run: StoredRun) -> Rules:
    return Rules(
        primary_alpha=adjusted_alpha(planned_primaries(run.spec)),
        equivalence_pct=run.spec.run.equivalence_pct,
    )


def _scenario(run: StoredRun, name: str) -> ScenarioSummary:
    loads = run.loads(name)
    alike = _gates_of_all_loads(run, name)
    parts = [_at_load(run, name, facts, alike) for facts in loads]
    return ScenarioSummary(
        name=name,
        loads=loads,
        results=tuple(result for part in parts for result in part.results),
        comparisons=tuple(comparison for part in parts for comparison in part.comparisons),
        gates=(*alike, *(gate for part in parts for gate in part.gates)),
    )


def _at_load(
    run: StoredRun, name: str, facts: LoadFacts, alike: Sequence[GateResult]
) -> ScenarioSummary:
    data = run.measured(name, facts)
    scenario = run.scenario(name)
    requests = [request.name for request in scenario.request] or list(data.requests)
    gates = _gates_at_load(run, name, data)
    primary_loads = {first.load for first, _ in primary_questions(run, name)}
    asked = list(questions(data, scenario, requests, facts.load in primary_loads))
    return ScenarioSummary(
        name=name,
        loads=(facts,),
        results=tuple(results(data, run.arms_of(name), requests, run.telemetry)),
        comparisons=tuple(
            comparison
            for baseline, candidate in _pairs_of(run, name)
            for comparison in compare(
                data, baseline, candidate, asked, (*alike, *gates), _rules(run)
            )
        ),
        gates=tuple(gates),
    )


def _gates_at_load(run: StoredRun, name: str, data: LoadData) -> list[GateResult]:
    everything = run.trials_of(name, data.facts.load, EVERY_STATE)
    of_arms = [
        gate
        for arm in run.arms_of(name)
        for gate in load_gates(
            data, arm, everything[everything["arm"] == arm], _conditions(run, name, arm)
        )
    ]
    of_pairs = [
        gate
        for baseline, candidate in _pairs_of(run, name)
        for gate in pair_gates(data, baseline, candidate, _conditions(run, name, candidate))
    ]
    return [*shared_gates(data), *of_arms, *of_pairs]


def _conditions(run: StoredRun, name: str, arm: str) -> Conditions:
    scenario, placement = run.scenario(name), run.placement
    others = {*placement["generator"], *placement["database"], *placement["relay"]}
    alone = not others & set(placement["apps"])
    return Conditions(
        max_error_pct=run.spec.run.max_error_pct,
        expect_errors=run.spec.expects_errors(scenario, arm),
        errors_are_shown=scenario.expect_errors,
        cores=run.cores,
        app_cores=len(placement["apps"]) if alone else 0,
        noise_alpha=alpha_of_each(_noise_tests(run)),
        all_in_sight=run.spec.arm_named(arm).kind == "app",
    )


def _noise_tests(run: StoredRun) -> int:
    """How many gates of the run are judged beside noise: one of each arm, two of each pair."""
    return sum(
        (len(run.arms_of(name)) + 2 * len(_pairs_of(run, name))) * len(run.loads(name))
        for name in run.scenarios
        if not run.scenario(name).expect_errors
    )


def _gates_of_all_loads(run: StoredRun, name: str) -> list[GateResult]:
    """Gates on what was set up, each pair of arms and each arm once."""
    database = run.manifest.get("database") or {}
    wanted, durability = run.spec.run.durability, run.manifest.get("durability")
    return [
        *_settings_gates(run, name),
        *_same_work_gates(run, name),
        database_gate(database.get("kind"), durability, wanted, run.inspections),
        *(tables_gate(arm, run.inspections) for arm in run.arms_of(name)),
        *_distance_gate(run),
    ]


def _settings_gates(run: StoredRun, name: str) -> list[GateResult]:
    told, looks, measured = run.manifest.get("arms") or {}, run.inspections, run.measured_instances
    pairs = [
        (run.spec.arm_named(candidate), run.spec.arm_named(baseline))
        for baseline, candidate in _pairs_of(run, name)
    ]
    return [
        *(settings_gate(*pair, told, looks, measured) for pair in pairs),
        *(resources_gate(*pair, looks, run.placement["apps"], measured) for pair in pairs),
    ]


def _same_work_gates(run: StoredRun, name: str) -> list[GateResult]:
    return [
        same_work_gate(candidate, baseline, run.proofs)
        for baseline, candidate in _pairs_of(run, name)
    ]


def _distance_gate(run: StoredRun) -> list[GateResult]:
    """Nothing where no distance was asked for."""
    asked_ms = run.spec.run.database_rtt_ms
    return [distance_gate(asked_ms, run.distances, _relay_core_pct(run))] if asked_ms else []


def _relay_core_pct(run: StoredRun) -> float | None:
    """The relay's CPU time over the wall time of all trials; None where it is not known."""
    known = run.trials[run.trials["relay_cpu_s"].notna() & run.trials["generator_wall_s"].notna()]
    wall_s = float(known["generator_wall_s"].sum())
    return 100.0 * float(known["relay_cpu_s"].sum()) / wall_s if wall_s else None
