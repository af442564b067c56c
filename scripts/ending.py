"""How a run or a tune run ends: reported, and where it was cut short, with the way to go on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from loadtests.errors import BenchError
from loadtests.manifest import has_manifest, read_manifest
from scripts.results_index import relist
from scripts.resuming import RunOptions, hidden_keys
from scripts.run_log import RunLog
from scripts.stopping import Stopping

INTERRUPTED = 130
INVALID = 4


class Report(Protocol):
    """The answer of a run."""

    @property
    def valid(self) -> bool:
        """Whether everything that it is about could be told."""
        ...

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        ...


R = TypeVar("R", bound=Report)


@dataclass(frozen=True)
class Ending(Generic[R]):
    """The ends of one command's runs. `write` reports a folder, `speak` prints the answer."""

    command: str
    page: str
    write: Callable[[Path], R]
    speak: Callable[[R, Path], None]

    def finish(self, folder: Path, options: RunOptions, log: RunLog) -> int:
        """Write the report of a complete run, say the answer, and choose the exit code."""
        try:
            report = self.write(folder)
        except KeyboardInterrupt:
            log.say(f"The run is complete; its report is not. {_how_to_report(folder)}")
            raise
        relist(folder, log.say)
        self._answer(report, folder, options)
        return 0 if report.valid else INVALID

    def finish_interrupted(
        self, folder: Path, options: RunOptions, log: RunLog, stopping: Stopping
    ) -> int:
        """Report what was measured, and say how to go on."""
        try:
            with stopping.at_once():
                measured = self._report_of_what_there_is(folder, log)
                if measured is not None:
                    self._answer(measured, folder, options)
        except KeyboardInterrupt:
            log.say(f"The report is not finished. {_how_to_report(folder)}")
        log.say(self._how_to_go_on(folder))
        return INTERRUPTED

    def keep_what_there_is(self, folder: Path, log: RunLog) -> None:
        """After an error: report what was measured until then, and say how to go on."""
        if not has_manifest(folder):
            return  # nothing was measured, and the error says all
        if self._report_of_what_there_is(folder, log) is not None:
            log.say(f"What was measured until then: {folder / self.page}")
        log.say(self._how_to_go_on(folder))

    def _how_to_go_on(self, folder: Path) -> str:
        if not has_manifest(folder):
            return "Stopped before anything was measured: there is nothing to go on with."
        again = "".join(f" --set {key}=…" for key in hidden_keys(read_manifest(folder)))
        return f"Go on with: bench {self.command} --resume {shlex.quote(str(folder))}{again}"

    def _report_of_what_there_is(self, folder: Path, log: RunLog) -> R | None:
        """The report of an unfinished run; None, said with the reason, when there can be none."""
        if not has_manifest(folder):
            return None
        try:
            report = self.write(folder)
        except BenchError as error:
            log.say(f"There is no report of what was measured: {error.message}")
            return None
        relist(folder, log.say)
        return report

    def _answer(self, report: R, folder: Path, options: RunOptions) -> None:
        if options.json:
            print(json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False))
        else:
            self.speak(report, folder)


def _how_to_report(folder: Path) -> str:
    return f"To make it: bench report {shlex.quote(str(folder))}"
