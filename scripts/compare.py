"""`bench compare`: stored runs side by side, with what differs between their set-ups."""

from __future__ import annotations

import datetime
import json as json_module
import shlex
from collections.abc import Sequence
from pathlib import Path

from loadtests.errors import UsageError
from loadtests.manifest import has_manifest
from loadtests.store import ANSWERS, new_run_folder
from reports.compare.judge import MOST_RUNS, compared
from reports.compare.read import read_run, refuse_other_kinds
from reports.compare.record import RunRecord
from reports.compare.terminal import print_compared
from reports.compare.write import write_comparison
from scripts.console import say
from scripts.results_index import relist


def compare_command(folders: Sequence[Path], out: Path | None, *, json: bool) -> int:
    """Compare the runs with the first of them, write and print the answer; returns the exit code.

    Raises UsageError for folders that are no runs, or are the same run.
    """
    _refuse_wrong_number(folders)
    target = _target(out)
    for folder in folders:
        refuse_other_kinds(folder)
    records = [_read(folder) for folder in folders]
    _refuse_the_same_twice(folders, records)
    answer = compared(records)
    write_comparison(target, answer, records, folders, _command(folders, out))
    relist(target, say)
    if json:
        print(json_module.dumps(answer.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        print_compared(answer, target)
    return 0


def _command(folders: Sequence[Path], out: Path | None) -> str:
    """The command as it was typed, but for `--json`, which changes no file."""
    words = ["bench", "compare", *map(str, folders), *(["--out", str(out)] if out else [])]
    return shlex.join(words)


def _read(folder: Path) -> RunRecord:
    say(f"Reading {folder} …")
    return read_run(folder)


def _refuse_wrong_number(folders: Sequence[Path]) -> None:
    if not 2 <= len(folders) <= MOST_RUNS:
        raise UsageError(
            f"bench compare takes 2 to {MOST_RUNS} runs, the first being the one that the others "
            f"are set against; {len(folders)} was given."
            if len(folders) == 1
            else f"bench compare takes 2 to {MOST_RUNS} runs; {len(folders)} were given.",
            hint="bench compare results/<run> results/<another run>",
        )


def _target(out: Path | None) -> Path:
    if out is not None and _is_ours(out):
        return out
    stamp = datetime.datetime.now(datetime.UTC)
    return new_run_folder(out, f"compare-{stamp:%Y%m%d-%H%M%S}")


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds an earlier comparison, and no run, so that it may be made anew."""
    try:
        answer = json_module.loads((folder / ANSWERS["compare"]).read_bytes())
    except (OSError, ValueError):
        return False
    ours = isinstance(answer, dict) and answer.get("kind") == "compare"
    return ours and not has_manifest(folder)


def _refuse_the_same_twice(folders: Sequence[Path], records: Sequence[RunRecord]) -> None:
    """A copy is no second run: its intervals would count the same luck twice."""
    seen: dict[tuple[str, str], Path] = {}
    for folder, record in zip(folders, records, strict=True):
        identity = (record.run, str(record.manifest.get("created_utc")))
        if identity in seen:
            raise UsageError(
                f"{seen[identity]} and {folder} are the same run ({record.run}): a run says "
                "nothing about itself.",
                hint="Measure again (bench run …) and compare with that.",
            )
        seen[identity] = folder
