"""Specimen `sync-ungated`: the tutorial's session dependency, which locks itself up under load.

Mistake: the session comes from `Depends(get_session)`, and nobody limits how many requests get in.
Symptom: "QueuePool limit of size 5 overflow 0 reached, connection timed out, timeout 30.00" while
app and database idle (fastapi#3205, fastapi#12066).
Why: FastAPI checks a `def` endpoint's answer in a worker thread, with the connection still lent.
When every thread waits for a connection, those who hold the connections wait for a thread.
Cure: open the session in the endpoint (`apps/sync_app/routes.py`), and let in no more requests
than the pool holds, first come first served (`apps/common/admission.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from apps.common.engine import SESSION_OPTIONS
from apps.common.models import Item
from apps.common.request_times import handed_over, taken_over
from apps.common.schemas import ItemAnswer, ItemId
from apps.common.settings import NO_GATE
from apps.specimens.build import build
from apps.sync_app import routes as twin
from apps.sync_app.database import Database, OpenDatabase

router = APIRouter()


def get_session(database: OpenDatabase) -> Iterator[Session]:
    """The tutorial's dependency (the calls around what is passed on only take the time)."""
    with Session(database.engine, **SESSION_OPTIONS) as session:
        yield handed_over(taken_over(session))


@router.get("/items/{item_id}", response_model=ItemAnswer)
def get_item(item_id: ItemId, session: Annotated[Session, Depends(get_session)]) -> Item:
    """One item by its key."""
    item = taken_over(session).get(Item, item_id)
    if item is None:
        raise twin.no_item(item_id)
    return handed_over(item)


# Unwatched, like the tutorial: the twins cut a connection that is lent for too long.
app = build("sync-ungated", Database, twin.router, router, watched=False, admission=NO_GATE)
