"""A clean checkout of one revision of somebody's repository, which is itself left untouched."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtests.environment.processes import watchdog
from loadtests.errors import EnvironmentNotReady

GIT_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an arm's command runs."""

    folder: Path
    commit: str | None = None
    """The whole hash of what is checked out there; None where it is no checkout of ours."""


@contextlib.contextmanager
def checkout(arm: str, folder: Path, revision: str) -> Iterator[Place]:
    """Where `folder` is in a fresh checkout of `revision`; removed with the block.

    The checkout borrows the repository's objects, so it costs little and writes nothing there
    (`git worktree` would). Raises EnvironmentNotReady, naming the arm, with what git says.
    """
    top = Path(_git(arm, folder, "rev-parse", "--show-toplevel"))
    objects = _git(
        arm, folder, "rev-parse", "--path-format=absolute", "--git-path", "objects"
    )  # `.git` is a file in worktrees and submodules
    sha = _git(arm, folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    target = Path(tempfile.mkdtemp(prefix="bench-checkout-"))
    entry = watchdog().add(folder=str(target))
    try:
        _git(arm, target, "init", "--quiet", "--template=")
        (target / ".git/objects/info").mkdir(parents=True, exist_ok=True)
        (target / ".git/objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
        _git(arm, target, "checkout", "--quiet", "--detach", sha)
        inside = target / folder.resolve().relative_to(top.resolve())
        if not inside.is_dir():
            raise EnvironmentNotReady(f'Arm "{arm}": {folder} does not exist in {revision}.')
        yield Place(inside, sha)
    finally:
        shutil.rmtree(target, ignore_errors=True)
        watchdog().remove(entry)


def _git(arm: str, folder: Path, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, check=False, timeout=GIT_LIMIT_S,
            stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentNotReady(f'Arm "{arm}" has a git_ref, but git fails: {error}.') from error
    if done.returncode != 0:
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise EnvironmentNotReady(
            f'Arm "{arm}": git {words[0]} in {folder} fails: {said}',
            hint="git_ref must be a branch, tag or commit of the repository that cwd is in.",
        )
    return done.stdout.strip()
