"""The plan as JSON, for `bench run --dry-run --json`."""

from __future__ import annotations

import dataclasses
from typing import Any

from loadtests.schedule import Sizes, round_shape
from loadtests.spec import Spec
from reports.resolution import expected_resolution_pct, planned_primaries

SCHEMA = 1


def plan_json(spec: Spec, sizes: Sizes) -> dict[str, Any]:
    """Sizes, times in seconds, and the smallest capacity change it expects to resolve (or None)."""
    primaries = planned_primaries(spec)
    smallest = expected_resolution_pct(
        sizes.instances, max(1, sizes.rounds), sizes.pairs, primaries
    )
    return {
        "schema": SCHEMA,
        "plan": {
            "spec": spec.source,
            "seed": spec.run.seed,
            "arms": [arm.name for arm in spec.arm],
            "scenarios": [scenario.name for scenario in spec.scenario],
            "arms_of": {
                each.name: [arm.name for arm in spec.arms_of(each)] for each in spec.scenario
            },
            "instances": sizes.instances,
            "rounds": sizes.rounds,
            "rounds_are_fixed": sizes.rounds_are_fixed,
            "trials_per_round": round_shape(spec, sizes).trials,
            "block_s": spec.run.block_s,
            "set_up_s": round(sizes.set_up_s, 1),
            "measuring_s": round(sizes.measuring_s, 1),
            "smallest_capacity_change_pct": (
                None if smallest is None or not primaries else round(smallest, 1)
            ),
            "second_opinion": dataclasses.asdict(sizes.second_opinion)
            | {"seconds": round(sizes.second_opinion.seconds, 1)},
            "notes": list(sizes.notes),
        },
    }
