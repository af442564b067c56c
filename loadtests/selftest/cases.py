"""DATA: the cases of `bench selftest`, about two and a half minutes in all."""

from __future__ import annotations

from loadtests.selftest.behaviour import Behaviour, Service, Stall
from loadtests.selftest.record import Case
from loadtests.trials import ClosedLoad, OpenLoad

SEED = 1
"""Arrivals, keys and service times are the same in every selftest: its answers are known."""
THINK_S = 0.05
STEADY = Service("constant", 0.020)
BRISK = Service("constant", 0.005)
JOBS_S = 0.004
RANDOM_JOBS, EQUAL_JOBS = Service("exponential", JOBS_S), Service("constant", JOBS_S)


def _queue(name: str, says: str, jobs: Service, busy: float, steady_s: float) -> Case:
    return Case(name, says, Behaviour(jobs, True), OpenLoad(busy / JOBS_S), steady_s, timeout_s=30)


CASES = (
    Case(
        "constant",
        "every answer takes 20 ms",
        Behaviour(STEADY),
        OpenLoad(400),
        3.0,
    ),
    Case(
        "wire",
        "every answer takes 20 ms, and packets are timed on the loopback interface",
        Behaviour(STEADY),
        OpenLoad(200),
        3.0,
        on_the_wire=True,
    ),
    Case(
        "two arms",
        "two identical servers in turn",
        Behaviour(STEADY),
        OpenLoad(300),
        0.8,
        lead_in_s=0.15,
        pairs=6,
    ),
    Case(
        "stall",
        "nothing for 2 s in 20 s: a request that was due in it waits for its end",
        Behaviour(BRISK, stall=Stall(5.5, 2.0)),
        OpenLoad(100, "uniform"),
        20.0,
    ),
    Case(
        "stall and drain",
        "nothing for 1 s, then a backlog that one half-busy server works off",
        Behaviour(BRISK, True, stall=Stall(2.5, 1.0)),
        OpenLoad(100, "uniform"),
        10.0,
    ),
    Case(
        "overload",
        "125 jobs/s for a server that does 100/s: the wait grows by 0.25 s a second",
        Behaviour(Service("constant", 0.010), True),
        OpenLoad(125, "uniform"),
        4.0,
    ),
    _queue("M/M/1 0.5", "one server, random jobs of 4 ms, half busy", RANDOM_JOBS, 0.5, 9.0),
    _queue("M/M/1 0.8", "one server, random jobs of 4 ms, 80% busy", RANDOM_JOBS, 0.8, 9.0),
    _queue("M/D/1 0.5", "one server, equal jobs of 4 ms, half busy", EQUAL_JOBS, 0.5, 9.0),
    _queue("M/D/1 0.8", "one server, equal jobs of 4 ms, 80% busy", EQUAL_JOBS, 0.8, 9.0),
    Case(
        "bimodal",
        "90% take 5 ms, 10% take 50 ms",
        Behaviour(Service("bimodal", 0.005, 0.050, 0.1)),
        OpenLoad(400),
        3.0,
    ),
    Case(
        "errors 1%",
        "one answer in a hundred is a 500",
        Behaviour(BRISK, failed_share=0.01),
        OpenLoad(400),
        3.0,
    ),
    Case(
        "errors 30%",
        "three answers in ten are a 500",
        Behaviour(BRISK, failed_share=0.3),
        OpenLoad(400),
        3.0,
    ),
    Case(
        "timeouts",
        "one request in twenty is never answered; given up after 0.5 s",
        Behaviour(BRISK, unanswered_share=0.05),
        OpenLoad(300),
        3.0,
        timeout_s=0.5,
    ),
    Case(
        "closes",
        "the connection is closed after each answer, which says so",
        Behaviour(BRISK, hangs_up="announced"),
        OpenLoad(300),
        3.0,
    ),
    Case(
        "hangs up",
        "the connection is closed after each answer without a word",
        Behaviour(BRISK, hangs_up="unannounced"),
        OpenLoad(300),
        3.0,
    ),
    Case(
        "drops",
        "one connection in twenty is closed instead of an answer",
        Behaviour(BRISK, dropped_share=0.05),
        OpenLoad(300),
        3.0,
    ),
    Case(
        "closed",
        "32 users, random answers of 40 ms on average: X = N/R",
        Behaviour(Service("exponential", 0.040)),
        ClosedLoad(32),
        4.0,
    ),
    Case(
        "closed queue",
        "8 users at one server that takes 5 ms: X = 1/S, R = N·S",
        Behaviour(BRISK, True),
        ClosedLoad(8),
        4.0,
    ),
    Case(
        "closed, think",
        "16 users of a locustfile who think for 50 ms: X = N/(R + Z)",
        Behaviour(Service("exponential", 0.020)),
        ClosedLoad(16),
        4.0,
        think_s=THINK_S,
        locustfile="thinking_users.py",
    ),
)
