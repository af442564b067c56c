"""`bench gate` on stored runs: exit codes, forms, advice, and the folders it refuses."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import cli
from tests.support.run_builder import SimulatedArm, build_run

SLOW = SimulatedArm(capacity_per_s=180.0, response_ms=7.5)
FAILING = SimulatedArm(error_share=0.3)


@pytest.fixture
def gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", "gate", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert isinstance(left.value.code, int)
        told = capsys.readouterr()
        return left.value.code, " ".join(told.out.split()), told.err

    return run


def run_of(folder: Path, candidate: SimulatedArm, **how) -> Path:
    return build_run(folder, arms={"base": SimulatedArm(), "new": candidate}, **how)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("gate") / "slow", SLOW, instances=6)


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six instances of a service that did not change: too few for 10%, enough for 60%."""
    return run_of(tmp_path_factory.mktemp("gate") / "same", SimulatedArm(), instances=6)


def test_a_slower_revision_fails(gate, slow: Path) -> None:
    code, out, _ = gate(slow)
    assert code == 5
    assert out.startswith("Failed: new is slower by more than 10% in 2 of 2 comparisons")


def test_the_limit_is_what_was_typed(gate, slow: Path, same: Path) -> None:
    assert gate(same, "--max-slowdown-pct", 60)[0] == 0
    assert gate(slow, "--max-slowdown-pct", 99)[0] == 4, "p95 may be longer by as much"


def test_not_enough_data_says_how_much_more(gate, same: Path) -> None:
    code, out, _ = gate(same, "--json")
    told = json.loads(out)
    assert code == told["exit_code"] == 4
    assert told["outcome"] == "not enough data"
    more = told["more"]
    assert more["instances"] * more["rounds"] > 6 * 2
    assert f"--set run.instances={more['instances']}" in told["advice"]
    assert 60 < more["wall_s"] < 6 * 3600


def test_one_instance_never_passes_and_its_advice_is_more_of_them(gate, tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", SimulatedArm(), instances=1, rounds=12)
    code, out, _ = gate(folder, "--max-slowdown-pct", 60)
    assert code == 4
    assert "another start of the same program may differ" in out
    assert json.loads(gate(folder, "--json")[1])["more"]["instances"] > 1


def test_nothing_allowed_is_never_passed_by_what_did_not_change(gate, same: Path) -> None:
    code, out, _ = gate(same, "--max-slowdown-pct", 0)
    assert code == 4
    assert "allow more" in out


def test_an_invalid_run_says_why(gate, tmp_path: Path) -> None:
    code, out, _ = gate(run_of(tmp_path / "run", FAILING))
    assert code == 4
    assert out.startswith("Invalid: 2 of 2")
    assert "requests failed" in out


def test_an_interrupted_run_says_how_to_go_on(gate, same: Path, tmp_path: Path) -> None:
    folder = run_of(tmp_path / "a run", SimulatedArm(), instances=6, status="interrupted")
    code, out, _ = gate(folder, "--max-slowdown-pct", 60)
    assert code == 4
    assert f"bench run --resume '{folder}'" in out.replace("run ", "run ")


def test_a_scenario_that_was_not_measured_is_named(gate, tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", SimulatedArm(), scenarios=("read-one", "crud-mix"))
    journal = folder / "journal.jsonl"
    lines = [line for line in journal.read_text().splitlines() if '"crud-mix"' not in line]
    journal.write_text("\n".join(lines) + "\n")
    code, out, _ = gate(folder, "--max-slowdown-pct", 95)
    assert code == 4
    assert "crud-mix (new): it was planned, and not measured" in out


def test_the_comment_is_written_and_printed(gate, slow: Path, tmp_path: Path) -> None:
    code, out, _ = gate(slow, "--markdown", "--out", tmp_path / "comment.md")
    assert code == 5
    assert out == " ".join((tmp_path / "comment.md").read_text().split())
    assert "| read-one |" in out


@pytest.mark.parametrize("limit", ["-1", "100", "nan", "inf"])
def test_a_limit_that_is_none(gate, slow: Path, limit: str) -> None:
    code, out, err = gate(slow, f"--max-slowdown-pct={limit}")
    assert (code, out) == (2, "")
    assert "--max-slowdown-pct" in err


def test_folders_that_cannot_be_judged(gate, slow: Path, tmp_path: Path) -> None:
    alone = build_run(tmp_path / "alone", arms={"base": SimulatedArm()})
    tune = build_run(tmp_path / "tune")
    manifest = json.loads((tune / "manifest.json").read_text())
    (tune / "manifest.json").write_text(json.dumps({**manifest, "kind": "tune"}))
    selftest = tmp_path / "selftest"
    selftest.mkdir()
    (selftest / "selftest.json").write_text("{}")
    for folder, words in (
        (alone, "nothing to compare it with"),
        (tune, "made by bench tune"),
        (selftest, "made by bench selftest"),
        (tmp_path / "none", "holds no run"),
    ):
        code, out, err = gate(folder, "--json")
        assert (code, out) == (2, ""), folder
        assert words in err
    assert gate(slow, "--json", "--markdown")[0] == 2


def test_a_damaged_run_is_no_decision(gate, slow: Path, tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", SLOW)
    next((folder / "samples").rglob("*.parquet")).write_bytes(b"PAR1")
    assert gate(folder, "--json")[:2] == (3, "")
    assert gate(slow, "--out", tmp_path / "no" / "such" / "folder.md")[0] == 3
