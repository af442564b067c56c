"""What to do about a gate that did not pass: how much more to measure, or what is in the way."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from loadtests.schedule import Limits, Sizes
from loadtests.spec import Spec
from loadtests.wall_time import sizes_within
from reports.model import Summary
from reports.run_folder import StoredRun
from reports.slowdown.demand import Demand, demands, excludable_pct, share_needed
from reports.slowdown.model import Decision, More, Planned
from reports.slowdown.planned import urls_of
from reports.slowdown.words import duration, more_words
from reports.words import percent

SHORTEST_S, LONGEST_S = 60.0, 6 * 3600.0
STEP = 1.1
"""Wall times are tried one after the other, each longer by so much."""


def advised(
    decision: Decision, run: StoredRun, summary: Summary, planned: Sequence[Planned]
) -> Decision:
    """The decision with what to do; nothing where it passed or failed."""
    if decision.outcome == "invalid":
        return replace(decision, advice="Mend what the checks found, and measure again.")
    if decision.outcome != "not enough data":
        return decision
    if run.status != "complete":
        resume = f"bench run --resume {shlex.quote(str(run.folder))}"
        return replace(decision, advice=f"The run was interrupted. Go on with: {resume}")
    limit_pct = decision.max_slowdown_pct
    return _with_more(decision, run, demands(summary.scenarios, planned, limit_pct, urls_of(run)))


def _with_more(decision: Decision, run: StoredRun, wanted: Sequence[Demand]) -> Decision:
    limit_pct = decision.max_slowdown_pct
    if limit_pct == 0:
        return replace(decision, advice=NOTHING_ALLOWED)
    if any(each.ci95_pct is None for each in decision.those("not enough data")):
        return replace(decision, advice=NO_INTERVAL)
    share = share_needed(wanted, *_size_of(run))
    if share <= 1.0:
        return replace(decision, advice=CLOSE)
    more = least_plan(run.spec, _limits(run), wanted)
    if more is not None:
        advice = f"{more_words(more)} {_as_it_is(limit_pct, share)}"
        return replace(decision, more=more, advice=advice)
    advice = (
        f"No plan of up to {duration(LONGEST_S)} on this machine would tell: its instances or "
        f"blocks differ too much (bench doctor says what would help). {_as_it_is(limit_pct, share)}"
    )
    return replace(decision, advice=advice)


def _as_it_is(limit_pct: float, share: float) -> str:
    found_pct = excludable_pct(limit_pct, share)
    told = f"{percent(found_pct)} or more" if found_pct < 100 else "no slowdown below 100%"
    return f"A run like this one can exclude {told}."


NOTHING_ALLOWED = (
    "With 0% allowed only a revision that is measurably faster passes: allow more "
    "(--max-slowdown-pct)."
)
NO_INTERVAL = (
    "What has no interval was measured too little: give it more instances and rounds (at least 5 "
    "and 2), longer windows (run.block_s) or a higher load."
)
CLOSE = (
    "This run was long enough for a revision that is no slower to pass four times out of five: "
    "either it is close to the limit, or chance had it. Look at what changed; another run may tell."
)


def _size_of(run: StoredRun) -> tuple[int, int]:
    """Instances of an arm and blocks of each, as the run has them."""
    instances = max((len(each) for each in run.measured_instances.values()), default=0)
    rounds = int((run.rounds["state"] == "finished").sum())
    pairs = 1 if run.spec.run.pairs == "auto" else run.spec.run.pairs
    return instances, rounds * pairs


def least_plan(spec: Spec, limits: Limits, wanted: Sequence[Demand]) -> More | None:
    """The shortest plan, as `bench run` would divide it, that meets every demand; None where
    LONGEST_S would not do."""
    wall_s = SHORTEST_S
    while wall_s <= LONGEST_S:
        sizes = sizes_within(spec, limits, wall_s)
        if sizes is not None and _do(wanted, sizes):
            took_s = sizes.set_up_s + sizes.measuring_s
            return More(sizes.instances, sizes.rounds * sizes.pairs, took_s)
        wall_s *= STEP
    return None


def _do(wanted: Sequence[Demand], sizes: Sizes) -> bool:
    return share_needed(wanted, sizes.instances, sizes.rounds * sizes.pairs) <= 1.0


def _limits(run: StoredRun) -> Limits:
    """What the machine of the run allows, as far as its manifest says."""
    host = run.manifest.get("host") or {}
    memory_mb = host.get("memory_available_mb") or host.get("memory_mb")
    return Limits(memory_mb=None if memory_mb is None else float(memory_mb), connections=None)
