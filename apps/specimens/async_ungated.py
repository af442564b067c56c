"""Specimen `async-ungated`: the async twin without its gate, so that the pool decides who is next.

Mistake: more requests are let in than the pool holds, and they queue for connections.
Symptom: the median is fine but a few requests take many times as long, up to "QueuePool limit of
size 5 overflow 0 reached, connection timed out, timeout 30.00", although connections become free
all the time.
Why: SQLAlchemy's pool queue is not fair. A returned connection is up for grabs until the waiter
that was woken for it runs; a newcomer takes it, and the waiter queues again, at the end.
Cure: a first-come-first-served gate in front of the pool (`apps/common/admission.py`).
"""

from __future__ import annotations

from apps.async_app import routes as twin
from apps.async_app.database import Database
from apps.common.settings import NO_GATE
from apps.specimens.build import build

app = build("async-ungated", Database, twin.router, admission=NO_GATE)
