"""What a look at identical arms means for a run of a spec: the doctor's findings, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loadtests.environment.placement import Placement
from loadtests.environment.topology import cores_of
from loadtests.schedule import Limits, Sizes
from loadtests.spec import Spec
from loadtests.wall_time import sizes_within
from reports.ability import Ability, ability, primaries, what_repetition_helps
from reports.model import CAPACITY, PRIMARY_LATENCY, Comparison, Summary
from reports.resolution import Replication, planned_primaries
from reports.words import interval, metric_name
from scripts.finding import Finding
from scripts.self_comparison import SCENARIO, Seen

HORIZONS_MIN = (2, 8, 35)
JUDGED_MIN = 8
COARSEST_PCT = 50.0
"""A machine that cannot resolve this much in JUDGED_MIN is not fit to measure."""
STEAL_WORTH_TELLING_PCT = 1.0
NAMES = {CAPACITY: "capacity", PRIMARY_LATENCY: "p95"}


def findings_of(seen: Seen, spec: Spec, limits: Limits, placement: Placement) -> Iterator[Finding]:
    """Whether identical arms were found alike, and what a run of `spec` would resolve."""
    yield verdicts(seen)
    yield resolution(seen, spec, limits, placement)


def verdicts(seen: Seen) -> Finding:
    """The twin against itself: fit unless a gate failed. A false verdict is told as one."""
    found = list(primaries(seen.summary).values())
    invalid = [each for each in found if each.verdict == "invalid"]
    false = [each for each in found if each.verdict in ("faster", "slower")]
    return Finding(
        "A/A",
        bool(found) and not invalid,
        f"async twin against itself ({_size(found)}; {_host(seen)}): {_said(invalid, false)}",
        "What a check found is above; mend that first, then ask again.",
        (*map(_told, found), *(reason for each in invalid[:1] for reason in each.reasons)),
    )


def _said(invalid: list[Comparison], false: list[Comparison]) -> str:
    if invalid:
        return "invalid"
    if not false:
        return "no difference found, and there is none"
    return (
        "a false verdict – by chance that happens in one look of twenty; if it comes again, "
        "something treats the arms unequally"
    )


def _size(found: list[Comparison]) -> str:
    if not found:
        return "nothing was measured"
    return f"{SCENARIO}, {found[0].instances} instances × {found[0].rounds} rounds"


def _host(seen: Seen) -> str:
    return f"steal {_share(seen.steal_pct)}, CPU pressure {_share(seen.pressure_pct)} meanwhile"


def _share(share_pct: float | None) -> str:
    return "unknown" if share_pct is None else f"{share_pct:.1f}%"


def _told(comparison: Comparison) -> str:
    """`capacity: +1.2% to …, equivalent`."""
    name = metric_name(comparison.metric, comparison.request)
    if comparison.ci95_pct is None:
        return f"{name}: no interval"
    return f"{name}: {interval(comparison.ci95_pct)}, {comparison.verdict}"


def resolution(seen: Seen, spec: Spec, limits: Limits, placement: Placement) -> Finding:
    """What a run of `spec` would resolve in each of HORIZONS_MIN, and what would help."""
    known = abilities(seen.summary)
    if not known:
        return Finding(
            "resolution",
            False,
            "the look was too small or too disturbed to tell",
            "Ask again when the machine is quieter.",
        )
    plans = {each: sizes_within(spec, limits, each * 60.0) for each in HORIZONS_MIN}
    judged = plans[JUDGED_MIN]
    return Finding(
        "resolution",
        judged is None or _fine_enough(known, _replication(judged, spec)),
        f"smallest changes in {SCENARIO} that a run like {spec.source} would find four times out "
        "of five (in brackets: as closely as so short a look can tell)",
        f"Not even {COARSEST_PCT:g}% in {JUDGED_MIN} minutes: see what would help, or measure "
        "elsewhere.",
        (
            *(_horizon(each, sizes, known, spec) for each, sizes in plans.items()),
            *(f"would help: {each}" for each in _helpful(seen, spec, known, judged, placement)),
        ),
    )


def abilities(summary: Summary) -> dict[str, Ability]:
    """What the look says of each metric that it can speak of."""
    told = {metric: ability(each) for metric, each in primaries(summary).items()}
    return {metric: each for metric, each in told.items() if each is not None}


def _replication(sizes: Sizes, spec: Spec) -> Replication:
    blocks = sizes.rounds * sizes.pairs
    return Replication(sizes.instances, blocks, max(1, planned_primaries(spec)))


def _fine_enough(known: Mapping[str, Ability], plan: Replication) -> bool:
    """Whether at least one metric can be resolved to COARSEST_PCT."""
    found = [each.resolution(plan) for each in known.values()]
    return any(each is not None and each.pct <= COARSEST_PCT for each in found)


def _horizon(minutes: int, sizes: Sizes | None, known: Mapping[str, Ability], spec: Spec) -> str:
    """` 8 min: capacity ±9.1% (7.0% to 14%), p95 ±12% (…); 15 instances × 2 rounds`."""
    if sizes is None:
        return f"{minutes:>2} min: too short for all scenarios of {spec.source}"
    plan = _replication(sizes, spec)
    reached = {name: known[metric].resolution(plan) for metric, name in NAMES.items()
               if metric in known}  # fmt: skip
    told = [f"{name} {each.words() if each else 'not at all'}" for name, each in reached.items()]
    return (
        f"{minutes:>2} min: {', '.join(told)}; {sizes.instances} instances × {plan.blocks} rounds"
    )


def _helpful(
    seen: Seen, spec: Spec, known: Mapping[str, Ability], judged: Sizes | None, placement: Placement
) -> Iterator[str]:
    """What would make intervals narrower here, by what was measured."""
    if seen.steal_pct is not None and seen.steal_pct >= STEAL_WORTH_TELLING_PCT:
        yield (
            f"less steal: other guests of the host took {seen.steal_pct:.1f}% of this machine's "
            "CPU time; another hour, or a machine of one's own"
        )
    if _generator_and_database_share(placement):
        yield "more cores: generator and database share what could be a core for each"
    for metric, name in NAMES.items():
        if judged is not None and metric in known:
            advice = what_repetition_helps(known[metric], _replication(judged, spec))
            if advice is not None:
                yield f"for {name}, {advice}"


def _generator_and_database_share(placement: Placement) -> bool:
    """Whether both are on one physical core, be it on different threads of it."""
    parties = (set(placement.generator), set(placement.database))
    return any(
        all(party & set(core.cpus) for party in parties) for core in cores_of(placement.cores)
    )
