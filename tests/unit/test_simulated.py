"""The stand-in generator behaves like the queues it is told to be."""

import numpy as np
import pytest

from loadtests.simulated import SimulatedArm, SimulatedGenerator
from loadtests.trials import SAMPLE_SCHEMA, ClosedLoad, Load, OpenLoad, Target, TrialOrder

ARM = SimulatedArm(service_ms=2.0, sd=0.3, servers=2)


def order(
    load: Load, arm: str = "a", instance: int = 0, trial: int = 0, s: float = 5.0
) -> TrialOrder:
    target = Target(arm, instance, "http://none")
    return TrialOrder(trial, 0, trial, "crud-mix", load, target, 77, 0.1, s)


def responses_ms(generator: SimulatedGenerator, wanted: TrialOrder) -> np.ndarray:
    samples = generator.run_trial(wanted).samples
    return (samples["done_ns"].to_numpy() - samples["arrival_ns"].to_numpy()) / 1e6


def test_outcomes_have_the_agreed_shape_and_add_up() -> None:
    outcome = SimulatedGenerator({"a": ARM}, 1).run_trial(order(OpenLoad(100)))
    assert outcome.samples.schema == SAMPLE_SCHEMA
    assert outcome.planned == outcome.sent == outcome.recorded == outcome.samples.num_rows
    phase = outcome.samples["phase"].to_numpy(zero_copy_only=False)
    arrivals = outcome.samples["arrival_ns"].to_numpy()
    assert np.array_equal(phase == "steady", arrivals >= outcome.steady_start_ns)


def test_a_closed_load_reaches_the_capacity_of_its_servers() -> None:
    responses = responses_ms(SimulatedGenerator({"a": ARM}, 1), order(ClosedLoad(16)))
    assert len(responses) / 5.1 == pytest.approx(1000, rel=0.05)
    assert responses.mean() == pytest.approx(16, rel=0.05)  # Little: 16 users / 1000 per second


def test_m_m_1_waits_as_the_formula_says() -> None:
    """Near-exponential service (sd of the log 0.83 gives a coefficient of variation of 1):
    Pollaczek-Khinchine then gives the mean response of M/M/1, 1/(mu - lambda)."""
    generator = SimulatedGenerator({"a": SimulatedArm(2.0, sd=np.sqrt(np.log(2)))}, 3)
    responses = responses_ms(generator, order(OpenLoad(250), s=400.0))
    assert responses.mean() == pytest.approx(4.0, rel=0.08)


def test_the_same_seed_gives_the_same_outcome_and_arms_share_arrivals() -> None:
    arms = {"a": ARM, "b": SimulatedArm(3.0)}
    first, second = (
        SimulatedGenerator(arms, 5).run_trial(order(OpenLoad(50))).samples for _ in range(2)
    )
    assert first.equals(second)
    other = SimulatedGenerator(arms, 5).run_trial(order(OpenLoad(50), "b")).samples
    for column in ("arrival_ns", "request", "key"):
        assert first[column].equals(other[column])
    assert not first["done_ns"].equals(other["done_ns"])


def test_instances_keep_their_speed_and_differ_from_each_other() -> None:
    generator = SimulatedGenerator({"a": SimulatedArm(2.0, sd=0.0, instance_sd=0.2)}, 5)
    means = [
        [responses_ms(generator, order(ClosedLoad(1), instance=i, trial=t)).mean() for t in (0, 1)]
        for i in range(6)
    ]
    assert np.allclose([a for a, _ in means], [b for _, b in means])
    assert np.std(np.log([a for a, _ in means])) > 0.05


def test_errors_are_as_frequent_as_asked() -> None:
    generator = SimulatedGenerator({"a": SimulatedArm(1.0, error_rate=0.1)}, 5)
    samples = generator.run_trial(order(OpenLoad(500), s=10)).samples
    assert 1 - np.mean(samples["ok"].to_numpy(zero_copy_only=False)) == pytest.approx(0.1, abs=0.02)
