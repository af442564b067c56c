"""How much of each CPU's time others take: the same piece of work again and again on each in turn.

Cheap (about two seconds), and nothing of ours runs beside it. What it sees is what a server pinned
to that CPU would suffer: time stolen by the hypervisor, neighbours, interrupts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from loadtests.environment.placement import CoreNoise
from loadtests.environment.processes import on_cores

PIECE_S = 0.01
TURN_S = 0.1
LOOK_S = 2.0
"""For all CPUs together, were they left alone."""
MOST_TURNS = 10
FEWEST_TURNS = 2
"""So that what is seen in one half of the look can be seen again in the other."""
GIVE_UP_S = 4.0
MOST_CPUS = 32
"""A choice: of LOOK_S each of 32 CPUs gets two turns of three pieces, and of more even less."""

Turn = tuple[int, ...]
"""Nanoseconds that each piece of a turn took."""


def noise_of(turns: Mapping[int, Sequence[Turn]]) -> tuple[CoreNoise, ...]:
    """PURE: how each CPU was slowed, against the fastest piece on any; empty without turns."""
    pieces = [piece for each in turns.values() for turn in each for piece in turn]
    if not pieces:
        return ()
    fastest_ns = min(pieces)
    return tuple(_noise(cpu, each, fastest_ns) for cpu, each in turns.items())


def _noise(cpu: int, turns: Sequence[Turn], fastest_ns: int) -> CoreNoise:
    half = len(turns) // 2
    return CoreNoise(
        core=cpu,
        slowed_pct=_slowed_pct(turns, fastest_ns),
        halves_pct=(_slowed_pct(turns[:half], fastest_ns), _slowed_pct(turns[half:], fastest_ns)),
    )


def _slowed_pct(turns: Sequence[Turn], fastest_ns: int) -> float:
    pieces = [piece for turn in turns for piece in turn]
    return round(100.0 * (sum(pieces) / len(pieces) / fastest_ns - 1.0), 2)


def look_at(cpus: Sequence[int], look_s: float = LOOK_S) -> Mapping[int, Sequence[Turn]]:
    """Turns of each CPU, interleaved; empty where there is nothing to compare or too much.

    Takes about `look_s`; on CPUs that others use it ends after the pass in which GIVE_UP_S is over
    (two passes at least).
    """
    if not 2 <= len(cpus) <= MOST_CPUS:
        return {}
    turns = max(FEWEST_TURNS, min(MOST_TURNS, int(look_s / (len(cpus) * TURN_S))))
    pieces = max(1, int(look_s / (len(cpus) * turns * PIECE_S)))
    with on_cores(cpus[:1]):
        loops = _loops_per_piece()
    found: dict[int, list[Turn]] = {cpu: [] for cpu in cpus}
    give_up_s = time.monotonic() + GIVE_UP_S
    for number in range(turns):
        if number >= FEWEST_TURNS and time.monotonic() > give_up_s:
            break
        for cpu in cpus:
            with on_cores((cpu,)):
                found[cpu].append(tuple(_piece_ns(loops) for _ in range(pieces)))
    return found


def _loops_per_piece() -> int:
    """Loops that take PIECE_S on a CPU left alone: by the fastest of a few short ones."""
    loops = 20_000
    fastest_ns = min(_piece_ns(loops) for _ in range(10))
    return max(1, int(loops * PIECE_S * 1e9 / fastest_ns))


def _piece_ns(loops: int) -> int:
    started_ns = time.perf_counter_ns()
    for _ in range(loops):
        pass
    return time.perf_counter_ns() - started_ns
