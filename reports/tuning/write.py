"""Writes what there is of a tune run's answer: what its finals took, and the trials behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.store import write_atomically
from reports.tuning.load import load_tune
from reports.tuning.record import TuneRecord


@dataclass(frozen=True)
class Taken:
    """What was taken of each arm; nothing is judged."""

    record: TuneRecord

    @property
    def valid(self) -> bool:
        """Whether every arm has a setting that was tried again."""
        confirmed = {each.arm for each in self.record.tried if each.stage == "confirm"}
        return all(arm.taken is not None and arm.arm in confirmed for arm in self.record.arms)

    def to_json(self) -> dict[str, Any]:
        """The settings taken, by arm."""
        return {
            "schema": 1,
            "arms": {
                arm.arm: {
                    "recommended": arm.taken.to_json() if arm.taken else None,
                    "trials": sum(each.arm == arm.arm for each in self.record.tried),
                }
                for arm in self.record.arms
            },
        }


def write_tune_report(folder: Path) -> Taken:
    """Write `tune.json`. Raises StorageError when the run cannot be read or the file written."""
    taken = Taken(load_tune(folder))
    text = json.dumps(taken.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "tune.json", f"{text}\n".encode())
    return taken
