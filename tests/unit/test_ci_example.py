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
from tests.support.documents import block

PAGE = "continuous-integration.md"


@pytest.fixture(scope="module")
def workflow() -> dict:
    return yaml.safe_load(block(PAGE, "yaml"))


@pytest.fixture(scope="module")
def steps(workflow: dict) -> list[dict]:
    assert workflow[True] == "pull_request"  # YAML 1.1 reads a bare `on` so
    return workflow["jobs"]["gate"]["steps"]


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
    assert kept == ["results/gate", "comment.md"]


def test_what_runs_the_pull_requests_code_has_no_token_that_can_write(workflow: dict) -> None:
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert jobs["gate"]["permissions"] == {"contents": "read"}
    checkouts = [s for s in jobs["gate"]["steps"] if "actions/checkout" in s.get("uses", "")]
    assert [each["with"]["persist-credentials"] for each in checkouts] == [False, False]
    assert "token" not in json.dumps(jobs["gate"]).lower()


def test_what_may_comment_runs_nothing_but_the_comment(workflow: dict) -> None:
    job = workflow["jobs"]["comment"]
    assert job["permissions"] == {"pull-requests": "write"}
    fetch, comment = job["steps"]
    assert fetch["uses"].startswith("actions/download-artifact@")
    handed_on = [
        step["with"]["name"]
        for step in workflow["jobs"]["gate"]["steps"]
        if step.get("name") == "Hand on the comment"
    ]
    assert handed_on == [fetch["with"]["name"]]
    assert shlex.split(comment["run"])[:3] == ["gh", "pr", "comment"]


def test_nothing_is_pasted_into_a_script(workflow: dict) -> None:
    """What comes from outside comes by the environment, where it is no code."""
    runs = [s["run"] for job in workflow["jobs"].values() for s in job["steps"] if "run" in s]
    assert len(runs) == 5
    assert "${{" not in "".join(runs)


def test_both_revisions_are_fetched(steps: list[dict]) -> None:
    assert steps[0]["with"]["fetch-depth"] == 0
