"""An arm from a clean checkout of a revision, and its own reset command."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.environment import servers
from loadtests.environment.launch import Launch
from loadtests.environment.servers import run_reset
from loadtests.errors import EnvironmentNotReady
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.spec import Spec
from tests.support.tiny_service import NOTHING, TINY, not_started, starting, tiny, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.py").write_text(TINY)
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Callable[..., Any]:
    return starting(folder)


# A revision of somebody's repository


@pytest.fixture
def repository(folder: Path) -> Callable[..., str]:
    top = folder / "shop"
    (top / "service").mkdir(parents=True)
    (top / "service" / "tiny.py").write_text(TINY.replace('"cwd"', '"old": True, "cwd"'))

    def git(*words: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        done = subprocess.run(
            ["git", "-C", str(top), *identity, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "old")
    git("tag", "v1")
    (top / "service" / "tiny.py").write_text("raise SystemExit('the working copy was run')")
    git("commit", "-qam", "new")
    return git


def test_a_git_ref_is_run_from_a_clean_checkout_that_goes_away(
    up: Callable[..., Any], repository: Callable[..., str], folder: Path
) -> None:
    before = sorted(str(path) for path in (folder / "shop" / ".git").rglob("*"))
    with up(tiny(cwd="shop/service", git_ref="v1"), instances=2) as instances:
        seen = [told(instance) for instance in instances]
        assert all("old" in answer for answer in seen)
        (place,) = {answer["cwd"] for answer in seen}
        assert {each.commit for each in instances} == {repository("rev-parse", "v1")}
        assert place.endswith("/service")
        assert str(folder) not in place
    assert not Path(place).parent.exists()
    assert sorted(str(path) for path in (folder / "shop" / ".git").rglob("*")) == before
    assert repository("status", "--porcelain") == ""


def test_a_shallow_clone_will_do(
    up: Callable[..., Any], repository: Callable[..., str], folder: Path
) -> None:
    repository("checkout", "-q", "v1")
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{folder}/shop", str(folder / "clone")],
        check=True,
    )
    with up(tiny(cwd="clone/service", git_ref="HEAD")) as (instance,):
        assert "old" in told(instance)


@pytest.mark.parametrize(
    ("cwd", "ref", "words"),
    [("shop/service", "no-such-ref", "rev-parse"), (".", "v1", "not a git repository")],
)
def test_a_git_ref_that_is_none_is_explained(
    up: Callable[..., Any], repository: Callable[..., str], cwd: str, ref: str, words: str
) -> None:
    with (
        pytest.raises(EnvironmentNotReady, match=f'"tiny".*{words}'),
        up(tiny(cwd=cwd, git_ref=ref)),
    ):
        pass


# An arm's own reset


@pytest.mark.parametrize("place", [".", "shop"])
def test_a_reset_command_runs_in_the_arms_folder(folder: Path, place: str) -> None:
    (folder / "shop").mkdir()
    (folder / place / "reset.sh").write_text("#!/bin/sh\npwd > done.txt\n")
    (folder / place / "reset.sh").chmod(0o755)
    arm = tiny(cwd="shop", reset="./reset.sh")
    run_reset(Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder)), not_started(arm), NOTHING)
    assert (folder / "shop" / "done.txt").read_text().strip() == str(folder / "shop")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh -c 'echo out; echo no table >&2; exit 4'", "exit code 4: no table"),
        ("./missing.sh", "could not be started"),
        ("sleep 30", "did not end"),
    ],
)
def test_a_failing_reset_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.setattr(servers, "RESET_LIMIT_S", 0.3)
    arm = tiny(reset=command)
    with pytest.raises(EnvironmentNotReady, match=f'"tiny".*{words}'):
        run_reset(
            Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder)), not_started(arm), NOTHING
        )


def test_a_reset_runs_where_its_service_does_and_its_secrets_are_masked(folder: Path) -> None:
    """In the service's own checkout, with its DATABASE_URL, which an error does not repeat."""
    checkout = folder / "checkout"
    checkout.mkdir()
    secret = "hunter2-in-a-url"
    launch = Launch([], {**os.environ, "DATABASE_URL": secret}, checkout)
    database = SimpleNamespace(mask=lambda text: text.replace(secret, "***"))
    arm = tiny(reset="sh -c 'pwd >where; echo cannot reach $DATABASE_URL >&2; exit 3'")
    spec = Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder))
    with pytest.raises(EnvironmentNotReady, match=r"exit code 3: cannot reach \*\*\*"):
        run_reset(spec, not_started(arm, launch), database)  # type: ignore[arg-type]
    assert (checkout / "where").read_text().strip() == str(checkout)
