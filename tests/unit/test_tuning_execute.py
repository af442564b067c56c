"""A whole tune run on simulated load: search, finals, confirmation, distance; cut short, resumed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from loadtests.journal import read_journal
from loadtests.tuning.execute import execute
from loadtests.tuning.past import past_of
from loadtests.tuning.setting import FRAMEWORK_DEFAULT
from reports.tuning.load import load_tune
from tests.support.simulated_tuning import Stage, short_spec


def test_a_tune_run_finds_the_smallest_pool_that_is_enough(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "run", short_spec())
    assert execute(stage.tuning) == "complete"
    stage.store.close()
    record = load_tune(tmp_path / "run")
    assert record.status == "complete"
    for arm in record.arms:
        assert arm.taken is not None
        assert arm.taken.pool_size == 8, stage.quiet.said
        assert {each.pool_size for each in arm.left_at} >= {2}
        assert 250 < arm.start_rate_per_s < 400
    stages = Counter(each.stage for each in record.tried)
    assert set(stages) == {"search", "final", "confirm", "twice", "distance", "burst"}
    print(stages)
    confirmed = {each.setting for each in record.tried if each.stage == "confirm"}
    assert FRAMEWORK_DEFAULT in confirmed
    assert not record.dropped
