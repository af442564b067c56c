"""A resident generator of one test alone, and the orders it is given."""

from __future__ import annotations

import os
from pathlib import Path

from loadtests.generators import Generators
from loadtests.scenarios.model import Scenario
from loadtests.trials import (
    Load,
    Target,
    TrialOrder,
)
from tests.support.known_server import KnownServer


def order(
    target: Target, name: str, load: Load, *, seed: int = 3, steady_s: float = 0.4
) -> TrialOrder:
    return TrialOrder(1, 2, 3, name, load, target, seed, 0.1, steady_s)


def lonely(server: KnownServer, tmp_path: Path, *scenarios: Scenario) -> Generators:
    return Generators.start(
        [Target("a", 0, server.url), Target("b", 0, server.url, (("x-token", "b"),))],
        scenarios,
        folder=tmp_path,
        cores=sorted(os.sched_getaffinity(0))[:1],
        log_path=tmp_path / "generator.log",
    )
