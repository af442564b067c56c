"""The example in docs/continuous-integration.md is a spec that plans and a workflow that parses."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import Spec, load_spec
from scripts.cli import MAX_SLOWDOWN_PCT
from scripts.plan_json import plan_json
from tests.support.documents import DOCS, block

PAGE = "continuous-integration.md"


@pytest.fixture(scope="module")
def steps() -> list[dict]:
    workflow = yaml.safe_load(block(PAGE, "yaml"))
    assert workflow[True] == "pull_request"  # YAML 1.1 reads a bare `on` so
    (job,) = workflow["jobs"].values()
    return job["steps"]


def spec_of(folder: Path, *overrides: str) -> Spec:
    (folder / "gate.toml").write_text(block(PAGE, "toml"))
    return load_spec(str(folder / "gate.toml"), overrides=overrides)


def test_the_spec_compares_two_revisions_and_plans(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "arm.base.git_ref=0123abc")
    assert [arm.git_ref for arm in spec.arm] == ["0123abc", "HEAD"]
    first, second = (arm.model_dump(exclude={"name", "git_ref"}) for arm in spec.arm)
    assert first == second
    sizes = choose_sizes(spec, Limits(memory_mb=7000, connections=None))
    assert json.loads(json.dumps(plan_json(spec, sizes)))["plan"]["rounds"] >= 2
    assert sizes.measuring_s <= spec.run.budget_s


def test_the_workflow_types_what_the_page_and_the_program_have(steps: list[dict]) -> None:
    typed = " ".join(step.get("run", "").replace("\\\n", " ") for step in steps)
    run, gate = (
        shlex.split(re.split(r"\|\||\n", found)[0])
        for found in re.findall(r"bin/bench (.*?)(?= \.bench| cat|$)", typed, re.S)[:2]
    )
    assert run[:2] == ["run", "gate.toml"]
    assert gate[0] == "gate"
    assert gate[1] == run[run.index("--out") + 1]
    assert float(gate[gate.index("--max-slowdown-pct") + 1]) == MAX_SLOWDOWN_PCT
    assert "arm.base.git_ref=" in " ".join(run)


def test_an_invalid_run_is_left_to_the_gate(steps: list[dict]) -> None:
    (measure,) = (step["run"] for step in steps if step.get("name") == "Measure")
    assert measure.rstrip().endswith("|| test $? -eq 4")
    kept = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert kept == ["results/gate"]


def test_both_revisions_are_fetched(steps: list[dict]) -> None:
    assert steps[0]["with"]["fetch-depth"] == 0
    assert (DOCS / PAGE).read_text().count("gate.toml") >= 3
