"""Specimen `hold-connection`: a connection kept while the request waits for something else.

Mistake: the session stays open around a call to another service.
Symptom: "QueuePool limit of size 5 overflow 0 reached, connection timed out, timeout 30.00" at a
load that the database hardly notices; SHOW PROCESSLIST is full of "Sleep".
Why: a session that has run a statement keeps its connection until it ends its transaction. The
pool then holds as many requests as it has connections, each for as long as the other service takes.
Cure: end the transaction before the call and open a session again after it (the twins' `/release`).
"""

from __future__ import annotations

from fastapi import APIRouter

from apps.async_app import routes as twin
from apps.async_app.database import Database, OpenDatabase
from apps.common import statements
from apps.common.pause import pause
from apps.common.schemas import Waited, WaitedAnswer, WaitMs
from apps.specimens.build import build

router = APIRouter()


@router.get("/release", response_model=WaitedAnswer)
async def release(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Query, wait outside the database with the connection in hand, query."""
    async with database.session(longer_ms=ms) as session:
        await session.execute(statements.probe())
        await pause(ms)
        await session.execute(statements.probe())
        return Waited(ms=ms)


app = build("hold-connection", Database, twin.router, router)
