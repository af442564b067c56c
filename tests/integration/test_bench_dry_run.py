"""`bench run --dry-run`: the plan on paper, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loadtests.schedule import Sizes
from loadtests.second_opinion.wrk import wrk_is_installed
from loadtests.spec import load_spec
from scripts.session import sizes_here

TRIALS_OF_A_PAIR = 3 * 2 * 2
"""Of the quick profile: scenarios × loads × arms."""


def quick_sizes() -> Sizes:
    """What fits this machine's memory, budget and whether wrk has its part of that."""
    return sizes_here(load_spec("quick"))


def test_a_dry_run_prints_the_plan_and_does_nothing(
    typed: Callable[..., Any], tmp_path: Path
) -> None:
    done = typed("run", "quick", "--dry-run", "--out", str(tmp_path / "run"))
    assert done.returncode == 0
    sizes = quick_sizes()
    planned = (
        f"{sizes.instances} instances",
        f"{sizes.rounds} rounds",
        f"{TRIALS_OF_A_PAIR * sizes.instances} trials",
    )
    for words in (*planned, "smallest", "second opinion"):
        assert words in done.stdout
    assert not (tmp_path / "run").exists()


def test_a_dry_run_of_the_specimens_names_each_with_its_twin(
    typed: Callable[..., Any],
) -> None:
    done = typed("run", "specimens", "--dry-run")
    assert done.returncode == 0
    assert "9 arms in 6 scenarios" in done.stdout
    for words in ("sync-ungated: sync against sync-ungated, closed load of 64 users, 3 s a trial",
                  "n-plus-one: async against n-plus-one, closed load of 16 users"):  # fmt: skip
        assert words in done.stdout


def test_a_dry_run_is_one_json_document_where_that_is_asked_for(
    typed: Callable[..., Any],
) -> None:
    done = typed("run", "quick", "--dry-run", "--json")
    assert done.returncode == 0
    plan = json.loads(done.stdout)["plan"]
    instances = quick_sizes().instances
    assert plan["instances"] == instances
    assert plan["trials_per_round"] == TRIALS_OF_A_PAIR * instances
    told = plan["second_opinion"]
    assert told["scenario"] == "read-one" if wrk_is_installed() else "wrk" in told["reason"]
    assert plan["smallest_capacity_change_pct"] > 0
