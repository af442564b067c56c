"""Simulated runs to compare, and what a test asks of their comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reports.compare.judge import compared
from reports.compare.model import Claim, Compared, Question
from reports.compare.read import read_run
from reports.run_folder import load_run
from reports.summarise import summarise
from reports.write import write_json
from tests.support.run_builder import TWINS, Noise, SimulatedArm, build_run

CAPACITY, P95 = "capacity_per_s", "response_ms.p95"
CALM = Noise(instance_sd=0.02, block_sd=0.03, drift_sd=0.1)


def arms(**changes: Mapping[str, Any]) -> dict[str, SimulatedArm]:
    """The twins with some of them changed: `arms(async_={"capacity_per_s": 200.0})`."""
    changed = {name.rstrip("_"): kept for name, kept in changes.items()}
    return {name: replace(arm, **changed.get(name, {})) for name, arm in TWINS.items()}


def made(folder: Path, seed: int = 1, **kept: Any) -> Path:
    """A calm run of eight instances with its answer stored, as `bench run` leaves it."""
    build_run(folder, **{"instances": 8, "noise": CALM, "seed": seed, **kept})
    write_json(folder / "summary.json", summarise(load_run(folder)))
    return folder


def comparison_of(*folders: Path) -> Compared:
    """The whole answer on some runs."""
    return compared([read_run(folder) for folder in folders])


def question(answer: Compared, metric: str, scenario: str = "read-one") -> Question:
    """The one primary question of a metric in a scenario."""
    [found] = [
        each
        for each in answer.questions
        if each.primary and (each.metric, each.scenario) == (metric, scenario)
    ]
    return found


def claim(answer: Compared, metric: str = CAPACITY, scenario: str = "read-one") -> Claim:
    """The one claim of that question."""
    [found] = question(answer, metric, scenario).claims
    return found


def numbers(found: Claim) -> tuple[Any, ...]:
    """Every number of a claim."""
    return found.change_pct, found.ci95_pct, found.mde_pct, found.degrees_of_freedom
