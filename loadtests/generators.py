"""The load generator as a run sees it: one process or several that act as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from loadtests.errors import BenchError
from loadtests.generator.protocol import Frame, outcome_in, trial_frame
from loadtests.generator_client import GeneratorProcess
from loadtests.scenarios.model import Scenario
from loadtests.sharing import Share, merged
from loadtests.trials import Target, TrialOrder, TrialOutcome

START_DELAY_NS = 20_000_000
"""From the last process's readiness to the common start: time to tell each of them."""
T = TypeVar("T")


class Generators:
    """Resident Locust processes that share each trial. Satisfies `loadtests.trials.Generator`.

    All begin a trial at one instant of the monotonic clock, which the processes of a machine have
    in common. If one is lost, the trial is: nothing of it is kept.
    """

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self._processes: list[GeneratorProcess] = []
        self._places: list[int] = []
        """For each process the core it runs on, or its own number where none is pinned."""
        self._undivided = {s.name for s in scenarios if s.locustfile is not None}
        """A locustfile may count on being alone (its globals, `fixed_count`): one process only."""

    @classmethod
    def start(
        cls,
        targets: Sequence[Target],
        scenarios: Sequence[Scenario],
        *,
        folder: str | Path,
        cores: Sequence[int],
        log_path: Path,
        count: int = 1,
    ) -> Generators:
        """Start `count` processes, each on one of `cores` in turn (empty: wherever the system puts
        them), and wait until all are ready.

        The first process logs to `log_path`, the others beside it. Relative locustfiles are looked
        up in `folder`. Raises EnvironmentNotReady when one does not start, SpecError when a
        locustfile cannot be used.
        """
        generators = cls(scenarios)
        try:
            for number in range(count):
                generators._launch(Share(number, count), cores, log_path)
            for process in generators._processes:
                process.set_up(targets, scenarios, folder)
        except BaseException:
            generators.close()
            raise
        return generators

    def _launch(self, share: Share, cores: Sequence[int], first_log: Path) -> None:
        """One process may use all the cores there are; several get one each."""
        number = share.number
        place = number * len(cores) // share.of  # threads of one core stand side by side
        own = [cores[place]] if cores and share.of > 1 else cores
        log = first_log if number == 0 else first_log.with_stem(f"{first_log.stem}-{number + 1}")
        self._processes.append(GeneratorProcess(cores=own, log_path=log, share=share))
        self._places.append(own[0] if own else number)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes' ids."""
        return tuple(process.pid for process in self._processes)

    @property
    def real_time(self) -> bool:
        """Whether the system lets all of them go before their neighbours during a trial."""
        return all(process.real_time for process in self._processes)

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Run one trial and return once every process has drained.

        Raises EnvironmentNotReady, naming the process, when one is gone or hangs.
        """
        if len(self._processes) == 1 or order.scenario in self._undivided:
            return self._processes[0].run_trial(order)
        within_s = self._processes[0].trial_limit_s(order)
        prepared = _asked(self._processes, trial_frame(order), within_s)
        if _errors(prepared):
            pairs = zip(self._processes, prepared, strict=True)
            ready = [process for process, answer in pairs if isinstance(answer, Frame)]
            _asked(ready, Frame({"kind": "cancel"}), within_s)
            raise _errors(prepared)[0]
        start_ns = time.monotonic_ns() + START_DELAY_NS
        told = _asked(self._processes, Frame({"kind": "start", "start_ns": start_ns}), within_s)
        if _errors(told):
            raise _errors(told)[0]
        outcomes = [outcome_in(answer) for answer in told if isinstance(answer, Frame)]
        return merged(outcomes, self._places)

    def close(self) -> None:
        """End all processes; they also end by themselves when this process does."""
        for process in self._processes:
            process.ask_to_end()
        for process in self._processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _asked(
    processes: Sequence[GeneratorProcess], frame: Frame, within_s: float
) -> list[Frame | BenchError]:
    """Tell all of them a frame, then wait for each one's answer, or for what went wrong with it."""
    told = [_tried(partial(process.tell, frame)) for process in processes]
    return [
        _tried(partial(process.answer, within_s)) if lost is None else lost
        for process, lost in zip(processes, told, strict=True)
    ]


def _tried(ask: Callable[[], T]) -> T | BenchError:
    """The answer; an error in its place, so that the others are waited for all the same."""
    try:
        return ask()
    except BenchError as error:
        return error


def _errors(answers: Sequence[Frame | BenchError]) -> list[BenchError]:
    return [answer for answer in answers if isinstance(answer, BenchError)]
