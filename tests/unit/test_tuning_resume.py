"""A tune run on simulated load, cut short and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from loadtests.journal import read_journal
from loadtests.trials import TrialOrder
from loadtests.tuning.execute import execute, field_of
from loadtests.tuning.ground import Tuning
from loadtests.tuning.past import Measured, Past, PilotFacts, plain
from loadtests.tuning.race import Race
from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds
from loadtests.tuning.stages import Stage
from tests.support.simulated_tuning import (
    ONE_ARM,
    Staged,
    past_in,
    record_of,
    short_spec,
)


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM))

    def ask(order: TrialOrder) -> None:
        cut.interruption.requested = order.trial == 11

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    before = record_of(cut)
    assert before.status == "interrupted"
    assert {each.stage for each in before.tried} == {"search"}
    assert before.arms[0].taken is None
    past = past_in(cut.folder)
    measured = list(past.measured)
    again = Staged(cut.folder, cut.spec, past=past)
    assert execute(again.tuning) == "complete"
    after = record_of(again)
    assert after.status == "complete"
    assert after.tried[: len(before.tried)] == before.tried
    assert past_in(cut.folder).measured[: len(measured)] == measured
    assert past_in(cut.folder).pilots == past.pilots
    assert after.arms[0].taken == Setting(8, admission=0)
    numbers = [each.block for each in past_in(cut.folder).measured]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("stage_name", ["final", "confirm", "distance"])
def test_later_stages_go_on_too(tmp_path: Path, stage_name: Stage) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM))

    def ask(_: TrialOrder) -> None:
        cut.interruption.requested = len(cut.past.of_stage(stage_name)) == 2

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    again = Staged(cut.folder, cut.spec, past=past_in(cut.folder))
    assert execute(again.tuning) == "complete"
    record = record_of(again)
    assert {"search", "final", "confirm", "twice", "distance"} <= {e.stage for e in record.tried}
    assert len([each for each in record.dropped if "cut short" in each]) <= 1


def test_a_run_that_goes_on_keeps_its_finalists_and_what_must_fit(tmp_path: Path) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM, "tune.budget_s=90"))

    def ask(_: TrialOrder) -> None:
        cut.interruption.requested = len(cut.past.of_stage("final")) == 4

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    again = Staged(cut.folder, cut.spec, past=past_in(cut.folder))
    little = dict.fromkeys(again.plan.bounds, Bounds(connections=9))
    again.plan = replace(again.plan, bounds=little)
    assert execute(again.tuning) == "complete"
    record = record_of(again)
    lines = [each.get("what") for each in read_journal(cut.folder / "journal.jsonl")]
    assert lines.count("finalists") == lines.count("bounds") == 1
    confirmed = {each.setting for each in record.tried if each.stage == "confirm"}
    assert {FRAMEWORK_DEFAULT, Setting(10)} <= confirmed
    assert not any("is not tried beside" in each for each in record.notes)


def test_whoever_may_still_become_a_finalist_is_up_again() -> None:
    settings = tuple(Setting(pool, admission=0) for pool in (2, 4, 6, 8, 10, 12, 14))
    past = Past()
    past.add("starters", {"arm": "sync", "settings": plain(settings), "start_rate_per_s": None})
    past.add("pilot", PilotFacts("sync", None, None, 100.0).facts())
    race = Race(settings, 100.0, Objective(50.0))
    for _ in range(4):  # all clear the start; then, in several attempts, the last one only
        heat = race.next_heat()
        assert heat is not None
        scores = {
            s: Score(heat.rate_per_s, 100, 0 if heat.rung == 0 or s == settings[-1] else 50, 0)
            for s in heat.settings
        }
        race.record(heat, scores)
        facts = Measured("search", "sync", 0, 0, scores, 1.0, heat.rate_per_s, None, heat.rung,
                         heat.attempt).facts()  # fmt: skip
        past.add("measured", facts)
    assert race.standing == settings[-1:]
    tuning = SimpleNamespace(past=past, objective=Objective(50.0))
    assert set(field_of(cast("Tuning", tuning), "sync")) == set(settings)
