"""A trial shared out among generator processes is the whole trial, no more and no less."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from loadtests.arrivals import RequestStream, plan_arrivals
from loadtests.generator_count import choose_generators
from loadtests.scenarios.catalogue import CRUD_MIX
from loadtests.scenarios.model import Keys, Request
from loadtests.sharing import DealtStream, Share, merged
from loadtests.spec import Spec
from loadtests.trials import SAMPLE_SCHEMA, ClosedLoad, OpenLoad, TrialOutcome

SHARES = [Share(number, 3) for number in range(3)]


def test_arrivals_with_their_requests_and_keys_are_the_plan_s_each_once() -> None:
    planned_ns = plan_arrivals(200, 1.0, "poisson", seed=7)
    whole = RequestStream(CRUD_MIX.request, 7).draw(len(planned_ns))
    which, keys = np.full(len(planned_ns), -9), np.full(len(planned_ns), -9)
    due_ns = np.full(len(planned_ns), -9)
    for share in SHARES:
        mine_ns = share.of_arrivals(planned_ns)
        drawn = DealtStream(RequestStream(CRUD_MIX.request, 7), share).draw(len(mine_ns))
        places = slice(share.number, None, share.of)
        due_ns[places], which[places], keys[places] = mine_ns, drawn.which, drawn.keys
    assert due_ns.tolist() == planned_ns.tolist()
    assert which.tolist() == whole.which.tolist()
    assert keys.tolist() == whole.keys.tolist()


def test_unique_keys_are_drawn_by_one_process_only_and_run_out_for_all() -> None:
    keys = Keys(first=1, last=10, unique=True)
    requests = [Request(name="delete", path="/{key}", keys=keys)]
    drawn = [DealtStream(RequestStream(requests, 1), share).draw(5).keys for share in SHARES]
    assert [len(each) for each in drawn] == [4, 3, 3]
    assert sorted(np.concatenate(drawn).tolist()) == list(range(1, 11))


def test_a_stream_dealt_in_small_draws_is_the_one_dealt_at_once() -> None:
    small, large = (DealtStream(RequestStream(CRUD_MIX.request, 3), SHARES[1]) for _ in range(2))
    drawn = [small.draw(count).keys for count in (1, 4, 2, 13)]
    assert np.concatenate(drawn).tolist() == large.draw(20).keys.tolist()


@pytest.mark.parametrize(("users", "shares"), [(16, [6, 5, 5]), (3, [1, 1, 1]), (1, [1, 0, 0])])
def test_every_user_of_a_closed_load_belongs_to_one_process(users: int, shares: list[int]) -> None:
    assert [share.of_load(ClosedLoad(users)) for share in SHARES] == [
        ClosedLoad(each) for each in shares
    ]


def test_the_rate_of_an_open_load_is_divided() -> None:
    assert SHARES[0].of_load(OpenLoad(300, "uniform")) == OpenLoad(100, "uniform")


def outcome(arrivals_ns: list[int], **changes: Any) -> TrialOutcome:
    columns = {field.name: pa.nulls(len(arrivals_ns), field.type) for field in SAMPLE_SCHEMA}
    columns["arrival_ns"] = pa.array(arrivals_ns, pa.int64())
    return dataclasses.replace(
        TrialOutcome(
            samples=pa.table(columns, schema=SAMPLE_SCHEMA),
            start_ns=100, steady_start_ns=200, steady_end_ns=900, drained_ns=950,
            planned=len(arrivals_ns), sent=len(arrivals_ns), recorded=len(arrivals_ns),
            no_free_user=0, generator_cpu_s=0.1, generator_wall_s=1.0,
        ),
        **changes,
    )  # fmt: skip


TOGETHER = {
    "start_ns": (100, 100, 100),
    "steady_start_ns": (200, 200, 200),
    "steady_end_ns": (900, 900, 900),
    "drained_ns": (950, 970, 970),
    "planned": (3, 2, 5),
    "sent": (3, 1, 4),
    "recorded": (2, 1, 3),
    "no_free_user": (2, 3, 5),
    "generator_still_s": (0.1, 1.5, 1.5),
    "generator_cpu_s": (0.1, 0.9, 0.9),
    "generator_wall_s": (1.1, 1.0, 1.0),
}
"""What two processes tell, and what is told of both; CPU and wall time are the busiest one's."""


def test_outcomes_are_the_union_of_samples_and_what_is_told_of_both() -> None:
    first, second = (
        outcome(arrivals_ns, **{name: values[which] for name, values in TOGETHER.items()})
        for which, arrivals_ns in enumerate(([110, 140, 400], [120, 390]))
    )
    both = merged([first, second], [0, 1])
    assert both.samples["arrival_ns"].to_pylist() == [110, 120, 140, 390, 400]
    told = {f.name: getattr(both, f.name) for f in dataclasses.fields(both) if f.name != "samples"}
    assert told == {name: values[2] for name, values in TOGETHER.items()}
    assert merged([first, outcome([1])], [0, 1]).generator_still_s == 0.1


def test_the_busiest_core_is_told_not_the_average() -> None:
    idle, busy = outcome([1], generator_cpu_s=0.1), outcome([2], generator_cpu_s=0.9)
    assert merged([idle, busy], [0, 1]).generator_cpu_s == 0.9
    halves = [outcome([1], generator_cpu_s=0.5), outcome([2], generator_cpu_s=0.45)]
    assert merged(halves, [0, 0]).generator_cpu_s == pytest.approx(0.95), "one core held both"
    assert merged(halves, [0, 1]).generator_cpu_s == 0.5


def spec_of(
    load: dict[str, Any], workers: int = 1, generators: int | str = "auto", **more: Any
) -> Spec:
    return Spec.model_validate(
        {
            "run": {"generators": generators},
            "arm": [{"name": "sync", "app": "sync", "workers": workers}],
            "scenario": [CRUD_MIX.model_dump() | {"load": load} | more],
        }
    )


@pytest.mark.parametrize(
    ("load", "workers", "cores", "count"),
    [
        ({"model": "auto"}, 1, 64, 1),
        ({"model": "closed", "users": 64}, 4, 64, 2),
        ({"model": "open", "rate_per_s": 8_000}, 1, 64, 1),
        ({"model": "open", "rate_per_s": 30_000}, 1, 64, 4),
        ({"model": "open", "rate_per_s": 30_000}, 1, 8, 2),
        ({"model": "open", "rate_per_s": 30_000}, 1, 2, 1),
        ({"model": "open", "rate_per_s": 30_000}, 1, 0, 1),
    ],
)
def test_there_are_as_many_processes_as_the_load_needs_and_the_cores_allow(
    load: dict[str, Any], workers: int, cores: int, count: int
) -> None:
    assert choose_generators(spec_of(load, workers), cores) == count
    assert choose_generators(spec_of(load, workers, generators=5), cores) == 5


def test_a_locustfile_s_users_take_one_process_however_large_the_arms() -> None:
    own = {"about": None, "request": (), "locustfile": "traffic.py"}
    assert choose_generators(spec_of({"model": "closed", "users": 64}, 8, **own), 64) == 1
