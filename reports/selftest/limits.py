"""DATA: what a check is judged by; docs/selftest.md says why."""

from __future__ import annotations

AIM_P50_MS, AIM_P99_SHARE = 0.1, 0.01
AIM_ARMS_MS, AIM_RATE_SHARE = 0.05, 0.01
LIMIT_P50_MS, LIMIT_P99_MS, LIMIT_P99_SHARE = 0.4, 1.0, 0.02
"""Of the difference from the server's log or from packet times: what the instrument adds."""
SENT_P50_MS, SENT_TAIL_MS = 0.4, 5.0
"""How late requests may be sent: the instrument's own as well, but in the server's log too. Tails
have room for moments in which the machine ran somebody else."""
THEORY_P50_MS, THEORY_P99_MS, THEORY_P99_SHARE = 0.8, 2.0, 0.03
"""How far beyond the known answer and what the server's log says of itself; and from where on the
latter is remarked upon."""
OWN_P50_MS, OWN_TAIL_MS, OWN_TAIL_SHARE, OWN_RATE_SHARE = 2.0, 10.0, 0.1, 0.1
"""How far the server's own log may be from the known answer: beyond that the machine is too busy
for anything to be told of the instrument."""
LIMIT_ARMS_MS = 0.15
LIMIT_RATE_SHARE, THEORY_RATE_SHARE, OWN_USERS_RATE_SHARE = 0.01, 0.03, 0.06
"""Users of a locustfile sleep by Locust's clock, 1 to 2 ms late, and without real-time priority."""
GIVING_UP_MS = 15.0
"""Timeouts are looked for fifty times per timeout, every 10 ms in the case of 0.5 s."""
SAMPLING_SDS = 3.0
TAILS = (0.99, 0.95)
