"""PURE: the gate on twins: no verdict between arms that a run saw to be different services."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.sameness.record import Proof
from reports.model import GateResult

NO_TWINS = (
    "they are not twins, so that a difference between them says nothing about sync and async; "
    "mend them until python -m pytest tests/contract/test_twins_same.py passes"
)


def same_work_gate(arm: str, baseline: str, proofs: Sequence[Proof]) -> GateResult:
    """Whether two twins had one interface, did the same work and gave the same answers.

    `proofs`: what each session of the run saw before it measured.
    """
    seen = [_same_work(proof, (baseline, arm)) for proof in proofs]
    seen = seen or [(None, "the run did not look")]
    ok, detail = next((each for each in seen if each[0] is False), seen[-1])
    if ok and any(each[0] is None for each in seen):
        ok, detail = next(each for each in seen if each[0] is None)
    return GateResult("same-work", None, arm, ok, None, None, detail)


def _same_work(proof: Proof, arms: tuple[str, str]) -> tuple[bool | None, str]:
    """One session's outcome for two arms, each of which was held against the reference."""
    reasons = [f"{arm}: {proof.not_checked[arm]}" for arm in arms if arm in proof.not_checked]
    unknown = [arm for arm in arms if arm != proof.reference and arm not in proof.arms]
    if reasons or unknown:
        return None, f"not checked ({'; '.join(reasons) or f'{unknown[0]}: the run did not look'})"
    sides = [side for arm in arms if arm in proof.arms for side in proof.arms[arm].judged.values()]
    if wrong := [side.detail for side in sides if side.ok is False]:
        return False, f"{'; '.join(wrong)}: {NO_TWINS}"
    if doubts := [side.detail for side in sides if side.ok is None]:
        return None, "; ".join(doubts)
    return True, "interface, work and answers were equal before the run"
