"""PURE: what a known-answer trial asks for and when, worked out apart from the generator."""

from __future__ import annotations

import numpy as np

from loadtests.arrivals import RequestStream, plan_arrivals
from loadtests.scenarios.model import Keys, LoadSpec, Request, Scenario
from loadtests.selftest.behaviour import KEYS, draw
from loadtests.selftest.record import Case, Planned
from loadtests.trials import ClosedLoad, OpenLoad

REQUEST = Request(name="ask", path="/{key}", keys=Keys(first=0, last=KEYS - 1, unique=True))


def scenario_of(case: Case) -> Scenario:
    """What the generator is told of a case."""
    if case.locustfile is not None and isinstance(case.load, ClosedLoad):
        return Scenario(
            name=case.name,
            timeout_s=case.timeout_s,
            locustfile=case.locustfile,
            load=LoadSpec(model="closed", users=case.load.users),
        )
    return Scenario(name=case.name, timeout_s=case.timeout_s, request=(REQUEST,))


def planned(case: Case, seed: int) -> Planned:
    """Every request of an open load with its key; of a closed one, what each key would get."""
    drawn = draw(case.behaviour, seed)
    empty = np.empty(0, dtype=np.int64)
    if not isinstance(case.load, OpenLoad):
        return Planned(empty, empty, drawn.service_ns, drawn.fate)
    length_s = case.lead_in_s + case.steady_s
    offset_ns = plan_arrivals(case.load.rate_per_s, length_s, case.load.arrivals, seed)
    keys = RequestStream((REQUEST,), seed).draw(len(offset_ns)).keys
    return Planned(offset_ns, keys, drawn.service_ns, drawn.fate)


def turns(pairs: int) -> list[tuple[int, int]]:
    """Block and server of each trial: 0 1, 1 0, 0 1, … so that neither is always first."""
    if not pairs:
        return [(0, 0)]
    return [(block, (block + place) % 2) for block in range(pairs) for place in range(2)]
