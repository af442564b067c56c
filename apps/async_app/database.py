"""The seam: the only module of this twin that names SQLAlchemy's engine and session classes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from apps.common.application import database_of
from apps.common.engine import SESSION_OPTIONS, engine_options, engine_url
from apps.common.request_times import enter_endpoint
from apps.common.settings import Settings


class Database:
    """One engine and its sessions; belongs to the event loop it was made on."""

    def __init__(self, settings: Settings) -> None:
        self.engine = create_async_engine(engine_url(settings), **engine_options(settings))
        self._sessions = async_sessionmaker(self.engine, class_=AsyncSession, **SESSION_OPTIONS)
        self._wait_s = settings.pool_timeout_s

    def session(self, *, longer_ms: int = 0) -> AsyncSession:
        """A new session, for the endpoint to open in its first line.

        Opened there and not in a dependency, so that no connection is held while the request waits
        for a thread. `longer_ms`: how much longer than usual the request will keep its connection.
        """
        enter_endpoint(longer_ms, self._wait_s)
        return self._sessions()

    async def dispose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


OpenDatabase = Annotated[Database, Depends(database_of)]
"""An endpoint's parameter: the running app's database."""
