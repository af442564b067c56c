"""The doctor's words for a look at identical arms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.environment.placement import Placement, choose_placement
from loadtests.environment.topology import Core
from loadtests.schedule import Limits
from loadtests.spec import load_spec
from reports.model import Comparison, ScenarioSummary, Spread, Summary
from scripts.finding import Finding
from scripts.resolving import findings_of
from scripts.self_comparison import Look, Seen, look_spec
from tests.unit.test_ability import COMPARISON

SPEC = load_spec("quick", environ={})
ROOMY = Limits(memory_mb=24_000, connections=None)
TWO_CORES = choose_placement([Core((0,)), Core((1,))])
P95 = replace(COMPARISON, load="open-300", metric="response_ms.p95", request="read")


def told(
    *comparisons: Comparison,
    steal_pct: float | None = 0.2,
    pressure_pct: float | None = 40.0,
    placement: Placement = TWO_CORES,
) -> tuple[Finding, Finding]:
    scenario = ScenarioSummary("read-one", (), (), comparisons, ())
    summary = Summary(1, "doctor", "complete", True, "", (scenario,))
    verdicts, resolution = findings_of(
        Seen(summary, steal_pct, pressure_pct), SPEC, ROOMY, placement
    )
    return verdicts, resolution


def test_no_difference_is_said_and_what_each_time_resolves() -> None:
    verdicts, resolution = told(COMPARISON, P95)
    assert verdicts.fit
    assert "no difference found" in verdicts.seen
    assert "steal 0.2%, CPU pressure 40.0%" in verdicts.seen
    assert resolution.fit
    horizons = [line.split(":")[0].strip() for line in resolution.details[:3]]
    assert horizons == ["2 min", "8 min", "35 min"]
    assert all("capacity ±" in line and "p95 ±" in line for line in resolution.details[:3])
    helps = "\n".join(resolution.details[3:])
    assert "more cores" in helps
    assert "steal" not in helps
    assert "for capacity, " in helps
    assert "for p95, " in helps


def test_a_false_difference_is_told_as_one_and_does_not_condemn_the_machine() -> None:
    verdicts, _ = told(replace(COMPARISON, verdict="slower"), P95)
    assert verdicts.fit
    assert "a false verdict" in verdicts.seen


def test_an_invalid_look_is_unfit_with_its_reason() -> None:
    reason = "send-lag (async): late"
    verdicts, _ = told(COMPARISON, replace(P95, verdict="invalid", reasons=(reason,)))
    assert not verdicts.fit
    assert reason in verdicts.words()


def test_a_machine_that_resolves_nothing_in_eight_minutes_is_unfit() -> None:
    wild = Spread(instances_pct=60.0, blocks_pct=200.0)
    _, resolution = told(replace(COMPARISON, spread=wild), replace(P95, spread=wild))
    assert not resolution.fit
    assert "Not even 50% in 8 minutes" in resolution.words()
    _, resolution = told(COMPARISON, replace(P95, spread=wild))
    assert resolution.fit  # capacity is enough to be of use


@pytest.mark.parametrize("comparisons", [(), (replace(COMPARISON, spread=None),)])
def test_a_look_that_tells_nothing_is_unfit(comparisons: tuple[Comparison, ...]) -> None:
    _, resolution = told(*comparisons)
    assert not resolution.fit


def test_nothing_measured_is_unfit() -> None:
    verdicts, _ = told()
    assert not verdicts.fit


def test_steal_and_cores_are_told_where_they_are_the_trouble() -> None:
    roomy = choose_placement([Core((n,)) for n in range(8)])
    _, resolution = told(COMPARISON, P95, steal_pct=7.0, placement=roomy)
    helps = "\n".join(resolution.details[3:])
    assert "less steal: other guests of the host took 7.0%" in helps
    assert "more cores" not in helps


def test_what_the_system_does_not_tell_is_unknown() -> None:
    verdicts, _ = told(COMPARISON, steal_pct=None, pressure_pct=None)
    assert "steal unknown, CPU pressure unknown" in verdicts.seen


@pytest.mark.parametrize(("asked_s", "looked_s"), [(0.5, 0.5), (60.0, 2.0)])
def test_a_look_has_the_spec_s_windows_unless_nobody_would_wait_for_them(
    asked_s: float, looked_s: float
) -> None:
    spec = load_spec("quick", overrides=[f"run.block_s={asked_s}"], environ={})
    assert look_spec(spec, Look()).run.block_s == looked_s
