"""PURE: a measuring budget divided between instances and rounds for the narrowest answer."""

from __future__ import annotations

from loadtests.spreads import PRIOR

FEWEST_INSTANCES = 3
FEWEST_ROUNDS = 2
"""One round would be narrower still, but could not tell instances' spread from the blocks', nor
stop early; and a run cut short in it would lack whole scenarios."""
MOST_ROUNDS = 40


def best_division(budget_s: float, instance_round_s: float, most_instances: int) -> tuple[int, int]:
    """Instances and rounds with the smallest variance whose rounds fit the budget.

    `instance_round_s`: wall time of one round for one instance of every arm. At least
    FEWEST_INSTANCES (or `most_instances`, if that is less) even where they do not fit; the fewest
    instances among equals.
    """
    fewest = min(FEWEST_INSTANCES, most_instances)
    choices = {
        instances: min(MOST_ROUNDS, int(budget_s / (instances * instance_round_s)))
        for instances in range(fewest, most_instances + 1)
    }
    enough = [instances for instances, rounds in choices.items() if rounds >= FEWEST_ROUNDS]
    if not enough:
        return fewest, max(1, choices[fewest])
    best = min(enough, key=lambda instances: PRIOR.variance(instances, choices[instances]))
    return best, choices[best]
