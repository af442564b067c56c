"""A whole run on simulated load: schedule, journal, samples, early stop, interruption, resume."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.journal import read_journal
from loadtests.manifest import build_manifest
from loadtests.resume import NOTHING_YET, Progressed, progress_of
from loadtests.run import execute
from loadtests.run_state import Interim, Run
from loadtests.schedule import Limits, choose_sizes
from loadtests.simulated import SimulatedArm, SimulatedGenerator
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore
from loadtests.testbed import Stop
from loadtests.trials import TrialOrder, TrialOutcome
from reports.model import Summary
from reports.run_folder import load_run
from reports.summarise import interim, summarise
from reports.write import write_report
from tests.support.idle_bed import IdleBed
from tests.support.proofs import DIFFERENT_WORK, proof

ARMS = {
    "sync": SimulatedArm(service_ms=1.0, instance_sd=0.02, trial_sd=0.02),
    "async": SimulatedArm(service_ms=1.4, instance_sd=0.02, trial_sd=0.02),
}


@dataclass
class Quiet:
    """Satisfies `loadtests.run_state.Watcher`; keeps what it was told."""

    rounds: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    after_trial: int | None = None
    run: Run | None = None

    def say(self, message: str) -> None:
        self.said.append(message)

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        assert done < planned
        if self.run is not None and order.trial == self.after_trial:
            self.run.interruption.requested = True

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        self.rounds.append(number)


def spec_for(*overrides: str, scenarios: tuple[str, ...] = ("read-one",)) -> Spec:
    """The quick profile with short blocks and some of its scenarios."""
    spec = load_spec("quick", overrides=["run.block_s=0.3", *overrides], environ={})
    return spec.model_copy(update={"scenario": tuple(map(spec.scenario_named, scenarios))})


def prepared(
    folder: Path, spec: Spec, before: Progressed = NOTHING_YET, **changes: object
) -> tuple[Run, Quiet, IdleBed]:
    sizes = choose_sizes(spec, Limits(memory_mb=None, connections=None))
    store = RunStore(folder)
    bed = IdleBed(tuple(ARMS), sizes.instances, before.origin.instance)
    if before is NOTHING_YET:
        facts = {"versions": {}, "host": {}, "placement": {}, "database": {}, "durability": {}}
        store.write_manifest(
            build_manifest(
                run=folder.name,
                command=["bench", "run"],
                created_utc="2026-01-01T00:00:00+00:00",
                spec=spec,
                spec_file=None,
                overrides=(),
                sizes=sizes,
                facts=facts,
                arms={name: {"kind": "app"} for name in ARMS},
            )
        )
    watcher = Quiet()
    parts: dict[str, Any] = {
        "spec": spec,
        "sizes": sizes,
        "store": store,
        "bed": bed,
        "generator": SimulatedGenerator(ARMS, seed=5),
        "watcher": watcher,
        "assess": lambda: interim(load_run(folder)),
        "origin": before.origin,
        "frozen": before.frozen,
    }
    run = Run(**(parts | changes))
    watcher.run = run
    return run, watcher, bed


def change(summary: Summary, scenario: str, metric: str) -> tuple[str, float | None]:
    [found] = [
        comparison
        for entry in summary.scenarios
        if entry.name == scenario
        for comparison in entry.comparisons
        if comparison.primary and comparison.metric == metric
    ]
    return found.verdict, found.change_pct


def test_a_run_finds_the_slower_twin_and_stores_what_the_contract_says(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, watcher, _ = prepared(folder, spec_for("run.instances=6", "run.rounds=2"))
    assert execute(run) == "complete"
    summary = write_report(folder)
    assert watcher.rounds == [0, 1]
    verdict, change_pct = change(summary, "read-one", "capacity_per_s")
    assert verdict == "slower"
    assert change_pct == pytest.approx(-28.6, abs=6)  # 1.0 / 1.4 − 1
    for name in ("summary.json", "report.html", "report.md", "telemetry.parquet"):
        assert (folder / name).stat().st_size > 0
    assert json.loads((folder / "summary.json").read_text())["schema"] == 1


def test_every_planned_trial_is_in_the_journal_and_planned_is_sent_is_recorded(
    tmp_path: Path,
) -> None:
    run, _, _ = prepared(tmp_path / "run", spec_for("run.instances=3", "run.rounds=1"))
    execute(run)
    events = list(read_journal(tmp_path / "run" / "journal.jsonl"))
    trials = [event for event in events if event["event"] == "trial"]
    assert [event["trial"] for event in trials] == list(
        range(2 * 2 * 3)
    )  # loads × arms × instances
    assert all(event["planned"] == event["sent"] == event["recorded"] for event in trials)
    assert events[-1]["event"] == "end"


def test_both_arms_of_a_block_get_the_same_arrivals_and_keys(tmp_path: Path) -> None:
    run, _, _ = prepared(tmp_path / "run", spec_for("run.instances=2", "run.rounds=1"))
    execute(run)
    stored = load_run(tmp_path / "run")
    [load] = [load.load for load in stored.loads("read-one") if load.model == "open"]
    samples = stored.samples("read-one", load)
    for _, block in samples.groupby("block"):
        starts = {}
        for arm, rows in block.groupby("arm"):
            arrivals = rows["arrival_ns"].to_numpy(dtype="int64")
            starts[arm] = (arrivals - arrivals[0], rows["key"].to_numpy(dtype="int64"))
        (gaps, keys), (other_gaps, other_keys) = starts["sync"], starts["async"]
        assert (gaps == other_gaps).all()
        assert (keys == other_keys).all()


SCENARIOS_WITH_ARMS = """
[[arm]]
name = "sync"
app = "sync"
[[arm]]
name = "async"
app = "async"
[[scenario]]
name = "read-one"
arms = ["async"]
[[scenario]]
name = "fails"
arms = ["async", "sync"]
load = { model = "closed", users = 4 }
block_s = 0.9
expect_errors = true
[[scenario.request]]
name = "read"
path = "/items/1"
[run]
instances = 3
rounds = 1
block_s = 0.3
"""


def test_arms_of_a_scenario_are_the_only_ones_it_loads(tmp_path: Path) -> None:
    """Warm-up, pilot and rounds; its window and its app's last words go on record."""
    folder = tmp_path / "run"
    (tmp_path / "own.toml").write_text(SCENARIOS_WITH_ARMS)
    spec = load_spec(str(tmp_path / "own.toml"), environ={})
    arms = {"sync": replace(ARMS["sync"], error_rate=0.5), "async": ARMS["async"]}
    generator = Listening(arms, seed=5, scenarios=spec.scenario)
    run, _, bed = prepared(folder, spec, generator=generator)
    bed.last_error = "lib.TimeoutError: no connection"
    execute(run)
    loaded = {(order.scenario, order.target.arm) for order in generator.orders}
    assert loaded == {("read-one", "async"), ("fails", "async"), ("fails", "sync")}
    recorded = [order for order in generator.orders if order.trial >= 0]
    assert {(order.scenario, order.steady_s) for order in recorded} == {
        ("read-one", 0.3), ("fails", 0.9)
    }  # fmt: skip
    trials = load_run(folder).trials
    assert set(trials.loc[trials["arm"] == "sync", "last_error"]) == {bed.last_error}
    assert trials.loc[trials["arm"] == "async", "last_error"].isna().all()
    summary = write_report(folder)
    [comparison] = [each for entry in summary.scenarios for each in entry.comparisons]
    assert (comparison.baseline, comparison.metric) == ("async", "capacity_per_s")
    assert comparison.verdict != "invalid"


def test_tables_are_put_back_before_and_after_writing_trials_only(tmp_path: Path) -> None:
    run, _, bed = prepared(
        tmp_path / "run",
        spec_for(
            *("run.instances=1", "run.rounds=1", "run.pairs=2"), scenarios=("read-one", "crud-mix")
        ),
    )
    execute(run)
    writing = 2 * (2 + 4)  # crud-mix: per arm warm-up, pilot, and 2 loads × 2 pairs
    cleaning = 2 * 3  # the first trial after crud-mix, per arm: warm-up, pilot and round
    assert writing <= len(bed.put_backs) <= writing + cleaning


def test_it_stops_when_every_interval_is_narrow_enough(tmp_path: Path) -> None:
    @dataclass
    class Narrow:
        half_width_pct: float | None = 0.5

    run, watcher, _ = prepared(
        tmp_path / "run", spec_for("run.instances=1"), assess=lambda: [Narrow()]
    )
    assert run.sizes.rounds > 2
    execute(run)
    assert watcher.rounds == [0, 1]  # never before two rounds


def test_it_stops_when_the_budget_is_spent(tmp_path: Path) -> None:
    ticks = iter(range(0, 10**6, 90))
    run, watcher, _ = prepared(
        tmp_path / "run",
        spec_for("run.instances=1", "run.budget_s=250"),
        clock=lambda: float(next(ticks)),
    )
    execute(run)
    assert watcher.rounds == [0]
    end = list(read_journal(tmp_path / "run" / "journal.jsonl"))[-1]
    assert "budget" in end["reason"]


def test_an_interrupted_run_keeps_its_trials_and_can_be_resumed(tmp_path: Path) -> None:
    folder, spec = tmp_path / "run", spec_for("run.instances=3", "run.rounds=2")
    run, watcher, _ = prepared(folder, spec)
    watcher.after_trial = 16
    assert execute(run) == "interrupted"
    run.store.close()
    assert summarise(load_run(folder)).status == "interrupted"
    assert len(load_run(folder).trials) == 17

    before = progress_of(folder)
    assert (before.finished_rounds, before.origin.round, before.origin.instance) == (1, 2, 3)
    rest, watcher, _ = prepared(folder, spec, before)
    rest.sizes = replace(rest.sizes, rounds=1)
    assert execute(rest) == "complete"
    assert watcher.rounds == [2]
    stored = load_run(folder)
    assert not stored.trials["trial"].duplicated().any()
    assert summarise(load_run(folder)).status == "complete"


def test_a_run_may_be_interrupted_between_two_loads(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, watcher, _ = prepared(folder, spec_for("run.instances=1", "run.rounds=1"))
    watcher.after_trial = 1  # the last of its block, and of its load
    assert execute(run) == "interrupted"
    assert list(load_run(folder).trials["state"]) == ["finished"] * 2


def test_a_dead_instance_makes_its_trials_invalid_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, _, bed = prepared(folder, spec_for("run.instances=3", "run.rounds=1"))
    bed.dead = ("async", 1)
    execute(run)
    invalid = load_run(folder).trials.query("state == 'invalid'")
    assert set(invalid["instance"]) == {1}
    assert (invalid["reason"] == "async #1 has ended").all()


def test_twins_that_are_not_the_same_make_the_whole_run_invalid(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, watcher, _ = prepared(
        folder,
        spec_for("run.instances=3", "run.rounds=1"),
        prove=lambda: proof(work=DIFFERENT_WORK),
    )
    assert execute(run) == "complete"
    assert any(DIFFERENT_WORK.detail in message for message in watcher.said)
    [first, *_] = read_journal(folder / "journal.jsonl")
    assert first["event"] == "sameness", "looked before anything was loaded"
    summary = write_report(folder)
    assert not summary.valid
    verdicts = {each.verdict for entry in summary.scenarios for each in entry.comparisons}
    assert verdicts == {"invalid"}
    for name in ("report.html", "report.md"):
        assert "✕ different" in (folder / name).read_text()


class Listening(SimulatedGenerator):
    """Keeps every order it was given, unrecorded ones too."""

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        self.orders = [*getattr(self, "orders", ()), order]
        return super().run_trial(order)


class Breaking(SimulatedGenerator):
    """Dies in the tenth trial that counts."""

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        if order.trial == 9:
            raise ConnectionError("the generator is gone")
        return super().run_trial(order)


def test_what_was_measured_before_a_failure_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, _, _ = prepared(
        folder, spec_for("run.instances=3", "run.rounds=1"), generator=Breaking(ARMS, seed=5)
    )
    with pytest.raises(ConnectionError):
        execute(run)
    run.store.close()
    trials = load_run(folder).trials
    assert list(trials["state"]).count("finished") == 9
    assert list(trials["state"]).count("abandoned") == 1
    assert summarise(load_run(folder)).status == "interrupted"


def test_reports_of_the_same_samples_are_byte_identical(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, _, _ = prepared(folder, spec_for("run.instances=3", "run.rounds=1"))
    execute(run)
    run.store.close()

    def files() -> dict[str, bytes]:
        write_report(folder)
        kept = [*folder.glob("*.*"), *folder.glob("charts/*")]
        return {path.name: path.read_bytes() for path in kept if path.suffix != ".jsonl"}

    assert files() == files()


def dropped_blocks(folder: Path) -> list[dict[str, Any]]:
    events = read_journal(folder / "journal.jsonl")
    return [event for event in events if event["event"] == "block"]


def test_a_block_in_which_something_was_stopped_is_measured_again(tmp_path: Path) -> None:
    """For all arms, with the same arrivals and in the same order, whatever it had measured."""
    folder = tmp_path / "run"
    generator = Listening(ARMS, seed=5)
    run, watcher, bed = prepared(
        folder, spec_for("run.instances=3", "run.rounds=1"), generator=generator
    )
    bed.stops = {4: Stop("sync #1", 1.0)}
    assert execute(run) == "complete"
    [event] = dropped_blocks(folder)
    assert (event["trials"], event["stood_still"], event["again"]) == ([4, 5], [4], True)
    assert event["reason"] == "sync #1 was stopped for 1.00 s in trial 4"
    orders = {order.trial: order for order in generator.orders}
    for first, again in ((4, 6), (5, 7)):
        assert replace(orders[again], trial=first) == orders[first]
    stored = load_run(folder)
    assert list(stored.trials.query("state == 'disturbed'")["trial"]) == [4, 5]
    assert any("Block 2 does not count" in message for message in watcher.said)
    summary = write_report(folder)
    assert any("was measured again: sync #1 was stopped" in note for note in summary.notes)
    assert "sync #1 was stopped for 1.00 s" in (folder / "report.html").read_text()
    assert {c.blocks for s in summary.scenarios for c in s.comparisons} == {3}


def test_a_block_that_is_stopped_twice_is_left_out_openly(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, _, bed = prepared(folder, spec_for("run.instances=3", "run.rounds=1"))
    bed.stops = {5: Stop("the load generator", 1.0), 7: Stop("the load generator", 0.9)}
    execute(run)
    assert [(e["trials"], e["again"]) for e in dropped_blocks(folder)] == [
        ([4, 5], True), ([6, 7], False)
    ]  # fmt: skip
    summary = summarise(load_run(folder))
    lost = [
        gate.value
        for scenario in summary.scenarios
        for gate in scenario.gates
        if gate.name == "interruptions" and gate.value
    ]
    assert lost == [pytest.approx(100 / 3, rel=1e-5)] * 2, "one of three blocks, of both arms"
    assert not summary.valid


class Standing(SimulatedGenerator):
    """Stands still in one trial, and says so."""

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        still_s = 0.6 if order.trial == 3 else 0.2
        return replace(super().run_trial(order), generator_still_s=still_s)


def test_a_generator_that_stood_still_drops_its_block(tmp_path: Path) -> None:
    run, _, _ = prepared(
        tmp_path / "run",
        spec_for("run.instances=3", "run.rounds=1"),
        generator=Standing(ARMS, seed=5),
    )
    execute(run)
    [event] = dropped_blocks(tmp_path / "run")
    assert event["reason"] == "the load generator stood still for 0.60 s in trial 3"


def test_an_interruption_in_a_disturbed_block_leaves_it_out(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, watcher, bed = prepared(folder, spec_for("run.instances=3", "run.rounds=1"))
    bed.stops = {4: Stop("sync #1", 1.0)}
    watcher.after_trial = 4
    assert execute(run) == "interrupted"
    assert [(e["trials"], e["again"]) for e in dropped_blocks(folder)] == [([4], False)]


def test_everything_is_looked_at_before_the_first_and_after_each_round(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run, _, bed = prepared(folder, spec_for("run.instances=3", "run.rounds=2"))
    bed.drift = {"async": "1 rows missing"}
    execute(run)
    stored = load_run(folder)
    assert [look.round for look in stored.inspections] == [-1, 0, 1]
    summary = summarise(load_run(folder))
    failed = {g.arm for s in summary.scenarios for g in s.gates if g.name == "tables" and not g.ok}
    assert failed == {"async"}
    assert not summary.valid
