"""PURE: moments in which generator or server were kept from running, named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.selftest.record import NEVER, Measured, Trial
from loadtests.trials import Int64Array
from reports.selftest.model import Check

LATE_NS = 2_000_000
"""A process that runs this much later than it was due was kept from running."""
BURST_NS = 100_000_000
"""After a stall everybody is answered at once: lateness until then is work, not noise."""
MOST_NAMED = 3
STEAL_LIMIT_PCT = 2.0
PRESSURE_LIMIT_PCT = 25.0
"""Of the time of a case; said from here on."""
GENERATOR, SERVER = "the generator", "the known-answer server"


@dataclass(frozen=True, slots=True)
class Moment:
    """Somebody was not run from one instant to another."""

    who: frozenset[str]
    begin_ns: int
    end_ns: int


def remarks(measured: Measured) -> tuple[str, ...]:
    """What disturbed a case, in words."""
    found = [
        _words(moment, trial.outcome.start_ns)
        for trial in measured.trials
        for moment in moments(measured.case.is_open, trial)
    ]
    said = found[:MOST_NAMED]
    if len(found) > MOST_NAMED:
        said.append(f"and {len(found) - MOST_NAMED} more such moments")
    waited = sum(trial.outcome.no_free_user for trial in measured.trials)
    if waited:
        said.append(f"{waited} arrivals found every user busy and were sent late")
    return tuple(said)


def about_the_server(checks: Sequence[Check]) -> tuple[str, ...]:
    """Where the server's own log is further from the known answer than the instrument may be."""
    late = [
        f"{check.quantity} {check.server_own:+.2f}"
        for check in checks
        if check.unit == "ms" and check.own_limit and check.server_own > check.theory_limit
    ]
    if not late:
        return ()
    return (
        f"the server's own log is late ({', '.join(late)} ms): the machine, not the instrument",
    )


def about_the_host(measured: Sequence[Measured]) -> tuple[str, ...]:
    """What the host did to everybody, in words, the worst cases named."""
    said = []
    steal = [(each.steal_pct or 0.0, each.case.name) for each in measured]
    pressure = [(each.pressure_pct or 0.0, each.case.name) for each in measured]
    for shares, limit_pct, what in (
        (steal, STEAL_LIMIT_PCT, "the host took up to {:.0f}% of the time (steal)"),
        (pressure, PRESSURE_LIMIT_PCT, "up to {:.0f}% of the time somebody waited for a core"),
    ):
        large = [share for share in shares if share[0] > limit_pct]
        if large:
            worst_pct, name = max(large)
            said.append(f"{what.format(worst_pct)}, worst in {name}; {len(large)} cases in all")
    return tuple(said)


def moments(is_open: bool, trial: Trial) -> list[Moment]:
    """When one or both were not run; what overlaps is one moment, the longest first."""
    late = _server_moments(trial)
    if is_open and not trial.outcome.no_free_user:
        late += _generator_moments(trial)
    late = [each for each in late if not _is_burst(each, trial)]
    return sorted(_merged(late), key=lambda each: each.begin_ns - each.end_ns)


def _server_moments(trial: Trial) -> list[Moment]:
    log = trial.log
    answered = (log.end_ns != NEVER) & (log.due_ns != NEVER)
    return _late(SERVER, log.due_ns[answered], log.end_ns[answered])


def _generator_moments(trial: Trial) -> list[Moment]:
    samples = trial.outcome.samples
    sent = samples.filter(samples["sent_ns"].is_valid())
    return _late(GENERATOR, sent["arrival_ns"].to_numpy(), sent["sent_ns"].to_numpy())


def _late(who: str, due_ns: Int64Array, done_ns: Int64Array) -> list[Moment]:
    return [
        Moment(frozenset({who}), int(due_ns[place]), int(done_ns[place]))
        for place in np.flatnonzero(done_ns - due_ns > LATE_NS)
    ]


def _is_burst(moment: Moment, trial: Trial) -> bool:
    return any(
        moment.end_ns > begin_ns and moment.begin_ns < end_ns + BURST_NS
        for begin_ns, end_ns in trial.log.stalls_ns
    )


def _merged(late: list[Moment]) -> list[Moment]:
    merged: list[Moment] = []
    for each in sorted(late, key=lambda moment: moment.begin_ns):
        if merged and each.begin_ns <= merged[-1].end_ns:
            last = merged.pop()
            end_ns = max(last.end_ns, each.end_ns)
            merged.append(Moment(last.who | each.who, last.begin_ns, end_ns))
        else:
            merged.append(each)
    return merged


def _words(moment: Moment, start_ns: int) -> str:
    who = "the machine" if len(moment.who) > 1 else next(iter(moment.who))
    took_ms = (moment.end_ns - moment.begin_ns) / 1e6
    at_s = (moment.begin_ns - start_ns) / 1e9
    return f"{who} stalled for {took_ms:.1f} ms, {at_s:.2f} s into the trial"
