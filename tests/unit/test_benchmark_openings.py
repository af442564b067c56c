"""What is told of instances: each source of a difference is found where it is put, nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.instances import openings_judged as judged

INSTANCES, OPENINGS, CYCLES = 40, 4, 20
NOISE, SPREAD = 0.05, 0.06
ZERO = 0.02


def turns(
    *, process: float = 0.0, connections: float = 0.0, order: float = 0.0, warm: float = 0.0
) -> pd.DataFrame:
    """Turns in which instances differ by these logs (sd; last against first; warm against cold)."""
    random = np.random.default_rng(1)
    of_process = process * random.standard_normal(INSTANCES)
    rows = []
    for opening in range(OPENINGS):
        rank = random.permutation(INSTANCES)
        of_connections = connections * random.standard_normal(INSTANCES)
        for cycle in range(CYCLES):
            machine = 0.2 * random.standard_normal()
            for number in range(INSTANCES):
                place = rank[number] / (INSTANCES - 1) - 0.5
                mine = of_process[number] + of_connections[number] + order * place
                for is_warm in (False, True):
                    noise = NOISE * random.standard_normal()
                    answers = 1e6 * np.exp(machine + mine + warm * is_warm + noise)
                    rows.append((opening, cycle, number, rank[number], is_warm, answers, 0.25))
    names = ["opening", "cycle", "number", "rank", "warm", "answers", "wall_s"]
    return pd.DataFrame(rows, columns=names)


def told(frame: pd.DataFrame) -> dict[str, float]:
    cube = judged.effects(frame)
    return {
        "process": max(0.0, judged.between_variance(cube)) ** 0.5,
        "connections": max(0.0, judged.opening_variance(cube)) ** 0.5,
        "order": judged.order_effect(cube, judged.ranks(frame)),
        "warm": float(judged.warmth(frame).mean()),
    }


@pytest.mark.parametrize("source", ["process", "connections", "order", "warm"])
def test_a_difference_is_found_where_it_comes_from(source: str) -> None:
    found = told(turns(**{source: SPREAD}))
    assert found.pop(source) == pytest.approx(SPREAD, rel=0.35)
    if source == "order":  # ranks are drawn anew with each opening, as what comes with it is
        found.pop("connections")
    assert all(abs(each) < ZERO for each in found.values()), found


def test_rows_tell_each_with_an_interval_that_holds_it() -> None:
    lines = list(judged.rows(turns(order=SPREAD)))
    [line] = [line for line in lines if "last against first" in line]
    low, high = map(float, line.split("[")[1].rstrip("] |").split(", "))
    assert low < 100 * SPREAD < high
    assert low > 0
