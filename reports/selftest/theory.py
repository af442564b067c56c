"""PURE: the answers that are known: response times of queues and stalls, exactly and by formula."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SIMULATED_RUNS = 400
Jobs = Literal["random", "equal"]


def lindley_s(arrival_s: Floats, service_s: Floats) -> Floats:
    """Response times at one server, first come first served, from rising arrivals.

    D_i = max(A_i, D_(i−1)) + S_i (Lindley 1952, Proc. Cambridge Phil. Soc. 48), unrolled:
    D_i = C_i + max over j ≤ i of (A_j − C_(j−1)) with C the cumulated service.
    """
    done = np.cumsum(service_s)
    begun = arrival_s - (done - service_s)
    return done + np.maximum.accumulate(begun) - arrival_s if len(arrival_s) else done


def through_stall_s(
    arrival_s: Floats, service_s: Floats, stall_s: tuple[float, float], *, one_at_a_time: bool
) -> Floats:
    """Response times where nothing is read or answered between two instants.

    What arrives in the stall is read at its end; what would leave in it leaves at its end.
    """
    begin_s, end_s = stall_s
    read_s = np.where((arrival_s >= begin_s) & (arrival_s < end_s), end_s, arrival_s)
    wait_s = read_s - arrival_s
    inside_s = lindley_s(read_s, service_s) if one_at_a_time else service_s
    leaves_s = read_s + inside_s
    held_s = np.where((leaves_s >= begin_s) & (leaves_s < end_s), end_s - leaves_s, 0.0)
    return wait_s + inside_s + held_s


def mm1_quantile_s(q: float, arrivals_per_s: float, jobs_per_s: float) -> float:
    """Response time of M/M/1, which is exponential with rate μ − λ (Kleinrock 1975, Queueing
    Systems I, 3.2 and 5.6)."""
    return -math.log1p(-q) / (jobs_per_s - arrivals_per_s)


def mean_response_s(arrivals_per_s: float, job_s: float, jobs: Jobs) -> float:
    """Mean response time of M/M/1 or M/D/1: S + ρS(1 + c²)/(2(1 − ρ)), where c² is 1 for random
    (exponential) and 0 for equal jobs (Pollaczek and Khinchine; Kleinrock 1975, 5.6)."""
    busy = arrivals_per_s * job_s
    return job_s + busy * job_s * (2.0 if jobs == "random" else 1.0) / (2.0 * (1.0 - busy))


def sampling_sd_s(
    arrivals_per_s: float, job_s: float, jobs: Jobs, lead_in_s: float, steady_s: float, seed: int
) -> float:
    """How much the mean response of one run of this length varies from run to run.

    Standard deviation over simulated runs that begin empty, since waits within a run depend on each
    other (no √n).
    """
    random = np.random.default_rng(seed)
    expected = arrivals_per_s * (lead_in_s + steady_s)
    count = int(expected + 6 * math.sqrt(expected) + 10)
    means = []
    for _ in range(SIMULATED_RUNS):
        arrival_s = np.cumsum(random.exponential(1 / arrivals_per_s, count))
        service_s = random.exponential(job_s, count) if jobs == "random" else np.full(count, job_s)
        steady = (arrival_s >= lead_in_s) & (arrival_s < lead_in_s + steady_s)
        means.append(float(lindley_s(arrival_s, service_s)[steady].mean()))
    return float(np.std(means, ddof=1))


def stall_quantile_s(q: float, service_s: float, stall_s: float, length_s: float) -> float:
    """Response time where evenly spaced arrivals of `length_s` meet one stall and a server that
    serves everybody at once: whoever is due u before its end waits for u (Tene's model of
    coordinated omission)."""
    return service_s + max(0.0, stall_s - (1.0 - q) * length_s)


def drained_stall_quantile_s(
    q: float, service_s: float, stall_s: float, length_s: float, busy: float
) -> float:
    """The same with one server that is `busy` of its time otherwise: its backlog shrinks by 1 − ρ
    a second, so that S/(1 − ρ) seconds of arrivals are affected, each later one by less."""
    return service_s + max(0.0, stall_s - (1.0 - q) * (1.0 - busy) * length_s)


def closed_rate_per_s(users: int, response_s: float, think_s: float) -> float:
    """Throughput of users who wait for their answers, X = N/(R + Z): the interactive response time
    law (Denning & Buzen 1978, ACM Computing Surveys 10)."""
    return users / (response_s + think_s)
