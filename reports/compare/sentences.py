"""PURE: what a comparison of runs says, in sentences that claim no more than it may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from reports import words
from reports.compare.model import Claim, ClaimWord, Group, Question, Run, Within
from reports.compare.setup import changed_ground
from reports.model import CAPACITY, COST

HOW_TO_READ = (
    "Within each run the arms were loaded in turn, in the same blocks: what a run says of its own "
    "arms is solid. Between runs nothing was in turn: hour, machine and set-up may all have "
    "changed. So a claim between runs is made only through the arm that both have in common: not "
    "how fast an arm is here and there, but how its ratio to the common arm differs."
)
NEVER_ABSOLUTE = (
    "It does not say which run is faster. Absolute numbers of different runs stand side by side "
    "without a ratio and without a verdict."
)
ONE_RUN_EACH = (
    "One run stands for each set-up. What varies from one run to the next without any cause that "
    "is listed here is in no interval: repeat the runs before you build on a change."
)
MOST_NAMED = 4
MOST_TITLES = 4
BRIEF: dict[ClaimWord, str] = {
    "changed": "changed",
    "equivalent": "no change that matters",
    "inconclusive": "cannot tell",
    "no claim": "no claim",
    "invalid": "invalid",
}


def ground_words(groups: Sequence[Group], doubts: Sequence[str]) -> str:
    """What a claim is about when the ground under all arms changed, or when it did not. `doubts`:
    of the sameness of the common arms."""
    changed = changed_ground(groups)
    if not changed:
        same = "Nothing that is known of machine, software and database differs between these runs"
        if doubts:
            told = "; ".join(map(words.tidy, doubts))
            return (
                f"{same}. Whether the common arm is the same thing in all of them is open: {told}."
            )
        return f"{same}, so that the common arm is the same thing in all of them."
    listed = words.listed(map(words.within_a_sentence, changed))
    return (
        f"Between these runs {listed} changed, and with {'it' if len(changed) == 1 else 'them'} "
        "the common arm, which runs on the same ground as all others. A claim therefore answers "
        "whether one arm's advantage over the other changed, and not whether either became faster."
    )


def claim_sentence(question: Question, claim: Claim, equivalence_pct: float) -> str:
    """One claim, or why there is none."""
    where = words.load_phrase(question.within[0].load)
    start = f"{words.capital(where)}, "
    if claim.verdict in ("no claim", "invalid") or claim.ci95_pct is None:
        what = words.metric_name(question.metric, question.request)
        why = words.tidy("; ".join(each.rstrip(". ") for each in claim.reasons))
        lead = "it cannot be told" if claim.verdict == "inconclusive" else "there is no claim"
        return f"{start}{lead} of {claim.other} against {claim.reference} on {what}: {why}."
    return f"{start}{_said(question, claim, claim.ci95_pct, equivalence_pct)}{_remarks(claim)}"


def _said(question: Question, claim: Claim, ci: tuple[float, float], equivalence_pct: float) -> str:
    more, less = _directions(question.metric)
    ratio = _ratio(question, claim)
    where = f"in {claim.other} than in {claim.reference}"
    if claim.verdict == "changed":
        size = words.percent(claim.change_pct or 0.0)
        side = more if (claim.change_pct or 0.0) > 0 else less
        return f"{ratio} is {size} {side} {where} (95% interval: {words.span(ci, more, less)})."
    if claim.verdict == "equivalent":
        return (
            f"{ratio} differs by less than {equivalence_pct:g}% between {claim.reference} and "
            f"{claim.other}, too little to matter (95% interval: {words.interval(ci)})."
        )
    told = f"it cannot be told whether {ratio} changed: it is {words.span(ci, more, less)} {where}"
    smallest = "" if claim.mde_pct is None else f" {_smallest(claim.mde_pct)}"
    return f"{told} (95% interval).{smallest}"


def _smallest(mde_pct: float) -> str:
    return f"A change of {words.percent(mde_pct)} or more would probably have shown."


def _ratio(question: Question, claim: Claim) -> str:
    """`async's capacity relative to sync's`."""
    subject, through = words.tidy(claim.subject), words.tidy(claim.through or "")
    name = words.metric_name(question.metric, question.request)
    ratio = f"{subject}'s {name} relative to {through}'s"
    other, differences = (
        words.tidy(claim.other_subject),
        words.tidy(", ".join(claim.subject_differs)),
    )
    if other != subject:
        change = f"{other} standing in {claim.other} where {subject} does in {claim.reference}"
        return f"{ratio} ({'; '.join(filter(None, [change, differences]))})"
    return f"{ratio} ({subject} not being the same: {differences})" if differences else ratio


def _directions(metric: str) -> tuple[str, str]:
    return ("higher", "lower") if metric in (CAPACITY, COST) else ("longer", "shorter")


def _remarks(claim: Claim) -> str:
    return "".join(f" Note: {words.tidy(each).rstrip('. ')}." for each in claim.reasons[1:])


def within_sentence(within: Within) -> str:
    """What one run says of its own arms, briefly: `A: async has more capacity: +12% (…)`."""
    arms = f"{words.tidy(within.candidate)} against {words.tidy(within.baseline)}"
    if within.change_pct is None or within.ci95_pct is None:
        why = words.tidy("; ".join(within.reasons)) or "too little was measured"
        return f"{within.letter}: {arms}: {VERDICTS[within.verdict]}: {why}"
    return (
        f"{within.letter}: {arms}: {words.change(within.change_pct)} "
        f"({words.interval(within.ci95_pct)}), {within_verdict(within)}"
    )


VERDICTS = {
    "equivalent": "no difference that matters",
    "inconclusive": "cannot tell",
    "invalid": "invalid",
}


def within_verdict(within: Within) -> str:
    """A run's own verdict in a few words."""
    winner = {"faster": within.candidate, "slower": within.baseline}.get(within.verdict)
    return f"{words.tidy(winner)} is better" if winner else VERDICTS[within.verdict]


def headline(
    runs: Sequence[Run],
    groups: Sequence[Group],
    questions: Sequence[Question],
    equivalence_pct: float,
) -> str:
    """What differs, and what became of the arms' ratio, counted."""
    reference, *others = runs
    told = [_against(reference, other, questions, equivalence_pct) for other in others]
    return " ".join([_what_differs(runs, groups), *told])


def _what_differs(runs: Sequence[Run], groups: Sequence[Group]) -> str:
    shown = [f"{run.letter} ({run.what})" if run.what else run.letter for run in runs[:MOST_NAMED]]
    left = len(runs) - MOST_NAMED
    named = words.listed([*shown, f"{left} more"] if left > 0 else shown)
    differing = sorted(
        (group for group in groups if group.differences),
        key=lambda group: not group.changes_the_ground,
    )
    titles = [words.within_a_sentence(group.title) for group in differing]
    if len(titles) > MOST_TITLES:
        titles = [*titles[: MOST_TITLES - 1], f"{len(titles) - MOST_TITLES + 1} more respects"]
    differ = f"differ in {words.listed(titles)}" if titles else "have the same set-up"
    return f"{named} {differ}."


def _against(
    reference: Run, other: Run, questions: Sequence[Question], equivalence_pct: float
) -> str:
    claims = [
        (question, claim)
        for question in questions
        if question.primary
        for claim in question.claims
        if claim.other == other.letter
    ]
    start = f"{other.letter} against {reference.letter}"
    if not claims or all(claim.verdict == "no claim" for _, claim in claims):
        reasons = list(dict.fromkeys(claim.reasons[0] for _, claim in claims))
        why = words.tidy("; ".join(reasons[:2])) or "no primary comparison in common"
        return f"{start}: no claim, {why}."
    through = words.listed(
        dict.fromkeys(words.tidy(claim.through) for _, claim in claims if claim.through)
    )
    said = _counted(claims, equivalence_pct)
    return f"{start}, through {through}: {said}." if through else f"{start}: {said}."


def _counted(claims: Sequence[tuple[Question, Claim]], equivalence_pct: float) -> str:
    found = [claim.verdict for _, claim in claims]
    total = f"{len(found)} primary comparison{'s' if len(found) > 1 else ''}"
    if set(found) == {"inconclusive"}:
        return f"no change is shown in any of {total}, nor that there is none"
    changed = words.listed(_short(*each) for each in claims if each[1].verdict == "changed")
    parts = [
        f"{number} {said}"
        for word, said in (
            ("changed", f"changed ({changed})"),
            ("equivalent", f"the same within ±{equivalence_pct:g}%"),
            ("inconclusive", "cannot be told"),
            ("invalid", "invalid"),
            ("no claim", "without a claim"),
        )
        if (number := found.count(cast("ClaimWord", word)))
    ]
    return f"of {total} {words.listed(parts)}"


def _short(question: Question, claim: Claim) -> str:
    metric = words.metric_name(question.metric).replace(" response time", "")
    place = f"{words.tidy(question.scenario, 30)} {metric}"
    return f"{place} of {words.tidy(claim.other_subject)} {words.change(claim.change_pct)}"
