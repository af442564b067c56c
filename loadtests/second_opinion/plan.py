"""PURE: which closed load wrk is asked about, and how often within the time there is."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.scenarios.model import Request, Scenario
from loadtests.spec import Spec

SHARE = 0.08
"""Of the measuring time: a tenth of it would widen every interval by 5%."""
TURN_S = 1
"""Steady window of one turn; wrk takes whole seconds only."""
SWITCH_S = 0.25
"""From one turn to the next: lead-in or start of wrk, drain, and the look at the app's gauge."""
TOOLS = 2
FEWEST, MOST = 4, 24


@dataclass(frozen=True, slots=True)
class Plan:
    """Every one of `alternations` loads each arm with both tools, in turn."""

    scenario: str
    users: int
    arms: tuple[str, ...]
    alternations: int

    @property
    def seconds(self) -> float:
        """Expected wall time."""
        return self.alternations * _alternation_s(len(self.arms))


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """Why there will be no second opinion."""

    reason: str

    @property
    def seconds(self) -> float:
        """It costs no time."""
        return 0.0


NOT_PLANNED = NotPlanned("it was not planned")


def plan_second_opinion(spec: Spec, measuring_s: float, *, wrk: bool) -> Plan | NotPlanned:
    """A share of `measuring_s` for the first closed load of plain GET requests; `wrk` tells whether
    it is installed."""
    if not wrk:
        return NotPlanned("wrk is not installed (Debian: apt-get install wrk)")
    scenario = next((each for each in spec.scenario if _wrk_can_send(each)), None)
    if scenario is None:
        return NotPlanned("no closed load consists of plain GET requests, which is what wrk sends")
    arms = tuple(arm.name for arm in spec.arms_of(scenario))
    alternations = min(MOST, int(SHARE * measuring_s / _alternation_s(len(arms))))
    if alternations < FEWEST:
        needed_s = FEWEST * _alternation_s(len(arms)) / SHARE
        return NotPlanned(f"the run is too short: it takes {needed_s:.0f} s of measuring or more")
    return Plan(scenario.name, scenario.load.users, arms, alternations)


def _alternation_s(arms: int) -> float:
    return arms * TOOLS * (TURN_S + SWITCH_S)


def _wrk_can_send(scenario: Scenario) -> bool:
    """A locustfile has no requests; where errors are expected, a rate of answers says little."""
    closed = scenario.load.model in ("closed", "auto") and not scenario.expect_errors
    return closed and bool(scenario.request) and all(map(_is_plain_get, scenario.request))


def _is_plain_get(request: Request) -> bool:
    """The script takes 2xx for good, and does not know which keys are used up."""
    unique = request.keys is not None and request.keys.unique
    bare = request.json_body is None and not request.expect_status
    return request.method == "GET" and bare and not unique
