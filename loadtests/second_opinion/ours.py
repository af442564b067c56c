"""What our generator counts of a turn, in the form in which wrk counts it."""

from __future__ import annotations

import pyarrow.compute as pc

from loadtests.second_opinion.wrk import Counted
from loadtests.trials import TrialOutcome
from loadtests.unrecorded import completions_per_s


def counted(outcome: TrialOutcome) -> Counted:
    """Good answers per second inside the steady window, and requests that got none."""
    failed = pc.sum(pc.invert(outcome.samples.column("ok"))).as_py() or 0
    return Counted(completions_per_s(outcome), failed)
