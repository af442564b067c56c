"""DATA: what a check is judged by; docs/selftest.md says why."""

from __future__ import annotations

AIM_P50_MS, AIM_P99_SHARE = 0.1, 0.01
AIM_ARMS_MS, AIM_RATE_SHARE = 0.05, 0.01
LIMIT_P50_MS, LIMIT_P99_MS, LIMIT_P99_SHARE = 0.4, 1.0, 0.02
"""Of the difference from the server's log."""
THEORY_P50_MS, THEORY_P99_MS, THEORY_P99_SHARE = 0.8, 2.0, 0.03
"""Of the difference from the known answer: sending and the way there come on top."""
OPENING_MS = 1.0
"""More from theory where each request opens a connection: handshake and accept are in no theory."""
LIMIT_ARMS_MS = 0.15
LIMIT_RATE_SHARE, THEORY_RATE_SHARE, OWN_USERS_RATE_SHARE = 0.01, 0.03, 0.06
"""Users of a locustfile sleep by Locust's clock, 1 to 2 ms late, and without real-time priority."""
GIVING_UP_MS = 15.0
"""Timeouts are looked for fifty times per timeout, every 10 ms in the case of 0.5 s."""
SAMPLING_SDS = 3.0
TAILS = (0.99, 0.95)
