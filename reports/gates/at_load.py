"""PURE: all gates of one scenario at one load: of each arm, of each pair of arms, of the load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from reports.gates import bookkeeping, errors, generator, machine, offered, stability
from reports.gates.check import Check, result
from reports.gates.noise import RUN_ALPHA
from reports.gates.replication import enough_data
from reports.measures import LoadData, pair_blocks
from reports.model import GateResult


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an arm was to be judged by, and where it ran."""

    max_error_pct: float = 0.1
    expect_errors: bool = False
    """Any number of its requests may fail (never those of a baseline)."""
    errors_are_shown: bool = False
    """The scenario is about errors: then nothing but capacity is compared."""
    cores: int = 1
    """Of the whole machine."""
    app_cores: int = 0
    """Cores that arms have to themselves; 0 where they share theirs."""
    noise_alpha: float = RUN_ALPHA
    """Level of each of the run's tests that are judged beside noise."""
    all_in_sight: bool = True
    """Whether all processes of the arm are known to be in sight."""


def load_gates(
    data: LoadData, arm: str, all_trials: pd.DataFrame, conditions: Conditions
) -> list[GateResult]:
    """All gates of one arm at one load; `all_trials` holds its trials of every state."""
    checks = {
        "failed-trials": bookkeeping.failed_trials(all_trials),
        "interruptions": bookkeeping.interruptions(all_trials),
    }
    trials = data.trials[data.trials["arm"] == arm]
    if len(trials):
        checks |= dict(_of_measured(data, arm, trials, conditions))
    return [result(name, data.facts.load, arm, check) for name, check in checks.items()]


def _of_measured(
    data: LoadData, arm: str, trials: pd.DataFrame, conditions: Conditions
) -> Iterator[tuple[str, Check]]:
    mine = data.of_arm(arm)
    limit_pct = errors.ANY_NUMBER_PCT if conditions.expect_errors else conditions.max_error_pct
    yield "counts", bookkeeping.counts(trials, data, mine)
    yield "server-count", bookkeeping.server_count(trials, data, mine)
    yield "errors", errors.errors(data, arm, limit_pct)
    yield "drain", bookkeeping.drain(trials, data, mine)
    yield "generator-cpu", generator.generator_cpu(trials)
    yield "steal", machine.steal(trials, conditions.cores)
    yield (
        "neighbours",
        machine.neighbours(
            trials,
            conditions.app_cores,
            wants_all=data.facts.model == "closed",
            all_in_sight=conditions.all_in_sight,
        ),
    )
    if not conditions.errors_are_shown:
        yield "littles-law", offered.littles_law(trials, data, mine)
        yield "steady-state", stability.steady_state(data, arm, conditions.noise_alpha)
    if data.facts.model == "open":
        yield "send-lag", generator.send_lag(data, mine)
        yield "no-free-user", generator.no_free_user(trials)
        yield "offered-rate", offered.offered_rate(trials, data, mine, arm)


def shared_gates(data: LoadData) -> list[GateResult]:
    """Gates of a load that concern all of its arms."""
    if data.facts.model != "open" or not len(data.trials):
        return []
    return [result("arrivals", data.facts.load, None, offered.arrivals(data))]


def pair_gates(
    data: LoadData, baseline: str, candidate: str, conditions: Conditions
) -> list[GateResult]:
    """Gates of a candidate beside its baseline at one load."""
    pairing = pair_blocks(data.trials, baseline, candidate)
    if not len(pairing.block):
        return []
    arms = (baseline, candidate)
    checks = {"enough-data": enough_data(data, pairing, arms)}
    if not conditions.errors_are_shown:
        ratios = stability.block_log_ratios(data, pairing)
        position = data.trials["position"].to_numpy(dtype="float64")
        checks |= {
            "error-parity": errors.error_parity(data, arms),
            "trend": stability.trend(ratios, conditions.noise_alpha),
            "carry-over": stability.carry_over(
                ratios,
                position[pairing.candidate] < position[pairing.baseline],
                conditions.noise_alpha,
            ),
        }
    return [result(name, data.facts.load, candidate, check) for name, check in checks.items()]
