"""The controller's end of one generator process: tells it what there is to load, and its trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadtests.framed_process import FramedProcess
from loadtests.generator.protocol import outcome_in, setup_frame, trial_frame
from loadtests.scenarios.model import Scenario
from loadtests.sharing import Share
from loadtests.trials import Target, TrialOrder, TrialOutcome

READY_WITHIN_S = 60.0
GRACE_S = 45.0
"""Beyond a trial's own length and timeout: start of somebody's own users, drain, the table."""


class GeneratorProcess(FramedProcess):
    """A resident Locust process: one of those that `loadtests.generators.Generators` commands."""

    def __init__(self, *, cores: Sequence[int], log_path: Path, share: Share) -> None:
        """Start the process for its `share` of every trial; it is of use after `set_up`."""
        super().__init__(
            "The load generator",
            "loadtests.generator.process",
            [str(core) for core in cores],
            log_path,
            detail=f", number {share.number + 1} of {share.of}" if share.of > 1 else "",
        )
        self._share = share
        self._timeouts_s: dict[str, float] = {}
        self.real_time = False
        """Whether the system lets the generator go before its neighbours during a trial."""

    def set_up(
        self, targets: Sequence[Target], scenarios: Sequence[Scenario], folder: str | Path
    ) -> None:
        """Tell it what there is to load and wait until it is ready; end it when it is not.

        Relative locustfiles are looked up in `folder`. Raises EnvironmentNotReady when it does not
        start, SpecError when a locustfile cannot be used.
        """
        self._timeouts_s = {scenario.name: scenario.timeout_s for scenario in scenarios}
        where = str(Path(folder).resolve())
        try:
            self.tell(setup_frame(targets, scenarios, where, self._share))
            ready = self.answer(READY_WITHIN_S)
            self.real_time = bool(ready.header["real_time"])
        except BaseException:
            self.close()
            raise

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Run one trial and return once it has drained. Raises EnvironmentNotReady when the
        generator is gone or hangs."""
        self.tell(trial_frame(order))
        return outcome_in(self.answer(self.trial_limit_s(order)))

    def trial_limit_s(self, order: TrialOrder) -> float:
        """How long a trial may take before the process counts as hanging."""
        own_s = order.lead_in_s + order.steady_s + self._timeouts_s[order.scenario]
        return own_s + GRACE_S
