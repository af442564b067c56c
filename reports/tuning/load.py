"""A stored tune run as values: its journal, manifest and samples read from its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.errors import UsageError
from loadtests.journal import read_journal
from loadtests.manifest import kind_of
from loadtests.spec import Spec
from loadtests.tuning.past import Measured, Past, past_of
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import default_of
from loadtests.tuning.world import gives_up_early, objective_of, patience_s
from reports.measures import JUDGED, load_data
from reports.model import LoadFacts
from reports.run_folder import StoredRun, load_run
from reports.tuning.record import ArmSearch, Tried, TuneRecord
from reports.tuning.score import tried_of

Event = Mapping[str, Any]


def load_tune(folder: Path) -> TuneRecord:
    """Read a tune run's folder.

    Raises UsageError when it holds no run or one of another kind, StorageError when it is damaged.
    """
    stored = load_run(folder)
    if kind_of(stored.manifest) != "tune":
        raise UsageError(
            f"{folder} was made by bench run, not by bench tune.",
            hint=f"bench report {folder}",
        )
    events = list(read_journal(folder / "journal.jsonl"))
    past = past_of(events)
    tried = sorted(_tried(stored, past, events), key=lambda each: (each.block, each.setting))
    return TuneRecord(
        run=stored.run,
        status=stored.status,
        spec=stored.spec,
        hosts=int(stored.manifest["tune"]["hosts"]),
        manifest=stored.manifest,
        arms=tuple(_arm(stored.spec, past, arm) for arm in past.spaces),
        tried=tuple(tried),
        dropped=(*stored.notes, *_cut_off(stored, past)),
        notes=(*past.notes, *_crowded(stored)),
    )


def _tried(stored: StoredRun, past: Past, events: Sequence[Event]) -> Iterator[Tried]:
    """Every finished trial of a block that counts."""
    blocks = {each.block: each for each in past.measured if each.block is not None}
    counters = {e["trial"]: e.get("server") or {} for e in events if e["event"] == "trial"}
    scenario, objective = stored.spec.tuned_scenario, objective_of(stored.spec.tune.objective)
    of_blocks = [block for block in blocks.values() if block.scores]
    for facts in {_load_facts(each): None for each in of_blocks}:
        trials = stored.trials_of(scenario.name, facts.load)
        trials = trials[trials["block"].isin(list(blocks))]
        samples = stored.samples(scenario.name, facts.load, columns=JUDGED)
        samples = samples[samples["trial"].isin(trials["trial"])]
        data = load_data(facts, patience_s(stored.spec), trials, samples)
        for row, (trial, block, name) in enumerate(
            zip(data.trials["trial"], data.trials["block"], data.trials["arm"], strict=True)
        ):
            candidate = past.candidates[name]
            yield tried_of(
                data, row, blocks[block], candidate, objective, counters[trial],
                gave_up_early=gives_up_early(stored.spec),
            )  # fmt: skip


def _load_facts(block: Measured) -> LoadFacts:
    if block.rate_per_s is not None:
        name = f"open-{block.rate_per_s:g}"
        return LoadFacts(name, "open", rate_per_s=block.rate_per_s)
    return LoadFacts(f"closed-{block.users}", "closed", users=block.users)


def _arm(spec: Spec, past: Past, name: str) -> ArmSearch:
    """What the journal tells of one arm's search."""
    arm, space, pilot = spec.arm_named(name), past.spaces[name], past.pilots.get(name)
    chosen = past.chosen.get(name)
    settings: tuple[Setting, ...] = (*space.settings, *past.starters.get(name, ()))
    return ArmSearch(
        arm=name,
        kind=arm.kind,
        app=arm.app,
        present=space.present,
        settings=tuple(dict.fromkeys(settings)),
        refused=space.refused,
        notes=space.notes,
        need=pilot.need if pilot else None,
        finalists=past.finalists.get(name, ()),
        taken=chosen.taken if chosen else None,
        alternate=chosen.alternate if chosen else None,
        default=default_of(arm),
    )


def _crowded(stored: StoredRun) -> Iterator[str]:
    """Trials whose load had more requests in flight than the generator has users."""
    crowded = int((stored.trials["no_free_user"] > 0).sum())
    if crowded:
        yield (
            f"In {crowded} trials more requests were in flight than the generator has users; the "
            "others waited there, and count from the instant at which they were due."
        )


def _cut_off(stored: StoredRun, past: Past) -> Iterator[str]:
    """Blocks that were cut short: nothing in the journal says that they count."""
    counted = {each.block for each in past.measured}
    finished = stored.trials[stored.trials["state"] == "finished"]
    for block in sorted(set(finished["block"]) - counted):
        yield f"Block {block} was cut short and is left out."
