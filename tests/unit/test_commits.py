"""What a `git_ref` stood for when a run began: kept, shown, gone on with, and compared."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.scenarios.catalogue import READ_ONE
from loadtests.spec import Arm, Spec
from loadtests.store import RunStore
from reports.compare.arms import ArmPair, pair_arms
from reports.facts import how_it_was_made
from scripts import cli, measuring
from tests.support.compared_runs import comparison_of, made
from tests.support.run_builder import SimulatedArm

ONE, TWO = "a" * 40, "b" * 40


def arm(ref: str) -> Arm:
    return Arm(name="shop", command="serve {port}", git_ref=ref)


def told(commit: str | None) -> dict[str, Any]:
    return {"shop": {"kind": "command"} | ({} if commit is None else {"commit": commit})}


def met(first: tuple[str, str | None], second: tuple[str, str | None]) -> ArmPair:
    """The arm of two runs, each with its `git_ref` and what that stood for."""
    specs = [Spec(arm=(arm(ref),), scenario=(READ_ONE,)) for ref, _ in (first, second)]
    return pair_arms(specs[0], specs[1], told(first[1]), told(second[1]))["shop"]


def test_a_branch_that_moved_on_between_runs_is_another_arm() -> None:
    pair = met(("main", ONE), ("main", TWO))
    assert pair.differences == (f"git ref {ONE[:12]} against {TWO[:12]}",)
    assert pair.doubts == ()


def test_one_commit_under_two_names_is_one_arm_without_a_doubt() -> None:
    pair = met(("main", ONE), ("v1.0", ONE))
    assert (pair.differences, pair.doubts) == ((), ())


def test_where_a_commit_is_not_known_names_are_compared_and_doubted() -> None:
    pair = met(("main", None), ("main", ONE))
    assert pair.is_common
    assert "may have moved on" in pair.doubts[0]
    assert not met(("main", None), ("v1.0", ONE)).is_common


@pytest.mark.parametrize(
    ("ref", "commit", "said"),
    [
        ("main", ONE, f", at main ({ONE[:12]})"),
        (ONE[:7], ONE, f", at {ONE[:12]}"),
        ("main", None, ", at main"),
    ],
)
def test_a_report_says_what_was_checked_out(ref: str, commit: str | None, said: str) -> None:
    spec = {"arm": [arm(ref).model_dump(mode="json")]}
    facts = dict(how_it_was_made({"spec": spec, "arms": told(commit)}))
    assert facts["Arm shop"] == f"command: serve {{port}}{said}"


def test_a_run_that_goes_on_stays_at_its_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that begins takes what its `git_ref` stands for now."""

    def stop_here(spec: Spec, *_: object, **__: object) -> None:
        raise InterruptedError(spec.arm[0].git_ref)

    monkeypatch.setattr(measuring, "open_session", stop_here)
    assignment: Any = SimpleNamespace(
        spec=Spec(arm=(arm("main"),), scenario=(READ_ONE,)), sizes=None, run="r", placement=None,
        tables={}, before=SimpleNamespace(origin=SimpleNamespace(instance=0)),
    )  # fmt: skip
    stopping: Any = SimpleNamespace(at_once=nullcontext)
    log: Any = SimpleNamespace(say=print)

    def checked_out(store: RunStore) -> str:
        with (
            pytest.raises(InterruptedError) as reached,
            measuring.brought_up(assignment, store, log, stopping, nullcontext()),
        ):
            pass
        return str(reached.value)

    folder = made(tmp_path / "run", instances=1, rounds=1)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "arms": told(ONE)}))
    for store, ref in ((RunStore(tmp_path / "new"), "main"), (RunStore(folder), ONE)):
        assert checked_out(store) == ref
        store.close()


def of_revisions(folder: Path, seed: int, **commits: str) -> Path:
    """A run of revisions that were checked out as these commits."""
    arms = {
        name: SimulatedArm(app=None, command="serve {port}", settings={"git_ref": name})
        for name in commits
    }
    made(folder, seed, arms=arms, instances=6)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, commit in commits.items():
        manifest["arms"][name]["commit"] = commit
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def revisions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_revisions(tmp_path_factory.mktemp("commits") / "run", 1, base=ONE, head=TWO)


def test_the_gate_names_what_it_compared(
    revisions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gate(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["bench", "gate", str(revisions), *words])
        with pytest.raises(SystemExit):
            cli.main()
        return capsys.readouterr().out

    pair = f"head ({TWO[:12]}) against base ({ONE[:12]})"
    assert pair in " ".join(gate().split())
    assert pair in gate("--markdown").replace("\\", "")
    assert json.loads(gate("--json"))["commits"] == {"base": ONE, "head": TWO}


def test_a_comparison_of_runs_shows_it_among_the_arms(revisions: Path, tmp_path: Path) -> None:
    answer = comparison_of(revisions, of_revisions(tmp_path / "run", 2, base=ONE, head=ONE))
    [group] = [each for each in answer.setup if each.title == "Arms"]
    assert [(each.name, each.values) for each in group.differences] == [
        ("head · commit", (TWO[:12], ONE[:12]))
    ]
